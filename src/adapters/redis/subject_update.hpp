#pragma once
// SubjectUpdate: what events do to a subject's value: the same as to the embedded store's record, each once.
// Pure: no clock, no I/O. One thread.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/redis/subject_value.hpp"
#include "events/name_table.hpp"
#include "events/subject_record.hpp"

namespace scalestyle::adapters::redis {

// What an event adds to its item's popularity.
struct Contribution {
  std::string item_id{};
  double weight = 0;
  events::EpochMs time_ms = 0;      // effective
  events::EpochMs received_ms = 0;  // effective
  friend bool operator==(const Contribution&, const Contribution&) = default;
};

// One entry of a shard's stream: all that one change of a subject contributes. false: not made by encode_contributions().
[[nodiscard]] std::string encode_contributions(std::span<const Contribution> contributions);
[[nodiscard]] bool decode_contributions(std::string_view bytes, std::vector<Contribution>& contributions);

struct SubjectEffects {
  bool changed = false;
  std::vector<std::size_t> redirected{};  // of the events given: they belong to the user that the session was merged into
  std::vector<Contribution> contributions{};
};

class SubjectUpdate {
 public:
  // Both must outlive it.
  SubjectUpdate(const events::FeatureOptions& options, const MarkerOptions& markers) : options_(options), markers_(markers) {}

  // In the order given. Events that the value knows do nothing.
  [[nodiscard]] SubjectEffects apply(SubjectValue& value, Owner owner, std::span<const events::LoggedEvent* const> events);

  // Login, first half: the session's value, of which only marks and the tombstone stay; gives what goes to the user.
  [[nodiscard]] SubjectValue take_session(SubjectValue& session, const events::LoggedEvent& merge) const;
  // Second half. False when the user has it already.
  [[nodiscard]] bool give_session(SubjectValue& user, const SubjectValue& taken, const events::LoggedEvent& merge);

 private:
  void apply_to_features(SubjectValue& value, Owner owner, const events::Event& event);
  void expire(SubjectValue& value, Owner owner, events::EpochMs received_ms) const;
  [[nodiscard]] events::RecordContext context() { return {items_, categories_, options_}; }
  [[nodiscard]] events::SubjectRecord to_record(const SubjectValue& value);
  void from_record(events::SubjectRecord& record, SubjectValue& value);

  const events::FeatureOptions& options_;
  const MarkerOptions& markers_;
  events::NameTable items_;
  events::NameTable categories_;
};

}  // namespace scalestyle::adapters::redis
