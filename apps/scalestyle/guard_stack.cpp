#include "guard_stack.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "runtime.hpp"

namespace scalestyle::app {

std::vector<std::string> with_guard_settings(std::vector<std::string> names) {
  constexpr std::array kNames{"breaker_window", "breaker_min_calls", "breaker_failure_percent", "breaker_open_ms", "breaker_probes",
                             "admission_adapts", "admission_floor", "admission_tolerance", "admission_grace_ms", "brownout"};
  names.insert(names.end(), kNames.begin(), kNames.end());
  return names;
}

core::Result<core::BreakerOptions> breaker_options(const core::Settings& settings) {
  const auto count = [&](std::string_view name) { return static_cast<std::size_t>(settings.integer(name)); };
  core::BreakerOptions options;
  options.window = count("breaker_window");
  options.min_calls = count("breaker_min_calls");
  options.failure_percent = count("breaker_failure_percent");
  options.open_for = std::chrono::milliseconds(settings.integer("breaker_open_ms"));
  options.probes = count("breaker_probes");
  options.seed = std::random_device()();  // differs by process: that is what the jitter is for
  CORE_CHECK(options.validate());
  return options;
}

search::DoorOptions door_options(const core::Settings& settings) {
  search::DoorOptions options;
  options.limit.adapts = settings.boolean("admission_adapts");
  options.limit.floor = static_cast<std::size_t>(settings.integer("admission_floor"));
  options.limit.crowded_floor = compute_threads(settings);
  options.limit.tolerance = settings.number("admission_tolerance");
  options.limit.grace = std::chrono::milliseconds(settings.integer("admission_grace_ms"));
  options.brownout.enabled = settings.boolean("brownout");
  return options;
}

core::Result<std::unique_ptr<GuardStack>> GuardStack::open(const core::Settings& settings, Services services) {
  CORE_TRY(const auto options, breaker_options(settings));
  return std::unique_ptr<GuardStack>(new GuardStack(options, services));
}

search::DependencyGuard& GuardStack::of(std::string_view name, std::chrono::milliseconds fair_time) {
  const auto found = std::ranges::find_if(guards_, [&](const auto& guard) { return guard->name() == name; });
  if (found != guards_.end()) return **found;
  search::DependencyGuard::Options options{.name = std::string(name), .breaker = options_, .fair_time = fair_time};
  options.breaker.seed += guards_.size();
  guards_.push_back(std::make_unique<search::DependencyGuard>(
      std::move(options),
      search::DependencyGuard::Dependencies{
          .timers = use_.timers, .clock = use_.clock, .metrics = use_.metrics, .log = &use_.log}));
  return *guards_.back();
}

void GuardStack::tell(std::vector<http::DependencyState>& states) const {
  for (http::DependencyState& state : states) {
    const auto found = std::ranges::find_if(guards_, [&](const auto& guard) { return guard->name() == state.name; });
    if (found == guards_.end()) continue;
    const core::BreakerState breaker = (*found)->state();
    state.breaker = core::to_string(breaker);
    if (breaker != core::BreakerState::kClosed && state.trouble.empty()) state.trouble = "calls failed too often of late";
  }
}

}  // namespace scalestyle::app
