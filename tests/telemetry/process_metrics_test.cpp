#include "telemetry/process_metrics.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>

namespace scalestyle::telemetry {
namespace {

double value_of(const std::string& text, const std::string& series) {
  const std::size_t at = text.find("\n" + series + " ");
  return at == std::string::npos ? -1 : std::strtod(text.c_str() + at + series.size() + 2, nullptr);
}

TEST(ParseProcessStat, CountsFromBehindTheLastBracketOfTheName) {
  const auto times = parse_process_stat(
      "17 (a) b (c) S 1 17 17 0 -1 4194304 900 0 0 0 250 50 0 0 20 0 9 0 12345 1000 200 18446744073709551615\n", 100);
  ASSERT_TRUE(times) << times.error().message;
  EXPECT_DOUBLE_EQ(times->cpu_seconds, 3.0);
  EXPECT_EQ(times->threads, 9U);
  EXPECT_DOUBLE_EQ(times->started_after_boot_seconds, 123.45);
}

TEST(ParseProcessStat, DamageIsAnError) {
  for (const char* text : {"", "17 (a", "17 (a) S 1 2", "17 (a) S 1 17 17 0 -1 0 0 0 0 0 x 50 0 0 20 0 9 0 12345"}) {
    const auto times = parse_process_stat(text, 100);
    ASSERT_FALSE(times) << text;
    EXPECT_EQ(times.error().code, core::ErrorCode::kDataLoss);
  }
}

TEST(ShowProcess, TellsOfThisProcess) {
  Metrics metrics;
  show_process(metrics, {.version = "1.2.3", .role = "serve"});
  const std::string text = metrics.render();
  EXPECT_GE(value_of(text, "process_open_fds"), 3);
  EXPECT_GE(value_of(text, "process_max_fds"), value_of(text, "process_open_fds"));
  EXPECT_GT(value_of(text, "process_resident_memory_bytes"), 1 << 20);
  EXPECT_GT(value_of(text, "process_virtual_memory_bytes"), value_of(text, "process_resident_memory_bytes"));
  EXPECT_GE(value_of(text, "process_threads"), 1);
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const double started = value_of(text, "process_start_time_seconds");
  EXPECT_LE(started, now + 1);
  EXPECT_GT(started, now - 86'400);
  EXPECT_NE(text.find(R"(role="serve",version="1.2.3"} 1)"), std::string::npos) << text;
}

TEST(ShowProcess, CpuTimeOnlyGrows) {
  Metrics metrics;
  show_process(metrics, {});
  const double before = value_of(metrics.render(), "process_cpu_seconds_total");
  EXPECT_GE(before, 0);
  EXPECT_GE(value_of(metrics.render(), "process_cpu_seconds_total"), before);
}

TEST(ShowDiskSpace, OfTheFoldersFileSystem) {
  Metrics metrics;
  show_disk_space(metrics, "/");
  const std::string text = metrics.render();
  EXPECT_GT(value_of(text, "scalestyle_data_size_bytes"), 0);
  EXPECT_LE(value_of(text, "scalestyle_data_free_bytes"), value_of(text, "scalestyle_data_size_bytes"));
}

TEST(ShowDiskSpace, NoFolderShowsNothing) {
  Metrics metrics;
  show_disk_space(metrics, "");
  EXPECT_EQ(metrics.render().find("scalestyle_data"), std::string::npos);
}

}  // namespace
}  // namespace scalestyle::telemetry
