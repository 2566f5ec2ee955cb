#pragma once
// What the appenders of a crash test will send: batches of events, all of it a function of the seed alone.
//
// Subjects belong to one appender, except a few that all of them use and that are never forgotten. So the events of a
// subject that gets forgotten were all acknowledged before its forget event is sent, and nothing of it comes later.
// Every text of a subject's events contains the subject's id, so that the id's bytes betray them all.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "events/event.hpp"

namespace scalestyle::crash {

struct PlanOptions {
  std::uint64_t seed = 1;
  std::size_t appenders = 4;
  std::size_t batches = 2'000;               // of each appender
  events::EpochMs start_ms = 1'772'366'400'000;
  events::EpochMs step_ms = 200;             // between batches of one appender
};

struct PlannedBatch {
  std::vector<events::Event> events{};
  std::size_t first_entry = 0;               // of events[0], counted over the whole plan
  events::EpochMs now_ms = 0;                // the clock when it is sent
};

struct Plan {
  PlanOptions options{};
  std::vector<std::vector<PlannedBatch>> appenders{};
  std::size_t entries = 0;

  [[nodiscard]] std::vector<const events::Event*> all_entries() const;  // by entry number
};

[[nodiscard]] Plan make_plan(const PlanOptions& options);

}  // namespace scalestyle::crash
