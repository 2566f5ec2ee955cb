#include "telemetry/log.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>

namespace scalestyle::telemetry {
namespace {

const core::WallTime kTime{std::chrono::seconds(1'772'366'400)};  // 2026-03-01T12:00:00Z

TEST(FormatRecord, Json) {
  EXPECT_EQ(format_record(LogFormat::kJson, kTime, LogLevel::kInfo, "ready", {{"port", 8080}, {"seconds", 1.5}, {"cold", false}, {"role", "all"}}),
            R"({"time":"2026-03-01T12:00:00.000Z","level":"info","message":"ready","port":8080,"seconds":1.5,"cold":false,"role":"all"})");
  EXPECT_EQ(format_record(LogFormat::kJson, kTime, LogLevel::kError, "x", {{"n", std::numeric_limits<double>::quiet_NaN()}}),
            R"({"time":"2026-03-01T12:00:00.000Z","level":"error","message":"x","n":null})");
}

TEST(FormatRecord, Human) {
  EXPECT_EQ(format_record(LogFormat::kHuman, kTime, LogLevel::kWarning, "late answer", {{"took_ms", 12}, {"cause", "no worker"}, {"path", "/a"}}),
            "12:00:00.000 warning late answer took_ms=12 cause=\"no worker\" path=/a");
}

TEST(FormatRecord, NothingFromOutsideBeginsARecordOrMovesTheCursor) {
  const std::string hostile = "a\nlevel=error \"q\" \\ \x1B[2J \x7F \xC2\x9B \xFF \xE2\x80";
  for (const LogFormat format : {LogFormat::kJson, LogFormat::kHuman}) {
    const std::string record = format_record(format, kTime, LogLevel::kInfo, hostile, {{"key", hostile}});
    for (const char c : record) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << record;
    EXPECT_EQ(record.find('\x7F'), std::string::npos);
    EXPECT_EQ(record.find("\xC2\x9B"), std::string::npos);
    EXPECT_EQ(record.find('\xFF'), std::string::npos);
  }
  EXPECT_NE(format_record(LogFormat::kJson, kTime, LogLevel::kInfo, "ü 👗", {}).find("\"ü 👗\""), std::string::npos);
}

TEST(ParseLogLevel, KnowsItsNames) {
  EXPECT_EQ(parse_log_level("warning"), LogLevel::kWarning);
  EXPECT_FALSE(parse_log_level("loud"));
}

TEST(Logger, WritesLinesAtAndAboveItsLevel) {
  const core::SystemClock clock;
  testing::internal::CaptureStderr();
  Logger log({LogLevel::kWarning, LogFormat::kJson}, clock);
  log.info("quiet");
  log.warning("heard", {{"n", 1}});
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_EQ(written.find("quiet"), std::string::npos);
  EXPECT_NE(written.find("\"message\":\"heard\",\"n\":1}\n"), std::string::npos) << written;
}

}  // namespace
}  // namespace scalestyle::telemetry
