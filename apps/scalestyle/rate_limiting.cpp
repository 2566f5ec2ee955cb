#include "rate_limiting.hpp"

#include <algorithm>
#include <utility>

namespace scalestyle::app {

std::vector<std::string> with_rate_limit_settings(std::vector<std::string> names) {
  for (const char* name : {"rate_limit_key", "rate_limit_user", "rate_limit_address", "rate_limit_burst_s", "trusted_proxies",
                           "max_connections_per_address"}) {
    names.emplace_back(name);
  }
  return names;
}

void limit_connections(const core::Settings& settings, http::ServerOptions& options) {
  options.max_connections_per_address = static_cast<std::size_t>(settings.integer("max_connections_per_address"));
  options.trusted_proxies = settings.text("trusted_proxies");
}

core::Result<std::unique_ptr<http::RateLimits>> make_rate_limits(const core::Settings& settings, const core::Clock& clock,
                                                                 telemetry::Metrics& metrics) {
  http::RateLimitOptions options;
  options.per_second = {settings.number("rate_limit_key"), settings.number("rate_limit_user"), settings.number("rate_limit_address")};
  options.burst_seconds = settings.number("rate_limit_burst_s");
  CORE_CHECK(options.validate());
  CORE_TRY(auto proxies, http::TrustedProxies::parse(settings.text("trusted_proxies")));
  const bool limits = std::ranges::any_of(options.per_second, [](double rate) { return rate > 0; });
  if (!limits) return std::unique_ptr<http::RateLimits>();
  return std::make_unique<http::RateLimits>(options, std::move(proxies), clock, metrics);
}

}  // namespace scalestyle::app
