// Shapes in which a folder holds only the log, or only the features.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "event_server.hpp"
#include "fake_event_stream.hpp"
#include "support/fake_feature_store.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::consumer {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class MixedEventsTest : public testing::Test {
 protected:
  // With an id, as a log wants one.
  static events::Event named(events::Event event) {
    static int next = 0;
    event.event_id = "event-" + std::to_string(++next);
    return event;
  }
  MixedEventsTest() { testing::internal::CaptureStderr(); }
  ~MixedEventsTest() override {
    const std::string log = testing::internal::GetCapturedStderr();
    if (HasFailure()) std::fputs(log.c_str(), stderr);
  }
  support::TemporaryFolder folder_;
  MovedClock clock_;
};

TEST_F(MixedEventsTest, ALogWhoseFeaturesAreElsewhereTakesEffectThere) {
  support::FakeFeatureStore store;
  store.apply_durably(true);
  EventServer server(folder_.path(), clock_, 1h);
  server.options().features_elsewhere = &store;
  ASSERT_TRUE(server.start());
  const auto last = server.append({named(support::click("ann", "0000000001", "Dress", clock_.now_ms)),
                                   named(support::click("bob", "0000000002", "Dress", clock_.now_ms))});
  EXPECT_EQ(store.applied_events().size(), 2U) << "applied as part of the commit";
  server.wait_until([&](const auto& figures) { return figures.committed_offset == last.offset; });
  EXPECT_FALSE(std::filesystem::exists(folder_ / "features.db"));
  clock_.now_ms += 2 * 3'600'000;
  server.append({named(support::click("ann", "0000000003", "Dress", clock_.now_ms))});
  server.wait_until([&](const auto& figures) { return figures.removed_through == last.offset; });
}

TEST_F(MixedEventsTest, AForgottenSubjectIsErasedFromSuchALogToo) {
  support::FakeFeatureStore store;
  store.apply_durably(true);
  EventServer server(folder_.path(), clock_);
  server.options().features_elsewhere = &store;
  ASSERT_TRUE(server.start());
  server.append({named(support::click("ann", "0000000001", "Dress", clock_.now_ms))});
  const auto barrier = server.append({named(support::forget("ann", clock_.now_ms))});
  const auto erased = core::sync_wait(server.events().log().wait_erased(barrier, core::Deadline::never()));
  ASSERT_TRUE(erased);
  EXPECT_EQ(*erased, ports::ErasureState::kErased);
}

class FeaturesOfAnotherLog : public MixedEventsTest {
 protected:
  std::unique_ptr<EventServer> serve() {
    auto server = std::make_unique<EventServer>(folder_.path(), clock_);
    server->options().stream = &stream_;
    const auto started = server->start();
    EXPECT_TRUE(started) << (started ? "" : started.error().message);
    return server;
  }
  support::ComputeThreads threads_;
  support::FakeEventStream stream_{threads_.timers(), clock_};
};

TEST_F(FeaturesOfAnotherLog, GoOnFromTheirCheckpoint) {
  stream_.append("a");
  stream_.append("b", 1);
  {
    const auto server = serve();
    EXPECT_EQ(server->events().features().usage().items, 1U);
    while (stream_.commits().size() < 2) std::this_thread::sleep_for(1ms);  // a test that hangs here is ended by its time limit
    server->stop();
  }
  stream_.append("c", 1);
  const auto server = serve();
  EXPECT_THAT(stream_.seeks(), testing::IsSupersetOf({events::EventPosition{"fake", 0, 1}, events::EventPosition{"fake", 1, 1}}));
  const auto applied = server->events().features().applied();
  EXPECT_THAT(applied, testing::UnorderedElementsAre(events::EventPosition{"fake", 0, 1}, events::EventPosition{"fake", 1, 2}));
}

TEST_F(FeaturesOfAnotherLog, BeginAnewWhereTheirCheckpointCannotBeRead) {
  std::ofstream(folder_ / "features.db") << std::string(8192, 'x');
  stream_.append("a");
  const auto server = serve();
  EXPECT_EQ(server->events().features().usage().items, 1U);
  bool put_aside = false;
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    put_aside = put_aside || file.path().filename().string().starts_with("features.damaged-");
  }
  EXPECT_TRUE(put_aside);
}

TEST_F(FeaturesOfAnotherLog, AreOneProcessAlone) {
  const auto server = serve();
  EventServer second(folder_.path(), clock_);
  support::FakeEventStream stream(threads_.timers(), clock_);
  second.options().stream = &stream;
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, core::ErrorCode::kFailedPrecondition);
}

TEST_F(MixedEventsTest, SomethingMustBeInTheFolder) {
  support::ComputeThreads threads;
  support::FakeEventStream stream(threads.timers(), clock_);
  support::FakeFeatureStore store;
  EventServer server(folder_.path(), clock_);
  server.options().stream = &stream;
  server.options().features_elsewhere = &store;
  const auto started = server.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("neither"));
}

}  // namespace
}  // namespace scalestyle::consumer
