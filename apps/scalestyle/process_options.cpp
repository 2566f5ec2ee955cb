#include "process_options.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "tracing_stack.hpp"

namespace scalestyle::app {

std::vector<std::string> with_process_settings(std::vector<std::string> names) {
  for (const char* name : {"host", "port", "max_connections", "idle_timeout_ms", "read_timeout_ms", "drain_timeout_ms",
                           "admin_port", "tls_certificate", "tls_key", "log_level", "log_format"}) {
    names.emplace_back(name);
  }
  return with_tracing_settings(std::move(names));
}

core::Result<telemetry::Logger::Options> log_options(const core::Settings& settings) {
  telemetry::Logger::Options options;
  CORE_TRY(options.level, telemetry::parse_log_level(settings.text("log_level")));
  const auto& format = settings.text("log_format");
  options.format = format == "auto"    ? telemetry::Logger::format_for_standard_error()
                   : format == "human" ? telemetry::LogFormat::kHuman
                                       : telemetry::LogFormat::kJson;
  return options;
}

core::Result<http::ServerOptions> server_options(const core::Settings& settings, int default_port) {
  const auto milliseconds = [&](std::string_view name) { return std::chrono::milliseconds(settings.integer(name)); };
  http::ServerOptions options;
  options.host = settings.text("host");
  options.port = static_cast<std::uint16_t>(settings.is_default("port") ? default_port : settings.integer("port"));
  if (const auto admin = settings.integer("admin_port"); admin != 0) options.admin_port = static_cast<std::uint16_t>(admin);
  options.tls_certificate = settings.text("tls_certificate");
  options.tls_key = settings.text("tls_key");
  options.max_connections = static_cast<std::size_t>(settings.integer("max_connections"));
  options.idle_timeout = milliseconds("idle_timeout_ms");
  options.header_timeout = milliseconds("read_timeout_ms");
  options.body_timeout = milliseconds("read_timeout_ms");
  options.drain_timeout = milliseconds("drain_timeout_ms");
  CORE_CHECK(options.validate());
  return options;
}

}  // namespace scalestyle::app
