#include "core/request_steps.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace scalestyle::core {
namespace {

TEST(RequestStepsTest, EveryStepHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kRequestStepCount; ++i) names.insert(to_string(static_cast<RequestStep>(i)));
  EXPECT_EQ(names.size(), kRequestStepCount);
  EXPECT_FALSE(names.contains(""));
}

TEST(RequestStepsTest, AddsUpWhatAllThreadsTook) {
  RequestSteps steps;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&steps] {
      for (int i = 0; i < 1'000; ++i) steps.add(RequestStep::kScan, std::chrono::nanoseconds(3));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(steps.total(RequestStep::kScan), std::chrono::nanoseconds(12'000));
  EXPECT_EQ(steps.total(RequestStep::kRescore), std::chrono::nanoseconds(0));
}

TEST(RequestStepsTest, ATimerAddsItsScope) {
  const auto before = request_steps().total(RequestStep::kJson);
  {
    const StepTimer timer(RequestStep::kJson);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_GE(request_steps().total(RequestStep::kJson) - before, std::chrono::milliseconds(2));
}

}  // namespace
}  // namespace scalestyle::core
