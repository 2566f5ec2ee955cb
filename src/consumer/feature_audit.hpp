#pragma once
// FeatureAudit: whether what a feature store says of every subject and item is what the log of events gives, computed anew.
// For stores that other processes fill from a log of several partitions (Redis from Kafka).
//
// Of events with one id and subject the first counts. Events of one subject count in the log's order, those of different ones
// by receipt, so that a session's events come before the login that hands them to a user, whatever partitions they are in.
//
// Thread safety: one caller at a time; the methods block. The stream's and the store's threads run meanwhile.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "adapters/embedded/memory_feature_store.hpp"
#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "events/features.hpp"
#include "ports/event_stream.hpp"
#include "ports/feature_store.hpp"

namespace scalestyle::consumer {

struct AuditReport {
  std::uint64_t events = 0;       // that count
  std::uint64_t duplicates = 0;   // of an id that the log has already
  std::uint64_t left_out = 0;     // by AuditRequest::left_out
  std::uint64_t undecodable = 0;  // records that are no event
  std::uint64_t subjects = 0;     // compared
  std::uint64_t items = 0;        // compared
  std::uint64_t different = 0;    // subjects and items
  std::uint64_t missing = 0;      // expected events that do not count
  std::vector<std::string> differences{};  // the first, by name: "u:42: recent item 1: … and …", the log's first
  std::vector<std::string> missing_ids{};  // the first

  [[nodiscard]] bool sound() const { return different == 0 && missing == 0; }
};

struct AuditRequest {
  std::filesystem::path work{};         // a folder for files that the caller removes; must exist
  events::FeatureOptions features{};    // of whoever fills the store
  std::set<std::string> left_out{};     // ids of events that have not taken effect, as is known
  std::set<std::string> expected{};     // ids of events that must have
  double tolerance = 1e-6;              // of numbers, relative to their size
  std::size_t max_told = 20;            // of differences and of missing events
  std::size_t max_events = 10'000'000;  // held in memory
};

class FeatureAudit {
 public:
  struct Dependencies {
    ports::EventStream& stream;    // all partitions, from their first events
    ports::FeatureStore& store;
    const core::Clock& clock;
  };

  FeatureAudit(Dependencies dependencies, AuditRequest request, adapters::embedded::MemoryFeatureStore::Environment environment)
      : use_(dependencies), request_(std::move(request)), environment_(std::move(environment)) {}

  // Reads what the log has beyond what was read before, until nothing comes for `quiet`.
  // Errors: those of the stream; kDeadlineExceeded; kResourceExhausted (more than max_events).
  [[nodiscard]] core::Status read(std::chrono::milliseconds quiet, core::Deadline deadline);

  // Compares the store with what was read. Errors: those of the store.
  [[nodiscard]] core::Result<AuditReport> compare(core::Deadline deadline);

  // The two again and again, until they agree or the deadline: consumers may be behind the log. Waits by sleeping.
  [[nodiscard]] core::Result<AuditReport> run(std::chrono::milliseconds pause, core::Deadline deadline);

 private:
  using Store = adapters::embedded::MemoryFeatureStore;

  [[nodiscard]] core::Status rebuild();
  [[nodiscard]] core::Status compare_subjects(AuditReport& report, core::Deadline deadline);
  [[nodiscard]] core::Status compare_items(AuditReport& report, core::Deadline deadline);
  void tell(AuditReport& report, std::string what) const;

  Dependencies use_;
  AuditRequest request_;
  adapters::embedded::MemoryFeatureStore::Environment environment_;
  std::vector<events::LoggedEvent> log_;
  std::uint64_t undecodable_ = 0;

  // Of the first rebuilt_events_ of log_.
  std::unique_ptr<Store> rebuilt_;
  std::size_t rebuilt_events_ = 0;
  std::size_t rebuilds_ = 0;
  std::set<events::Subject> subjects_;
  AuditReport counts_;
};

// What counts of a log, in the order in which it counts; the counts go to `report`.
[[nodiscard]] std::vector<events::LoggedEvent> in_order_of_effect(std::vector<events::LoggedEvent> log,
                                                                 const std::set<std::string>& left_out, AuditReport& report);

}  // namespace scalestyle::consumer
