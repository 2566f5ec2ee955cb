#include "search/experiments.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace scalestyle::search {
namespace {

using Arms = std::vector<events::ExperimentArm>;

Arms arms_of(const Experiments& experiments, const std::string& user, const std::string& session = {}) {
  return experiments.arms(user.empty() ? std::nullopt : std::optional(core::UserId(user)),
                          session.empty() ? std::nullopt : std::optional(core::SessionId(session)));
}

TEST(Md5Bucket, GoldenValuesOfTheReference) {
  const std::map<std::string, std::uint32_t> of_two{
      {"user-1", 0}, {"user-2", 1},  {"user-3", 0},  {"user-42", 1},   {"user-43", 0},   {"user-1337", 0}, {"alice", 0},
      {"bob", 0},    {"charlie", 1}, {"user123", 1}, {"test-user", 1}, {"demo_user", 0}, {"a1b2c3", 1},    {"test@example.com", 0}};
  for (const auto& [user, bucket] : of_two) EXPECT_EQ(md5_bucket(user, 2), bucket) << user;
  const std::map<std::string, std::uint32_t> of_ten{{"user-42", 5}, {"user-43", 8}, {"alice", 0},
                                                    {"bob", 2},     {"charlie", 3}, {"user123", 7}};
  for (const auto& [user, bucket] : of_ten) EXPECT_EQ(md5_bucket(user, 10), bucket) << user;
  // hashlib: int(md5(b"user-42").hexdigest(), 16) % 100, and of "user-1"
  EXPECT_EQ(md5_bucket("user-42", 100), 35U);
  EXPECT_EQ(md5_bucket("user-1", 100), 20U);
  EXPECT_EQ(md5_bucket("", 2), 0U);
  EXPECT_EQ(md5_bucket("用户-é", 1), 0U);
  EXPECT_LT(md5_bucket("用户-é", 7), 7U);
}

TEST(Md5Mod, ArmsFollowTheReferenceAndNobodyIsBucketZero) {
  const auto experiments = Experiments::parse("flow=smart/base@md5_mod", "any salt");
  ASSERT_TRUE(experiments) << experiments.error().message;
  EXPECT_EQ(arms_of(*experiments, "user123"), (Arms{{"flow", "base"}}));
  EXPECT_EQ(arms_of(*experiments, "alice"), (Arms{{"flow", "smart"}}));
  EXPECT_EQ(arms_of(*experiments, ""), (Arms{{"flow", "smart"}}));
  EXPECT_EQ(arms_of(*experiments, "", "some session"), (Arms{{"flow", "smart"}}));
}

TEST(SaltedBucket, GoldenValues) {
  // hashlib: int.from_bytes(sha256(b"salt\nboost\nu:user-42").digest()[:8], "big") % 10000, and so on
  EXPECT_EQ(salted_bucket("salt", "boost", "u:user-42"), 8230U);
  EXPECT_EQ(salted_bucket("salt", "boost", "s:user-42"), 9233U);
  EXPECT_EQ(salted_bucket("", "boost", "u:user-42"), 7380U);
}

TEST(Experiments, SharesAreMetAndExperimentsAreIndependent) {
  const auto experiments = Experiments::parse("one = control:50 / boosted:30 , two=a:12.5/b:87.5", "salt");
  ASSERT_TRUE(experiments) << experiments.error().message;
  constexpr int kUsers = 20'000;
  std::map<std::string, int> counts;
  int joint = 0;
  for (int i = 0; i < kUsers; ++i) {
    bool control = false;
    for (const auto& arm : arms_of(*experiments, "user-" + std::to_string(i))) {
      ++counts[arm.experiment + "." + arm.arm];
      if (arm.arm == "control") control = true;
      if (arm.arm == "a" && control) ++joint;
    }
  }
  const auto share = [&](const std::string& arm) { return static_cast<double>(counts[arm]) / kUsers; };
  EXPECT_NEAR(share("one.control"), 0.5, 0.02);
  EXPECT_NEAR(share("one.boosted"), 0.3, 0.02);
  EXPECT_NEAR(share("two.a"), 0.125, 0.01);
  EXPECT_EQ(counts["two.a"] + counts["two.b"], kUsers);
  EXPECT_NEAR(static_cast<double>(joint) / kUsers, 0.5 * 0.125, 0.01);
}

TEST(Experiments, ArmsAreStableAndDependOnSaltAndSubject) {
  const auto first = Experiments::parse("x=a/b", "salt 1").value();
  const auto again = Experiments::parse("x=a:50/b:50@salted", "salt 1").value();
  const auto other = Experiments::parse("x=a/b", "salt 2").value();
  int moved = 0;
  int session_differs = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = std::to_string(i);
    EXPECT_EQ(arms_of(first, id), arms_of(again, id));
    EXPECT_EQ(arms_of(first, id), arms_of(first, id, "session"));
    moved += arms_of(first, id) == arms_of(other, id) ? 0 : 1;
    session_differs += arms_of(first, id) == arms_of(first, "", id) ? 0 : 1;
  }
  EXPECT_NEAR(moved, 500, 80);
  EXPECT_NEAR(session_differs, 500, 80);
  EXPECT_TRUE(arms_of(first, "").empty());
}

TEST(Experiments, NoneIsNone) {
  EXPECT_TRUE(Experiments().empty());
  EXPECT_TRUE(Experiments::parse("", "salt")->empty());
  EXPECT_TRUE(Experiments::parse("  ", "salt")->empty());
  EXPECT_TRUE(arms_of(Experiments(), "u").empty());
}

TEST(Experiments, EveryBadSettingIsRefused) {
  std::string many;
  for (int i = 0; i < 17; ++i) many += (i == 0 ? "" : ",") + ("e" + std::to_string(i)) + "=a/b";
  std::string arms = "e=a0";
  for (int i = 1; i < 17; ++i) arms += "/a" + std::to_string(i);
  for (const std::string& bad :
       {std::string("x"), std::string("x="), std::string("=a/b"), std::string("x=a:50/"), std::string("x=a:60/b:60"),
        std::string("x=a:0/b:100"), std::string("x=a:-5/b"), std::string("x=a:50/b"), std::string("x=a:"), std::string("x=a:1.234/b:1"),
        std::string("x=a:5./b:1"), std::string("x=a:.5/b:1"), std::string("x=a:1e1/b:1"), std::string("x=a:99999999999999999999"),
        std::string("x=a/a"), std::string("x=a/b,x=c/d"), std::string("x=a/b,"), std::string("x y=a/b"), std::string("x=a b/c"),
        std::string("x=a/b@md5"), std::string("x=a/b@"), std::string("x=a:60/b:40@md5_mod"), std::string("x=a:10/b:10@md5_mod"),
        std::string(65, 'x') + "=a/b", std::string("x=\xC3\xA9"), many, arms}) {
    const auto parsed = Experiments::parse(bad, "salt");
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, core::ErrorCode::kInvalidArgument);
    EXPECT_EQ(parsed.error().field, "experiments");
  }
  EXPECT_TRUE(Experiments::parse("x=a:33.33/b:33.33/c:33.33@md5_mod", ""));
}

}  // namespace
}  // namespace scalestyle::search
