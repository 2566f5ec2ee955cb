#include "telemetry/log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace scalestyle::telemetry {

namespace {

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629); 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool overlong = lead == 0xF0 && byte(1) < 0x90;
    const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

// U+0080…U+009F are control characters too: terminals obey them.
bool is_c1_control(std::string_view sequence) {
  return sequence.size() == 2 && sequence[0] == '\xC2' && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (length == 0) {
      out += "\\ufffd";
    } else if (sequence[0] == '"' || sequence[0] == '\\') {
      out += '\\';
      out += sequence[0];
    } else if (first < 0x20 || first == 0x7F) {
      out += fmt::format("\\u{:04x}", first);
    } else if (is_c1_control(sequence)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(sequence[1]));
    } else {
      out += sequence;
    }
    text.remove_prefix(sequence.size());
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

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
      append_quoted(out, *text);
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
    append_quoted(out, message);
    for (const LogField& field : fields) {
      out += ',';
      append_quoted(out, field.key);
      out += ':';
      append_value(out, field.value, format);
    }
    out += '}';
    return out;
  }
  constexpr std::size_t kTimeOfDay = 11;  // behind "2026-03-01T"
  out += fmt::format("{} {:<7} ", timestamp.substr(kTimeOfDay, timestamp.size() - kTimeOfDay - 1), to_string(level));
  append_escaped(out, message);
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
