#include "core/task.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace scalestyle::core {
namespace {

Task<int> number(int value) { co_return value; }

Task<int> sum(int left, int right) {
  const int first = co_await number(left);
  const int second = co_await number(right);
  co_return first + second;
}

TEST(Task, AwaitsChildrenInOrder) { EXPECT_EQ(sync_wait(sum(2, 3)), 5); }

TEST(Task, IsLazyAndDroppedUnstartedWithoutRunning) {
  bool ran = false;
  const auto make = [](bool& flag) -> Task<int> {
    flag = true;
    co_return 1;
  };
  { auto dropped = make(ran); }
  EXPECT_FALSE(ran);
}

TEST(Task, DeepChainsDoNotGrowTheStack) {
  struct Recursion {
    static Task<int> down(int depth) {
      if (depth == 0) co_return 0;
      co_return 1 + co_await down(depth - 1);
    }
  };
  EXPECT_EQ(sync_wait(Recursion::down(2'000)), 2'000);
}

TEST(Task, RethrowsTheExceptionOfAChild) {
  const auto thrower = []() -> Task<int> {
    throw std::runtime_error("broken");
    co_return 0;
  };
  const auto outer = [&]() -> Task<std::string> {
    try {
      co_await thrower();
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "nothing";
  };
  EXPECT_EQ(sync_wait(outer()), "broken");
}

TEST(Task, AnEscapedExceptionBecomesAnInternalError) {
  const auto thrower = []() -> Task<Result<int>> {
    throw std::runtime_error("broken");
    co_return 0;
  };
  const auto result = sync_wait(thrower());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInternal);
  EXPECT_EQ(result.error().message, "broken");
}

TEST(Task, MovesValuesThatCannotBeCopied) {
  const auto make = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  EXPECT_EQ(*sync_wait(make()), 7);
}

Task<std::string> await_shot(OneShot<std::string>& shot) { co_return co_await shot; }

TEST(OneShot, DeliversWhenSetBeforeAndAfterTheAwait) {
  OneShot<std::string> before;
  before.set("early");
  EXPECT_EQ(sync_wait(await_shot(before)), "early");

  OneShot<std::string> after;
  std::thread setter([&] { after.set("late"); });
  EXPECT_EQ(sync_wait(await_shot(after)), "late");
  setter.join();
}

TEST(OneShot, SettingRacesWithAwaiting) {
  for (int round = 0; round < 2'000; ++round) {
    OneShot<int> shot;
    std::thread setter([&] { shot.set(round); });
    const auto wait = [&]() -> Task<int> { co_return co_await shot; };
    EXPECT_EQ(sync_wait(wait()), round);
    setter.join();
  }
}

TEST(Operation, DroppingItStopsTheWholeChainAndSilencesTheCallback) {
  OneShot<int> shot;
  bool stop_seen = false;
  bool called = false;
  const auto inner = [&]() -> Task<int> {
    const auto stop = co_await current_stop_token();
    const int value = co_await shot;
    stop_seen = stop.stop_requested();
    co_return value;
  };
  const auto outer = [&]() -> Task<int> { co_return co_await inner(); };
  { auto operation = start(outer(), [&](int) { called = true; }); }
  shot.set(1);
  EXPECT_TRUE(stop_seen);
  EXPECT_FALSE(called);
}

TEST(Operation, DetachedItRunsToItsEnd) {
  OneShot<int> shot;
  int delivered = 0;
  const auto wait = [&]() -> Task<int> { co_return co_await shot; };
  start(wait(), [&](int value) { delivered = value; }).detach();
  shot.set(9);
  EXPECT_EQ(delivered, 9);
}

TEST(Operation, AssigningOverItStopsTheFormerOne) {
  OneShot<int> first, second;
  std::vector<int> delivered;
  const auto wait = [](OneShot<int>& shot) -> Task<int> { co_return co_await shot; };
  auto operation = start(wait(first), [&](int value) { delivered.push_back(value); });
  operation = start(wait(second), [&](int value) { delivered.push_back(value); });
  first.set(1);
  second.set(2);
  EXPECT_EQ(delivered, std::vector<int>{2});
}

class NamedContext final : public TaskContext {
 public:
  explicit NamedContext(std::string its_name) : name(std::move(its_name)) {}
  const std::string name;
};

Task<std::string> name_of_context() {
  const std::shared_ptr<TaskContext> context = co_await current_context();
  const auto* const named = dynamic_cast<const NamedContext*>(context.get());
  co_return named == nullptr ? "none" : named->name;
}

Task<std::string> names_below() {
  const std::string before = co_await name_of_context();
  Task<std::string> other = with_context(std::make_shared<NamedContext>("inner"), name_of_context());
  const std::string inner = co_await std::move(other);
  const std::string after = co_await name_of_context();
  co_return before + " " + inner + " " + after;
}

TEST(Context, GoesToAllTasksBelowAndNoFurther) {
  std::string names;
  start(names_below(), [&](std::string&& told) { names = told; }, std::make_shared<NamedContext>("outer")).detach();
  EXPECT_EQ(names, "outer inner outer");
  EXPECT_EQ(sync_wait(name_of_context()), "none");
  EXPECT_EQ(sync_wait(names_below()), "none inner none");
}

TEST(Context, LivesAsLongAsTheTask) {
  OneShot<int> shot;
  auto context = std::make_shared<NamedContext>("kept");
  const std::weak_ptr<NamedContext> watched = context;
  std::string name;
  const auto wait = [&]() -> Task<std::string> {
    co_await shot;
    co_return co_await name_of_context();
  };
  start(wait(), [&](std::string&& told) { name = told; }, std::move(context)).detach();
  EXPECT_FALSE(watched.expired());
  shot.set(1);
  EXPECT_EQ(name, "kept");
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace scalestyle::core
