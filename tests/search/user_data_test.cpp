#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "event_fixture.hpp"
#include "events/event_position.hpp"

namespace scalestyle::search {
namespace {

using UserDataTest = EventFixture;

TEST_F(UserDataTest, MergeAndPreferencesAreEventsOfTheUser) {
  const auto merged = core::sync_wait(service().merge({.user_id = "u1", .session_id = "s1"}));
  const auto wish = core::sync_wait(service().set_preferences({.user_id = "u1", .personalize = false}));
  ASSERT_TRUE(merged && wish);
  const auto kept = log_.events();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].event.type, EventType::kMerge);
  EXPECT_EQ(kept[0].event.session_id->value(), "s1");
  EXPECT_EQ(kept[0].event.subject().key(), "u:u1");
  EXPECT_EQ(kept[1].event.type, EventType::kPreferences);
  EXPECT_EQ(kept[1].event.personalize, false);
  for (const auto& one : kept) EXPECT_TRUE(events::check_event(one.event));
  EXPECT_EQ(events::parse_token(wish->token, "t")->offset, kept[1].position.offset);
}

TEST_F(UserDataTest, AKeyMakesARequestCountOnceAndCannotBeTakenByAClick) {
  auto thief = input("click", 1);
  thief.event_id = "key";
  ASSERT_TRUE(click(thief));
  const auto first = core::sync_wait(service().merge({.user_id = "u1", .session_id = "s1", .client_event_id = "key"}));
  const auto again = core::sync_wait(service().merge({.user_id = "u1", .session_id = "s1", .client_event_id = "key"}));
  ASSERT_TRUE(first && again);
  EXPECT_FALSE(first->duplicate);
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(first->token, again->token);
  EXPECT_EQ(first->event_id, "key");
  const auto off = core::sync_wait(service().set_preferences({.user_id = "u1", .personalize = false, .client_event_id = "key"}));
  const auto on = core::sync_wait(service().set_preferences({.user_id = "u1", .personalize = true, .client_event_id = "key"}));
  const auto other = core::sync_wait(service().set_preferences({.user_id = "u2", .personalize = false, .client_event_id = "key"}));
  EXPECT_FALSE(off->duplicate);
  EXPECT_FALSE(on->duplicate);
  EXPECT_FALSE(other->duplicate);
  // Without a key every request counts: a second login moves what the session did since.
  EXPECT_FALSE(core::sync_wait(service().merge({.user_id = "u1", .session_id = "s1"}))->duplicate);
  EXPECT_FALSE(core::sync_wait(service().merge({.user_id = "u1", .session_id = "s1"}))->duplicate);
}

TEST_F(UserDataTest, RequestsAboutSubjectsAreChecked) {
  EXPECT_EQ(core::sync_wait(service().merge({.user_id = "", .session_id = "s"})).error().error.field, "user_id");
  EXPECT_EQ(core::sync_wait(service().merge({.user_id = "u", .session_id = "a\nb"})).error().error.field, "session_id");
  EXPECT_EQ(core::sync_wait(service().set_preferences({.user_id = "u", .client_event_id = "a b"})).error().error.field, "event_id");
  EXPECT_EQ(core::sync_wait(service().forget({.user_id = std::string(101, 'u')})).error().error.field, "user_id");
  EXPECT_EQ(core::sync_wait(service().export_user({.user_id = "u", .cursor = "x"})).error().error.field, "cursor");
  EXPECT_EQ(core::sync_wait(service().export_user({.user_id = "u", .limit = 0})).error().error.field, "limit");
  EXPECT_EQ(core::sync_wait(service().export_user({.user_id = "u", .limit = 1'001})).error().error.field, "limit");
  EXPECT_EQ(log_.appends(), 0U);
}

TEST_F(UserDataTest, ForgettingSetsABarrierForTheUserAndEverySessionMerged) {
  auto of_session = input("click", 3);
  of_session.user_id.reset();
  of_session.session_id = "s1";
  ASSERT_TRUE(track({of_session, input("click", 1)}));
  ASSERT_TRUE(core::sync_wait(service().merge({.user_id = "u1", .session_id = "s1"})));
  ASSERT_TRUE(core::sync_wait(service().merge({.user_id = "u1", .session_id = "s2"})));
  ASSERT_TRUE(core::sync_wait(service().merge({.user_id = "u1", .session_id = "s1"})));
  features_.set_features(events::Subject::user(core::UserId("u1")), {.last_event_ms = 5});

  const auto forgotten = core::sync_wait(service().forget({.user_id = "u1"}));
  ASSERT_TRUE(forgotten) << forgotten.error().error.message;
  EXPECT_TRUE(forgotten->applied);
  EXPECT_EQ(forgotten->erasure, ports::ErasureState::kErased);
  EXPECT_EQ(forgotten->sessions, (std::vector<std::string>{"s2", "s1"}));
  EXPECT_TRUE(forgotten->sessions_complete);
  std::set<std::string> barriers;
  for (const auto& one : log_.events()) {
    if (one.event.type == EventType::kForget) barriers.insert(one.event.subject().key());
  }
  EXPECT_EQ(barriers, (std::set<std::string>{"u:u1", "s:s1", "s:s2"}));
  EXPECT_EQ(log_.events().back().event.subject().key(), "u:u1");

  const auto kept = core::sync_wait(service().export_user({.user_id = "u1"}));
  ASSERT_TRUE(kept);
  for (const auto& one : kept->events) EXPECT_EQ(one.event.type, EventType::kForget);
  EXPECT_TRUE(kept->sessions.empty());
  EXPECT_TRUE(kept->recent_items.empty());
  const auto again = core::sync_wait(service().forget({.user_id = "u1"}));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->event.duplicate);  // what came since goes too
}

TEST_F(UserDataTest, ForgettingTellsHowFarItGot) {
  log_.set_erasure(ports::ErasureState::kUnreadable);
  EXPECT_EQ(core::sync_wait(service().forget({.user_id = "u1"}))->erasure, ports::ErasureState::kUnreadable);
  log_.fail_erasure_with(core::fail(ErrorCode::kUnavailable, "away").error());
  EXPECT_EQ(core::sync_wait(service().forget({.user_id = "u1"}))->erasure, ports::ErasureState::kPending);
  log_.fail_erasure_with(std::nullopt);
  log_.on_append({});  // nothing consumes any more
  log_.erasure_gate().hold();
  const auto late = core::sync_wait(service().forget({.user_id = "u1", .client_event_id = "k", .deadline = soon()}));
  ASSERT_TRUE(late);
  EXPECT_FALSE(late->applied);
  EXPECT_EQ(late->erasure, ports::ErasureState::kPending);
  EXPECT_FALSE(late->event.token.empty());
  log_.erasure_gate().release();
  const auto again = core::sync_wait(service().forget({.user_id = "u1", .client_event_id = "k", .deadline = soon()}));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->event.duplicate);
  EXPECT_EQ(again->event.token, late->event.token);
}

TEST_F(UserDataTest, ForgettingFailsWholeWhenTheLogDoes) {
  log_.fail_history_with(core::fail(ErrorCode::kUnavailable, "away").error());
  const auto unread = core::sync_wait(service().forget({.user_id = "u1"}));
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().outcome, AppendOutcome::kNotKept);
  EXPECT_EQ(log_.appends(), 0U);
  log_.fail_history_with(core::fail(ErrorCode::kUnsupported, "not here").error());
  const auto unknown_sessions = core::sync_wait(service().forget({.user_id = "u1"}));
  ASSERT_TRUE(unknown_sessions);
  EXPECT_FALSE(unknown_sessions->sessions_complete);
  log_.fail_history_with(std::nullopt);
  log_.fail_append_with(AppendOutcome::kUnknown, ErrorCode::kUnavailable);
  EXPECT_EQ(core::sync_wait(service().forget({.user_id = "u1"})).error().outcome, AppendOutcome::kUnknown);
}

TEST_F(UserDataTest, MergedSessionsAreBounded) {
  make({.max_merged_sessions = 3});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(core::sync_wait(service().merge({.user_id = "u1", .session_id = "s" + std::to_string(i)})));
  }
  const auto forgotten = core::sync_wait(service().forget({.user_id = "u1"}));
  ASSERT_TRUE(forgotten);
  EXPECT_EQ(forgotten->sessions, (std::vector<std::string>{"s2", "s3", "s4"}));
  EXPECT_FALSE(forgotten->sessions_complete);
}

TEST_F(UserDataTest, ExportGivesEveryEventOnceByPages) {
  std::vector<std::int64_t> expected;
  const auto note = [&] { expected.push_back(log_.events().back().position.offset); };
  for (int i = 0; i < 30; ++i) {
    auto one = input("click", i % 20);
    const bool of_session = i % 3 == 0;
    if (of_session) {
      one.user_id.reset();
      one.session_id = "s1";
    }
    ASSERT_TRUE(click(one));
    if (i <= 20 || !of_session) note();  // the session was merged after the twentieth
    ASSERT_TRUE(click(input("view", 1, "someone else")));
    if (i == 20) {
      ASSERT_TRUE(core::sync_wait(service().merge({.user_id = "u1", .session_id = "s1"})));
      note();
    }
  }
  for (const std::size_t limit : {1U, 4U, 7U, 1'000U}) {
    std::vector<std::int64_t> got;
    std::string cursor;
    std::size_t pages = 0;
    do {
      const auto page = core::sync_wait(service().export_user({.user_id = "u1", .cursor = cursor, .limit = limit}));
      ASSERT_TRUE(page) << page.error().error.message;
      ASSERT_LE(page->events.size(), limit);
      for (const auto& one : page->events) got.push_back(one.position.offset);
      EXPECT_EQ(page->sessions, std::vector<std::string>{"s1"});
      cursor = page->next_cursor;
      ASSERT_LT(++pages, 100U);
    } while (!cursor.empty());
    EXPECT_EQ(got, expected) << "limit " << limit;
  }
}

TEST_F(UserDataTest, ExportHasFeaturesAsOfNowAndImpressions) {
  const events::EpochMs week = 7 * 86'400'000LL;
  events::SubjectFeatures known;
  known.personalize = false;
  known.last_event_ms = clock_.now_ms - week;
  known.recent_items = {{"0000001001", clock_.now_ms - week, EventType::kClick}};
  known.affinities = {{"Dress", {4.0, clock_.now_ms - week}}};
  features_.set_features(events::Subject::user(core::UserId("u1")), known);
  ASSERT_TRUE(track({input("impression", 1)}));
  clock_.now_ms += 10;
  ASSERT_TRUE(track({input("impression", 2), input("impression", 3, "someone else")}));
  const auto answer = core::sync_wait(service().export_user({.user_id = "u1"}));
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->personalize);
  ASSERT_EQ(answer->affinities.size(), 1U);
  EXPECT_NEAR(answer->affinities[0].score, 2.0, 1e-6);
  EXPECT_EQ(answer->recent_items, known.recent_items);
  ASSERT_EQ(answer->impressions.size(), 2U);
  EXPECT_EQ(answer->impressions[0].items[0].item_id, "0000001002");
  EXPECT_TRUE(answer->events_available);
  EXPECT_TRUE(answer->next_cursor.empty());
}

TEST_F(UserDataTest, ExportIsWholeOrAnError) {
  features_.fail_with(core::fail(ErrorCode::kUnavailable, "away").error());
  EXPECT_EQ(core::sync_wait(service().export_user({.user_id = "u1"})).error().error.code, ErrorCode::kUnavailable);
  features_.fail_with(std::nullopt);
  impressions_.fail_with(core::fail(ErrorCode::kDataLoss, "torn").error());
  EXPECT_EQ(core::sync_wait(service().export_user({.user_id = "u1"})).error().error.code, ErrorCode::kDataLoss);
  impressions_.fail_with(core::fail(ErrorCode::kUnsupported, "not here").error());
  log_.fail_history_with(core::fail(ErrorCode::kUnsupported, "not here").error());
  const auto marked = core::sync_wait(service().export_user({.user_id = "u1"}));
  ASSERT_TRUE(marked);
  EXPECT_FALSE(marked->events_available);
  EXPECT_FALSE(marked->impressions_available);
  log_.fail_history_with(std::nullopt);
  log_.history_gate().hold();
  EXPECT_EQ(core::sync_wait(service().export_user({.user_id = "u1", .deadline = soon()})).error().error.code,
            ErrorCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace scalestyle::search
