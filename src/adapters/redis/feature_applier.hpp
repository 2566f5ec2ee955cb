#pragma once
// FeatureApplier: one batch of events, onto the values of their subjects. Per round: one pipelined read of all subjects, their
// new values computed here, one pipelined write (a script a subject: all of it or nothing, and only onto the value that was
// read). A login moves a session to its user over two slots; every step of it may be repeated.
//
// A batch is one round, and one more behind each login that others of the batch wait for: events of a subject take effect in
// the order given.
// Thread safety: one call at a time.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adapters/redis/feature_keys.hpp"
#include "adapters/redis/feature_scripts.hpp"
#include "adapters/redis/redis_client.hpp"
#include "adapters/redis/subject_update.hpp"
#include "core/clock.hpp"
#include "ports/feature_store.hpp"

namespace scalestyle::adapters::redis {

// What is done with values and keys, by all parts of the store.
struct FeatureContext {
  RedisClient& client;
  const core::Clock& clock;
  const FeatureKeys& keys;
  const FeatureScripts& scripts;
  const events::FeatureOptions& features;
  const MarkerOptions& markers;
  std::size_t replicas = 0;         // that must have a write before it counts
  std::size_t max_stream = 0;       // entries of a shard that may wait to be merged
};

class FeatureApplier {
 public:
  explicit FeatureApplier(const FeatureContext& context) : context_(context), update_(context.features, context.markers) {}

  using Batch = std::vector<events::LoggedEvent>;
  // Errors: kUnavailable, kDeadlineExceeded, kResourceExhausted, kCancelled: some may have taken effect; give the batch again.
  [[nodiscard]] core::Task<core::Result<ports::ApplyReport>> apply(std::shared_ptr<const Batch> batch, core::Deadline deadline);

 private:
  // One value and the events that are for it.
  struct Work {
    Owner owner = Owner::kUser;
    std::string key{};
    std::size_t shard = 0;
    std::vector<std::size_t> events{};  // of the batch
    SubjectValue value{};
    std::vector<std::size_t> redirected{};
  };
  struct Login {
    std::size_t event = 0;  // of the batch
    std::string session_key{};
    std::string user_key{};
    std::string merging_key{};
    std::size_t user_shard = 0;
    SubjectValue session{};
    SubjectValue user{};
    SubjectValue taken{};
    bool is_taken = false;  // by this call or one before
    bool is_over = false;
  };
  struct Round {
    std::vector<Work> works{};
    std::vector<Login> logins{};
  };

  [[nodiscard]] std::vector<Round> plan(const Batch& batch) const;
  [[nodiscard]] Work work_of(const events::Subject& subject) const;
  [[nodiscard]] std::vector<Work> redirected(std::span<const Work> works) const;

  [[nodiscard]] core::Task<core::Status> apply_works(std::vector<Work>& works, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> read_works(std::vector<Work*>& works, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> write_works(std::vector<Work*>& works, core::Deadline deadline);

  [[nodiscard]] core::Task<core::Status> apply_logins(std::vector<Login>& logins, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> read_logins(std::vector<Login*>& logins, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> take_sessions(std::vector<Login*>& logins, core::Deadline deadline);
  [[nodiscard]] RedisCommand take_command(const Login& login, std::uint64_t version_read) const;
  [[nodiscard]] core::Task<core::Status> give_sessions(std::vector<Login*>& logins, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> end_logins(const std::vector<Login*>& logins, core::Deadline deadline);

  // The value as read. Errors: as the client's, and kDataLoss for what is no value of this store.
  [[nodiscard]] core::Result<SubjectValue> value_of(const std::string& key, const core::Result<RedisValue>& reply) const;
  [[nodiscard]] RedisCommand write_command(const std::string& key, std::size_t shard, Owner owner, SubjectValue& value,
                                           const std::string& contributions) const;
  [[nodiscard]] std::string time_to_live(const SubjectValue& value, Owner owner) const;
  [[nodiscard]] std::uint64_t next_version(std::uint64_t version) const;
  [[nodiscard]] static std::string version_bytes(std::uint64_t version);  // as scripts compare it; empty for none
  // Whether the error is of what `key` holds, so that other subjects can go on.
  [[nodiscard]] static bool is_of_key(const core::Error& error, const std::string& key);
  void refuse(std::span<const std::size_t> events, const core::Error& cause);

  const FeatureContext& context_;
  SubjectUpdate update_;
  std::shared_ptr<const Batch> batch_{};
  ports::ApplyReport report_{};
};

// The port's word for an error of Redis: what a caller can wait out is kUnavailable.
[[nodiscard]] core::Error as_store_error(core::Error error);

}  // namespace scalestyle::adapters::redis
