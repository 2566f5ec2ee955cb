#include "telemetry/log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "telemetry/json_text.hpp"

namespace scalestyle::telemetry {

namespace {

bool is_plain_word(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

void append_value(std::string& out, const LogField::Value& value, LogFormat format) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (format == LogFormat::kHuman && is_plain_word(*text)) {
      out += *text;
    } else {
      append_json_quoted(out, *text);
    }
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out += fmt::format("{}", *integer);
  } else if (const auto* number = std::get_if<double>(&value)) {
    out += std::isfinite(*number) ? fmt::format("{:.6g}", *number) : "null";
  } else {
    out += std::get<bool>(value) ? "true" : "false";
  }
}

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "error";
}

core::Result<LogLevel> parse_log_level(std::string_view text) {
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (text == to_string(level)) return level;
  }
  return core::fail(core::ErrorCode::kInvalidArgument, "the log level must be debug, info, warning or error", "log_level");
}

std::string format_record(LogFormat format, core::WallTime time, LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields) {
  const std::string timestamp = core::to_iso8601(time);
  std::string out;
  if (format == LogFormat::kJson) {
    out += fmt::format(R"({{"time":"{}","level":"{}","message":)", timestamp, to_string(level));
    append_json_quoted(out, message);
    for (const LogField& field : fields) {
      out += ',';
      append_json_quoted(out, field.key);
      out += ':';
      append_value(out, field.value, format);
    }
    out += '}';
    return out;
  }
  constexpr std::size_t kTimeOfDay = 11;  // behind "2026-03-01T"
  out += fmt::format("{} {:<7} ", timestamp.substr(kTimeOfDay, timestamp.size() - kTimeOfDay - 1), to_string(level));
  append_json_escaped(out, message);
  for (const LogField& field : fields) {
    out += ' ';
    out += field.key;
    out += '=';
    append_value(out, field.value, format);
  }
  return out;
}

struct Logger::Sink {
  spdlog::sinks::stderr_sink_mt stream;
};

Logger::Logger(Options options, const core::Clock& clock)
    : options_(options), clock_(clock), sink_(std::make_unique<Sink>()) {
  sink_->stream.set_pattern("%v");
}
Logger::~Logger() = default;

LogFormat Logger::format_for_standard_error() {
  return ::isatty(STDERR_FILENO) == 1 ? LogFormat::kHuman : LogFormat::kJson;
}

void Logger::log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!enabled(level)) return;
  const std::string record = format_record(options_.format, clock_.wall_now(), level, message, fields);
  try {
    sink_->stream.log(spdlog::details::log_msg(spdlog::string_view_t{}, spdlog::level::info, record));
  } catch (const std::exception&) {
    return;  // a full disk or closed pipe must not stop the server
  }
}

}  // namespace scalestyle::telemetry
