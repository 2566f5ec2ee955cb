#include "search/refresh_loop.hpp"

namespace scalestyle::search {

void RefreshLoop::start() { arm(); }

void RefreshLoop::arm() {
  if (stopping_.load()) return;
  use_.timers.schedule(use_.clock.steady_now() + options_.interval, [this] { refresh(); });
}

void RefreshLoop::refresh() {
  if (stopping_.load()) return;
  const auto deadline = core::Deadline::after(options_.load_deadline, use_.clock);
  core::start(use_.holder.refresh(deadline), [this](core::Result<RefreshOutcome>&& outcome) { finished(outcome); }).detach();
}

void RefreshLoop::finished(const core::Result<RefreshOutcome>& outcome) {
  if (!outcome) {
    if (outcome.error().message != logged_error_) {
      logged_error_ = outcome.error().message;
      use_.log.error("cannot follow the current generation; the one being served stays", {{"cause", logged_error_}});
    }
  } else {
    logged_error_.clear();
    if (*outcome == RefreshOutcome::kSwitched) {
      const auto serving = use_.holder.serving();
      use_.log.info("switched generation",
                    {{"generation", serving->info().id.value()}, {"articles", serving->catalog().size()}});
      if (!serving->dense_refusal().empty()) {
        use_.log.error("this generation cannot be searched by meaning", {{"cause", serving->dense_refusal()}});
      }
    }
  }
  follow_synonyms();
  if (use_.suggest != nullptr) use_.suggest->refresh();
  arm();
}

void RefreshLoop::follow_synonyms() {
  if (use_.synonyms == nullptr) return;
  const auto changed = use_.synonyms->follow();
  if (!changed) {
    if (changed.error().message == logged_synonyms_error_) return;
    logged_synonyms_error_ = changed.error().message;
    use_.log.error("cannot follow the synonyms; those in force stay", {{"cause", logged_synonyms_error_}});
    return;
  }
  if (!*changed) return;
  logged_synonyms_error_.clear();
  use_.log.info("synonyms were read", {{"rules", use_.synonyms->current()->rule_count()}});
}

}  // namespace scalestyle::search
