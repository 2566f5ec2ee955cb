#pragma once
// What every long-running role takes from the settings: its log, its traces and its HTTP server.

#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/settings.hpp"
#include "http/server_options.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::app {

// `names` and the settings of these.
[[nodiscard]] std::vector<std::string> with_process_settings(std::vector<std::string> names);

// kInvalidArgument with the setting as field.
[[nodiscard]] core::Result<telemetry::Logger::Options> log_options(const core::Settings& settings);
// `port`: where the setting is left alone.
[[nodiscard]] core::Result<http::ServerOptions> server_options(const core::Settings& settings, int default_port);

}  // namespace scalestyle::app
