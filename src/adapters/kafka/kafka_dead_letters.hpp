#pragma once
// KafkaDeadLetters: reads the topic of dead letters as a whole, sends letters to the main topic again, and drops them.
//
// A letter is the newest record of its key. It is dropped by a tombstone: a record of the same key without a value, after
// which nobody sees it, and which makes the broker remove its bytes (the topic is compacted). Whatever is laid down under the
// key afterwards is a letter again.
// Thread safety: one caller at a time. It blocks: for the command line.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "adapters/kafka/failed_record.hpp"
#include "adapters/kafka/kafka_options.hpp"
#include "adapters/kafka/kafka_producer.hpp"
#include "core/clock.hpp"

namespace scalestyle::adapters::kafka {

// Which letters: those named, of one reason, or all.
struct DeadLetterChoice {
  std::set<std::string> ids{};           // empty: any
  std::optional<std::string> reason{};
};

// A letter where it lies. A record that is no letter of ours has reason "unreadable", its key as id and its bytes as value.
struct StoredLetter {
  DeadLetter letter{};
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t stored_ms = 0;   // by the broker's clock
  std::string key{};            // of its record: what a tombstone must have
};

struct DeadLetterList {
  std::vector<StoredLetter> newest{};                 // newest first
  std::uint64_t total = 0;                            // of the choice
  std::map<std::string, std::uint64_t> by_reason{};   // of the choice
};

struct DeadLetterOutcome {
  std::uint64_t done = 0;
  std::vector<std::string> not_found{};               // ids that were named
  std::vector<std::string> refused{};                 // "id: why" of what cannot be done with a letter
};

class KafkaDeadLetters {
 public:
  static constexpr std::size_t kMaxLetters = 5'000'000;

  // `clock` outlives it. `patience`: for each answer of a broker.
  KafkaDeadLetters(KafkaOptions kafka, KafkaTopics topics, const core::Clock& clock, std::chrono::milliseconds patience);

  // At most `limit` of them, and the counts of all. kNotFound: there is no such topic; kUnavailable; kPermissionDenied.
  [[nodiscard]] core::Result<DeadLetterList> list(const DeadLetterChoice& choice, std::size_t limit);

  // kNotFound.
  [[nodiscard]] core::Result<StoredLetter> find(const std::string& id);

  // Sends the original records to the main topic, with the header x-dlq-replay (the letter's id), each as it was accepted: its
  // event id makes it take effect once, however often it is sent. What the cluster has acknowledged is dropped here, unless
  // `keep`. An error tells how far it got; doing it again is safe.
  [[nodiscard]] core::Result<DeadLetterOutcome> replay(const DeadLetterChoice& choice, bool keep, KafkaProducer& producer);

  [[nodiscard]] core::Result<DeadLetterOutcome> drop(const DeadLetterChoice& choice, KafkaProducer& producer);

 private:
  struct Place {
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int64_t stored_ms = 0;
    std::string reason{};
  };
  using Index = std::map<std::string, Place>;  // by key
  using Visitor = std::function<core::Status(StoredLetter letter, bool tombstone)>;

  [[nodiscard]] core::Status scan(const Visitor& visit) const;
  [[nodiscard]] core::Result<Index> index(const DeadLetterChoice& choice) const;
  [[nodiscard]] core::Status visit_chosen(const Index& chosen, const std::function<core::Status(StoredLetter)>& visit) const;
  [[nodiscard]] core::Status send(std::vector<KafkaMessage> messages, KafkaProducer& producer) const;

  KafkaOptions kafka_;
  KafkaTopics topics_;
  const core::Clock& clock_;
  std::chrono::milliseconds patience_;
};

}  // namespace scalestyle::adapters::kafka
