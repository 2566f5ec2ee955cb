#include "events/timestamp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace scalestyle::events {

namespace {

constexpr EpochMs kMinTextMs = -62'135'596'800'000;  // 0001-01-01T00:00:00Z
constexpr EpochMs kMaxTextMs = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z

// Takes text from its front; once something is missing, nothing more is read.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
        ok_ = false;
        return 0;
      }
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      ok_ = false;
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  [[nodiscard]] bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  [[nodiscard]] bool next_is_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<int> milliseconds(Scanner& scan) {
  constexpr int kMaxDigits = 9;
  if (!scan.next_is('.')) return 0;
  static_cast<void>(scan.one_of("."));
  int value = 0;
  int count = 0;
  for (; scan.next_is_digit(); ++count) {
    const int digit = scan.digits(1);
    if (count < 3) value = value * 10 + digit;
  }
  if (count == 0 || count > kMaxDigits) return std::nullopt;
  for (int i = count; i < 3; ++i) value *= 10;
  return value;
}

std::optional<std::chrono::minutes> offset(Scanner& scan) {
  const char sign = scan.one_of("Zz+-");
  if (sign == 'Z' || sign == 'z' || !scan.ok()) return std::chrono::minutes(0);
  const int hours = scan.digits(2);
  static_cast<void>(scan.one_of(":"));
  const int minutes = scan.digits(2);
  if (!scan.ok() || hours > 23 || minutes > 59) return std::nullopt;
  return std::chrono::minutes((sign == '-' ? -1 : 1) * (hours * 60 + minutes));
}

std::optional<EpochMs> parse(std::string_view text) {
  namespace chrono = std::chrono;
  Scanner scan(text);
  const int year = scan.digits(4);
  static_cast<void>(scan.one_of("-"));
  const int month = scan.digits(2);
  static_cast<void>(scan.one_of("-"));
  const int day = scan.digits(2);
  static_cast<void>(scan.one_of("Tt"));
  const int hour = scan.digits(2);
  static_cast<void>(scan.one_of(":"));
  const int minute = scan.digits(2);
  static_cast<void>(scan.one_of(":"));
  const int second = scan.digits(2);
  if (!scan.ok()) return std::nullopt;
  const auto fraction = milliseconds(scan);
  const auto shift = offset(scan);
  if (!fraction || !shift || !scan.at_end()) return std::nullopt;

  const chrono::year_month_day date{chrono::year(year), chrono::month(static_cast<unsigned>(month)),
                                    chrono::day(static_cast<unsigned>(day))};
  if (year < 1 || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const auto leap_fraction = second == 60 ? 0 : *fraction;
  const chrono::sys_time<chrono::milliseconds> time = chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) +
                                                      chrono::seconds(second) + chrono::milliseconds(leap_fraction) - *shift;
  return time.time_since_epoch().count();
}

}  // namespace

core::Result<EpochMs> parse_timestamp(std::string_view text, std::string_view field) {
  if (const auto time = parse(text)) return *time;
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("{} must be a time like 2026-03-07T10:30:45.123Z (RFC 3339), or an integer of milliseconds since 1970",
                                field),
                    std::string(field));
}

std::string to_timestamp(EpochMs time) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::milliseconds> shown{chrono::milliseconds(std::clamp(time, kMinTextMs, kMaxTextMs))};
  const auto day = chrono::floor<chrono::days>(shown);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(shown - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

EpochMs to_epoch_ms(core::WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace scalestyle::events
