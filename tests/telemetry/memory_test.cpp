#include "telemetry/memory.hpp"

#include <gtest/gtest.h>

#include <string>

namespace scalestyle::telemetry {
namespace {

TEST(ParseSmaps, CountsFilesByNameAndTheRestAsAnonymous) {
  const auto memory = parse_smaps(
      "55a000000000-55a000001000 r--p 00000000 08:01 11 /usr/bin/a program\nRss:   8 kB\nAnonymous:   0 kB\nVmFlags: rd\n"
      "55a000001000-55a000002000 rw-p 00000000 08:01 11 /usr/bin/a program\nRss:   4 kB\nAnonymous:   4 kB\n"
      "7f0000000000-7f0000100000 r--s 00000000 08:01 12 /data/vectors.i8\nRss:   100 kB\nAnonymous:   0 kB\n"
      "7f0000200000-7f0000300000 rw-p 00000000 00:00 0 \nRss:   50 kB\nAnonymous:   50 kB\n"
      "7f0000300000-7f0000400000 rw-p 00000000 00:00 0 [heap]\nRss:   6 kB\nAnonymous:   6 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total_bytes, 168U * 1024);
  EXPECT_EQ(memory->anonymous_bytes, 60U * 1024);
  ASSERT_EQ(memory->files.size(), 2U);
  EXPECT_EQ(memory->files[0].path, "/data/vectors.i8");
  EXPECT_EQ(memory->files[0].resident_bytes, 100U * 1024);
  EXPECT_EQ(memory->files[1].path, "/usr/bin/a program");
  EXPECT_EQ(memory->files[1].resident_bytes, 8U * 1024);
}

TEST(ParseSmaps, DamageIsAnError) {
  const auto memory = parse_smaps("7f0000000000-7f0000100000 r--s 00000000 08:01 12 /a\nRss: many kB\n");
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().code, core::ErrorCode::kDataLoss);
}

TEST(ReadResidentMemory, SeesThisProcess) {
  const auto memory = read_resident_memory();
  ASSERT_TRUE(memory) << memory.error().message;
  EXPECT_GT(memory->total_bytes, 1024U * 1024);
  EXPECT_GT(memory->anonymous_bytes, 0U);
  EXPECT_FALSE(memory->files.empty());
}

TEST(OwnerOf, GoesByTheFilesName) {
  EXPECT_EQ(owner_of("/models/bge-small-en-v1.5/model.safetensors"), "models");
  EXPECT_EQ(owner_of("/data/generations/20261130-1/vectors.i8"), "generation");
  EXPECT_EQ(owner_of("/usr/lib/libc.so.6"), "program");
}

TEST(ShowResidentMemory, IsReadOnEveryRender) {
  Metrics metrics;
  show_resident_memory(metrics);
  const std::string text = metrics.render();
  EXPECT_NE(text.find("scalestyle_process_resident_bytes{kind=\"anonymous\"} "), std::string::npos);
  EXPECT_EQ(text.find("{kind=\"total\"} 0\n"), std::string::npos);
  EXPECT_NE(text.find("scalestyle_memory_bytes{owner=\"mapped_program\"} "), std::string::npos);
  EXPECT_EQ(text.find("{owner=\"mapped_program\"} 0\n"), std::string::npos);
}

}  // namespace
}  // namespace scalestyle::telemetry
