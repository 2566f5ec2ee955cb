#pragma once
// The limits of what one client may ask for, from the settings.

#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "http/rate_limits.hpp"
#include "http/server_options.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

[[nodiscard]] std::vector<std::string> with_rate_limit_settings(std::vector<std::string> names);

// The limit of connections of one client address.
void limit_connections(const core::Settings& settings, http::ServerOptions& options);

// Null where no limit is set. Clock and metrics must outlive it.
[[nodiscard]] core::Result<std::unique_ptr<http::RateLimits>> make_rate_limits(const core::Settings& settings, const core::Clock& clock,
                                                                               telemetry::Metrics& metrics);

}  // namespace scalestyle::app
