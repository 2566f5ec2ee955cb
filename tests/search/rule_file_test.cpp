#include "search/rule_file.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "search/list_fixture.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::search {
namespace {

using testing::HasSubstr;

class RuleFileTest : public ListFixture {
 protected:
  // Another time each, so that the change is seen however quick the test is.
  void write(const std::string& text) {
    std::ofstream(path_) << text;
    std::filesystem::last_write_time(path_, std::filesystem::file_time_type(std::chrono::seconds(1'700'000'000 + ++version_)));
  }
  static std::string hiding(const std::string& colour) {
    return R"({"rules": [{"id": "hide", "then": {"hide": {"colour": ")" + colour + "\"}}}]}";
  }

  support::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "rules.json";
  int version_ = 0;
};

TEST_F(RuleFileTest, AChangeIsFollowedAndAWrongFileChangesNothing) {
  EXPECT_EQ(RuleFile::open(path_).error().code, core::ErrorCode::kNotFound);
  write(hiding("Red"));
  const auto file = RuleFile::open(path_).value();
  const auto first = file->current();
  EXPECT_FALSE(file->follow().value());

  write(hiding("Blue") + "x");
  EXPECT_THAT(file->follow().error().message, HasSubstr("rules.json:1: nothing is expected"));
  EXPECT_THAT(file->last_error(), HasSubstr("rules.json:1:"));
  EXPECT_FALSE(file->follow().value());  // the same file is not tried again
  EXPECT_FALSE(file->last_error().empty());
  EXPECT_EQ(file->current(), first);

  write(hiding("Blue"));
  EXPECT_TRUE(file->follow().value());
  EXPECT_TRUE(file->last_error().empty());
  EXPECT_NE(file->current(), first);

  std::filesystem::rename(path_, folder_ / "away.json");
  EXPECT_FALSE(file->follow());
  EXPECT_FALSE(file->last_error().empty());
  std::filesystem::rename(folder_ / "away.json", path_);
  EXPECT_FALSE(file->follow().value());
  EXPECT_TRUE(file->last_error().empty());
}

TEST_F(RuleFileTest, RulesAreBoundOnceAGenerationAndVersion) {
  write(hiding("Red"));
  const auto file = RuleFile::open(path_).value();
  auto generation = holder_.serving();
  const auto bound = file->on(generation).value();
  EXPECT_EQ(file->on(generation).value(), bound);
  EXPECT_TRUE(bound->match({}, nullptr).is_hidden({0}));

  write(hiding("Blue"));
  ASSERT_TRUE(file->follow().value());
  const auto next = file->on(generation).value();
  EXPECT_NE(next, bound);
  EXPECT_FALSE(next->match({}, nullptr).is_hidden({0}));
  EXPECT_TRUE(bound->match({}, nullptr).is_hidden({0}));  // a request in progress keeps what it has

  publish("b");
  const auto newer = file->on(holder_.serving()).value();
  EXPECT_NE(newer, next);
  EXPECT_EQ(&newer->rules(), &next->rules());
}

}  // namespace
}  // namespace scalestyle::search
