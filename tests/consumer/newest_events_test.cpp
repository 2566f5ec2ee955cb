// What a server looks back at when it starts, beside the log that it has open; and what the loop tells its observer.

#include "consumer/newest_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "event_server.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::consumer {
namespace {

using testing::ElementsAre;

class NewestEventsTest : public testing::Test {
 protected:
  NewestEventsTest() { testing::internal::CaptureStderr(); }
  ~NewestEventsTest() override {
    const std::string log = testing::internal::GetCapturedStderr();
    if (HasFailure()) std::fputs(log.c_str(), stderr);
  }

  std::unique_ptr<EventServer> serve() {
    auto server = std::make_unique<EventServer>(folder_.path(), clock_);
    server->options().observer = [this](std::span<const events::LoggedEvent> taken) {
      const std::lock_guard lock(mutex_);
      for (const auto& one : taken) told_.push_back(one.event.event_id);
    };
    const auto started = server->start();
    EXPECT_TRUE(started) << (started ? "" : started.error().message);
    return server;
  }
  // Events "0", "1" … a minute apart.
  void append(EventServer& server, int count) {
    for (int i = 0; i < count; ++i, ++next_) {
      auto event = support::click("ann", "0108775015", "Dress", clock_.now_ms);
      event.event_id = std::to_string(next_);
      server.append({event});
      clock_.now_ms += 60'000;
    }
  }
  std::vector<std::string> read(NewestEvents wanted, std::size_t stop_after = 1'000) {
    wanted.folder = folder_.path();
    std::vector<std::string> ids;
    const auto count = read_newest_events(wanted, [&](std::span<const events::LoggedEvent> some) {
      for (const auto& one : some) ids.push_back(one.event.event_id);
      return ids.size() < stop_after;
    });
    EXPECT_TRUE(count) << (count ? "" : count.error().message);
    return ids;
  }

  support::TemporaryFolder folder_;
  MovedClock clock_;
  std::mutex mutex_;
  std::vector<std::string> told_;
  int next_ = 0;
};

TEST_F(NewestEventsTest, AreReadBesideTheOpenLogAsFarAsAskedFor) {
  const auto server = serve();
  append(*server, 6);
  EXPECT_EQ(read({}).size(), 6U);
  EXPECT_THAT(read({.limit = 2}), ElementsAre("4", "5"));
  EXPECT_THAT(read({.received_from_ms = support::kFeatureNowMs + 3 * 60'000}), ElementsAre("3", "4", "5"));
  EXPECT_TRUE(read({.received_from_ms = clock_.now_ms}).empty());
}

TEST_F(NewestEventsTest, OfNoLogAreAnError) {
  const auto read = read_newest_events({.folder = folder_.path()}, [](auto) { return true; });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, core::ErrorCode::kNotFound);
}

TEST_F(NewestEventsTest, TheObserverOfAServerIsToldEachEventOnce) {
  {
    const auto server = serve();
    append(*server, 3);
    EXPECT_THAT(told_, ElementsAre("0", "1", "2"));  // before the append was answered
    server->stop();
  }
  told_.clear();
  const auto server = serve();  // all of them are in its checkpoint
  append(*server, 1);
  EXPECT_THAT(told_, ElementsAre("3"));
}

}  // namespace
}  // namespace scalestyle::consumer
