#pragma once
// What callers of a LiveCatalog and its thread hand each other. Private to live_catalog*.cpp.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "search/live_catalog.hpp"
#include "search/timed_slot.hpp"

namespace scalestyle::search {

// A request in the queue. Its caller may leave at its deadline: then the slot is taken.
struct LiveCatalog::Waiter {
  struct Decision {
    std::int64_t sequence = 0;  // of the last change
    bool visible = false;
    std::optional<ChangeFailure> failure{};  // nothing was kept, or perhaps
  };

  std::vector<catalog::ArticleChange> changes{};
  Vectors vectors{};               // of texts that they are likely to give rise to
  std::atomic<bool> begun{false};  // from here on it may be kept
  std::shared_ptr<TimedSlot<core::Result<Decision>>> decided = std::make_shared<TimedSlot<core::Result<Decision>>>();
  std::shared_ptr<TimedSlot<core::Status>> shown = std::make_shared<TimedSlot<core::Status>>();

  void refuse(ChangeFailure failure) { decided->offer(Decision{.failure = std::move(failure)}); }
};

struct LiveCatalog::Switch {
  std::shared_ptr<const ports::CatalogSnapshot> base{};
  core::Deadline deadline = core::Deadline::never();
  std::shared_ptr<TimedSlot<core::Status>> done = std::make_shared<TimedSlot<core::Status>>();
};

// What one turn decides and writes together.
struct LiveCatalog::Round {
  std::vector<std::shared_ptr<Waiter>> accepted{};
  Draft draft{};         // of all accepted
  Vectors vectors{};     // made ahead
  SideTable side{};      // of the draft's articles
  SideTable made{};      // those of them that were not kept before
  std::size_t texts = 0; // at most so many articles get new texts
};

}  // namespace scalestyle::search
