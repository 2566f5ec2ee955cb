#include "doctor_check.hpp"

#include <gmock/gmock.h>

namespace scalestyle::app {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;

const Check kGood = passed("a", "all is well");
const Check kWarning = warned("b", "slow", "buy a faster one");
const Check kBad = failed("c", core::Error{.code = core::ErrorCode::kNotFound, .message = "it is gone"}, "look for it");
const Check kLeftOut = skipped("d", "not asked for");

TEST(DoctorChecks, WarningsAloneFailOnlyWhereThatIsAskedFor) {
  EXPECT_TRUE(is_good({}, true));
  EXPECT_TRUE(is_good(Checks{kGood, kLeftOut}, true));
  EXPECT_TRUE(is_good(Checks{kGood, kWarning}, false));
  EXPECT_FALSE(is_good(Checks{kGood, kWarning}, true));
  EXPECT_FALSE(is_good(Checks{kBad, kGood}, false));
}

TEST(DoctorChecks, TheReportHasEachFindingAndWhatToDo) {
  const Checks checks{kGood, kWarning, kBad, kLeftOut};
  const std::string text = describe(checks);
  EXPECT_THAT(text, HasSubstr("ok      a                  all is well\n"));
  EXPECT_THAT(text, HasSubstr("warn    b                  slow\n"));
  EXPECT_THAT(text, HasSubstr("-> buy a faster one\n"));
  EXPECT_THAT(text, HasSubstr("fail    c                  it is gone\n"));
  EXPECT_THAT(text, HasSubstr("skipped d                  not asked for\n"));
  EXPECT_THAT(summary(checks), Eq("1 ok, 1 warnings, 1 failures, 1 skipped"));
}

TEST(DoctorChecks, AnErrorSaysWhere) {
  const core::Error bare{.code = core::ErrorCode::kUnavailable, .message = "nobody answers"};
  EXPECT_EQ(failed_at("e", "host:1", bare, "look").found, "host:1: nobody answers");
  const core::Error named{.code = core::ErrorCode::kUnavailable, .message = "redis host:1: nobody answers"};
  EXPECT_EQ(failed_at("e", "host:1", named, "look").found, "redis host:1: nobody answers");
}

}  // namespace
}  // namespace scalestyle::app
