#pragma once
// Structured logs: one record a line, as JSON for machines or readable text for people.
//
// Values may come from outside: control characters, quotes and ill-formed UTF-8 are escaped, so that no value can
// begin a new record or move a terminal's cursor. Keys are the program's own.
// Thread safety: log() may be called from any thread; records do not interleave. A record takes one write of the
// stream on the calling thread; a failing stream drops it.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace scalestyle::telemetry {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
[[nodiscard]] std::string_view to_string(LogLevel level);
[[nodiscard]] core::Result<LogLevel> parse_log_level(std::string_view text);  // "debug" | "info" | "warning" | "error"

enum class LogFormat : std::uint8_t { kHuman, kJson };

struct LogField {
  using Value = std::variant<std::string_view, std::int64_t, double, bool>;

  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, const std::string& text) : key(name), value(std::string_view(text)) {}
  LogField(std::string_view name, bool flag) : key(name), value(flag) {}
  LogField(std::string_view name, double number) : key(name), value(number) {}
  template <std::integral Integer>
    requires(!std::same_as<Integer, bool>)
  LogField(std::string_view name, Integer number) : key(name), value(static_cast<std::int64_t>(number)) {}

  std::string_view key;
  Value value;
};

// One record without its line end. Human: `12:00:00.123 INFO  message key=value`; JSON: {"time":…,"level":…,"message":…,…}.
[[nodiscard]] std::string format_record(LogFormat format, core::WallTime time, LogLevel level, std::string_view message,
                                        std::initializer_list<LogField> fields);

class Logger {
 public:
  struct Options {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kJson;
  };

  // Writes to standard error.
  Logger(Options options, const core::Clock& clock);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  // kHuman when standard error is a terminal.
  [[nodiscard]] static LogFormat format_for_standard_error();

  [[nodiscard]] bool enabled(LogLevel level) const { return level >= options_.level; }
  void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) { log(LogLevel::kInfo, message, fields); }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::kWarning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) { log(LogLevel::kError, message, fields); }

 private:
  struct Sink;
  Options options_;
  const core::Clock& clock_;
  std::unique_ptr<Sink> sink_;
};

}  // namespace scalestyle::telemetry
