#include "search/shopper_read.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "search/stage_outcome.hpp"
#include "search/timed_slot.hpp"

namespace scalestyle::search {

struct ShopperReader::Pending {
  Pending(core::SteadyTime began, core::Deadline due, bool waits_for_event)
      : started(began), deadline(due), has_after(waits_for_event) {}

  const core::SteadyTime started;
  const core::Deadline deadline;  // of all of it
  const bool has_after;
  const std::shared_ptr<TimedSlot<core::Result<ShopperView>>> slot = std::make_shared<TimedSlot<core::Result<ShopperView>>>();
  core::Operation operation;
};

ShopperReader::PendingRead ShopperReader::begin(ShopperWish wish, core::Deadline deadline,
                                                std::shared_ptr<core::TaskContext> context) {
  const auto budget = budgets_.snapshot + (wish.after ? budgets_.after : std::chrono::milliseconds(0));
  auto pending = std::make_shared<Pending>(use_.clock.steady_now(), deadline.within(budget, use_.clock), wish.after.has_value());
  pending->operation = core::start(read(std::move(wish), pending->deadline),
                                   [slot = pending->slot](core::Result<ShopperView>&& view) { slot->offer(std::move(view)); },
                                   std::move(context));
  return pending;
}

bool ShopperReader::is_done(const Pending& pending) { return pending.slot->taken(); }

core::Task<ShopperView> ShopperReader::finish(PendingRead pending) {
  auto outcome = co_await await_slot(pending->slot, use_.timers, pending->deadline);
  if (outcome) co_return std::move(*outcome);
  ShopperView view;
  view.outcome = outcome_of(outcome.error());
  if (pending->has_after) view.after_reached = false;
  view.ended = use_.clock.steady_now();
  view.took = view.ended - pending->started;
  co_return view;
}

core::Task<core::Result<ShopperView>> ShopperReader::read(ShopperWish wish, core::Deadline deadline) {
  const core::SteadyTime started = use_.clock.steady_now();
  const std::thread::id caller = std::this_thread::get_id();
  ShopperView view;
  if (wish.after) {
    view.after_reached = false;
    ports::WaitedEvent waited{.position = wish.after->position, .mark = wish.after->mark, .subject = wish.subject};
    const auto applied = co_await use_.store.wait_applied(std::move(waited), deadline.within(budgets_.after, use_.clock));
    if (applied) {
      view.after_reached = applied->reached;
      view.newest_applied_ms = applied->newest_applied_ms;
    }
  }
  const core::Status status = co_await read_features(wish, deadline.within(budgets_.snapshot, use_.clock), view);
  view.outcome = status ? StageOutcome::kOk : outcome_of(status.error());
  // What the store completed on a thread of its own (its log's, its network's) goes on where work is done.
  if (std::this_thread::get_id() != caller) static_cast<void>(co_await use_.pool.schedule(core::Deadline::never()));
  view.ended = use_.clock.steady_now();
  view.took = view.ended - started;
  co_return view;
}

core::Task<core::Status> ShopperReader::read_features(const ShopperWish& wish, core::Deadline deadline, ShopperView& view) {
  if (wish.board != nullptr && use_.popularity != nullptr) {
    CORE_CO_CHECK(co_await use_.popularity->follow(wish.board, deadline));
  }
  if (wish.subject) {
    CORE_CO_TRY(auto snapshot, co_await use_.store.read(*wish.subject, deadline));
    view.features = std::move(snapshot.features);
    view.newest_applied_ms = snapshot.newest_applied_ms;
  }
  co_return core::Status();
}

}  // namespace scalestyle::search
