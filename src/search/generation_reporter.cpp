#include "search/generation_reporter.hpp"

#include "core/task.hpp"

namespace scalestyle::search {

void GenerationReporter::arm(std::chrono::milliseconds wait) {
  if (stopping_.load()) return;
  use_.timers.schedule(use_.clock.steady_now() + wait, [this] { report(); });
}

void GenerationReporter::report() {
  if (stopping_.load()) return;
  const auto serving = use_.holder.serving();
  if (serving == nullptr) {
    arm(options_.interval);
    return;
  }
  const auto deadline = core::Deadline::after(options_.interval, use_.clock);
  core::start(use_.use.report(options_.gateway, serving->info().id, options_.ttl, deadline), [this](core::Status&& reported) {
    if (stopping_.load()) return;
    const std::string error = reported ? std::string() : reported.error().message;
    if (!error.empty() && error != logged_error_) {
      use_.log.warning("cannot say which generation is served; an ingest may remove it", {{"cause", error}});
    }
    logged_error_ = error;
    arm(options_.interval);
  }).detach();
}

}  // namespace scalestyle::search
