#include "search/refresh_loop.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scalestyle::search {

void RefreshLoop::start() { arm(); }

void RefreshLoop::arm() {
  if (stopping_.load()) return;
  use_.timers.schedule(use_.clock.steady_now() + options_.interval, [this] { refresh(); });
}

void RefreshLoop::refresh() {
  if (stopping_.load()) return;
  if (use_.clock.steady_now() < refresh_again_) return follow_the_rest();
  const auto deadline = core::Deadline::after(options_.load_deadline, use_.clock);
  core::start(use_.holder.refresh(deadline), [this](core::Result<RefreshOutcome>&& outcome) { finished(outcome); }).detach();
}

template <class File, class Describe>
void RefreshLoop::follow(File* file, std::string_view what, std::string& logged_error, const Describe& log_read) {
  if (file == nullptr) return;
  const auto changed = file->follow();
  if (!changed) {
    if (changed.error().message == logged_error) return;
    logged_error = changed.error().message;
    use_.log.error(fmt::format("cannot follow the {}; those in force stay", what), {{"cause", logged_error}});
    return;
  }
  if (!*changed) return;
  logged_error.clear();
  log_read(*file->current());
}

void RefreshLoop::finished(const core::Result<RefreshOutcome>& outcome) {
  if (!outcome) {
    pause_ = std::max(options_.interval, std::min(2 * pause_, options_.longest_pause));
    refresh_again_ = use_.clock.steady_now() + pause_;
    if (outcome.error().message != logged_error_) {
      logged_error_ = outcome.error().message;
      use_.log.error("cannot follow the current generation; the one being served stays", {{"cause", logged_error_}});
    }
  } else {
    pause_ = std::chrono::milliseconds(0);
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
  follow_the_rest();
}

void RefreshLoop::follow_the_rest() {
  follow(use_.synonyms, "synonyms", logged_synonyms_error_, [this](const retrieval::SynonymTable& table) {
    use_.log.info("synonyms were read", {{"rules", table.rule_count()}});
  });
  follow(use_.rules, "merchandising rules", logged_rules_error_, [this](const ranking::RuleSet& set) {
    use_.log.info("merchandising rules were read", {{"rules", set.rules().size()}});
  });
  follow(use_.ranker, "learned ranker", logged_ranker_error_, [this](const recommend::RankerInForce& now) {
    use_.log.info("lists for one shopper are ordered anew", {{"by", now.why}});
  });
  // So that no request has to bind them; one that comes first does, and says what goes wrong.
  if (const auto serving = use_.holder.serving(); use_.rules != nullptr && serving != nullptr) static_cast<void>(use_.rules->on(serving));
  if (use_.suggest != nullptr) use_.suggest->refresh();
  if (use_.follow_others) use_.follow_others();
  arm();
}

}  // namespace scalestyle::search
