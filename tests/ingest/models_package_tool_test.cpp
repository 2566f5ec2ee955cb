#include "ingest/models/package_tool.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "core/files.hpp"
#include "ingest/models/model_store.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::ingest::models {
namespace {

using core::Deadline;
using core::ErrorCode;
using namespace std::chrono_literals;

class ModelsRunProgramTest : public ::testing::Test {
 protected:
  core::Status run(const std::vector<std::string>& arguments, std::chrono::nanoseconds limit = 20s) {
    return run_program(arguments, folder_ / "log", Deadline::after(limit, clock_), clock_);
  }
  support::TemporaryFolder folder_;
  core::SystemClock clock_;
};

TEST_F(ModelsRunProgramTest, SuccessFailureAndLastWords) {
  EXPECT_TRUE(run({"true"}));
  ASSERT_TRUE(run({"printf", "%s", "a; $HOME `b`"}));
  EXPECT_EQ(core::read_text_file(folder_ / "log", 1000).value(), "a; $HOME `b`");  // no shell in between
  const auto failed = run({"sh", "-c", "echo first; printf '\\033[1mwhy it failed\\n' >&2; exit 3"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(failed.error().message.find("exit code 3"), std::string::npos) << failed.error().message;
  EXPECT_NE(failed.error().message.find("why it failed"), std::string::npos);
  EXPECT_EQ(failed.error().message.find('\033'), std::string::npos);
}

TEST_F(ModelsRunProgramTest, MissingProgramsAreNamed) {
  const auto status = run({"no-such-program-here"});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  EXPECT_NE(status.error().message.find("no-such-program-here"), std::string::npos);
}

TEST_F(ModelsRunProgramTest, TheDeadlineEndsIt) {
  const auto begin = std::chrono::steady_clock::now();
  const auto status = run({"sleep", "60"}, 100ms);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST(ModelsInstalled, TheFetchedEmbeddingModelIsGood) {
  SCALESTYLE_NEED(support::models_dir() / "bge-small-en-v1.5" / "model.safetensors");
  const auto model = open_model(support::models_dir(), "bge-small-en-v1.5");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->weights_sha256.size(), 64U);
}

TEST(ModelsInstalled, WhatIsNotThereSaysHowToGetIt) {
  const support::TemporaryFolder folder;
  const auto missing = open_model(folder.path(), "bge-small-en-v1.5");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find("scalestyle models fetch bge-small-en-v1.5"), std::string::npos);
  ASSERT_TRUE(core::make_folders(folder / "bge-small-en-v1.5"));
  ASSERT_TRUE(core::write_file_atomically(folder / "bge-small-en-v1.5" / "config.json", "{}"));
  const auto damaged = open_model(folder.path(), "bge-small-en-v1.5");
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::kDataLoss);
  EXPECT_NE(damaged.error().message.find("config.json is damaged"), std::string::npos) << damaged.error().message;
  EXPECT_EQ(open_model(folder.path(), "nonsense").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace scalestyle::ingest::models
