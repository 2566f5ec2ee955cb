// A click changes the next answer, and time takes it back: real log, feature store, event loop and services, a clock that
// the test moves. The numbers are those of the formula of ranking/behavior_boost.hpp, computed here by themselves.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crash/event_stack.hpp"
#include "recommend/popularity.hpp"
#include "search/event_service.hpp"
#include "search/search_service.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_text_encoder.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle {
namespace {

using std::chrono::hours;

constexpr int kArticles = 30;
constexpr int kClicked = 6;
constexpr int kHalfLifeHours = 7 * 24;
constexpr double kCategoryWeight = 0.2;
constexpr double kRecentClick = 1.5;

// Score and rank by article id.
struct Place {
  double score = 0;
  std::size_t rank = 0;
  std::string boosted_by;
};
using List = std::map<std::string, Place>;

class FeedbackTest : public testing::Test {
 protected:
  FeedbackTest() { start(); }
  ~FeedbackTest() override { stop(); }

  void start() {
    stack_ = crash::EventStack::open({.folder = folder_.path()}, clock_).value();
    popularity_ = std::make_unique<recommend::Popularity>(stack_->features(), clock_);
    encoder_ = std::make_unique<support::FakeTextEncoder>(stack_->pool());
    index_ = std::make_unique<support::FakeVectorIndex>(store_, stack_->pool());
    holder_ = std::make_unique<search::SnapshotHolder>(store_, *index_, encoder_->info(), popularity_.get());
    std::vector<catalog::Article> articles;
    for (int i = 0; i < kArticles; ++i) {
      auto article = support::make_article(id(i), "name " + std::to_string(i));
      article[catalog::Attribute::kProductType] = type(i);
      articles.push_back(std::move(article));
    }
    store_.publish(support::make_snapshot("g", articles, encoder_->info()));
    core::sync_wait(holder_->refresh(core::Deadline::never())).value();
    events_ = std::make_unique<search::EventService>(
        search::EventService::Dependencies{.generations = *holder_, .log = stack_->log(), .features = stack_->features(),
                                           .impressions = stack_->impressions(), .timers = stack_->timers(), .clock = clock_,
                                           .metrics = metrics_},
        search::EventOptions{});
    search_ = std::make_unique<search::SearchService>(
        search::SearchService::Dependencies{.generations = *holder_, .encoder = *encoder_, .index = *index_, .pool = stack_->pool(),
                                            .timers = stack_->timers(), .clock = clock_, .metrics = metrics_,
                                            .features = &stack_->features(), .popularity = popularity_.get()},
        search::SearchOptions{});
  }
  void stop() {
    encoder_->release();
    stack_->close();
    search_.reset();
    events_.reset();
    holder_.reset();
    index_.reset();
    encoder_.reset();
    popularity_.reset();
    stack_.reset();
  }

  static std::string id(int number) { return std::to_string(1'000 + number); }
  static std::string type(int number) { return number % 3 == 0 ? "Dress" : number % 3 == 1 ? "Boots" : "Scarf"; }
  static std::string canonical(int number) { return "000000" + id(number); }

  events::EventReference click(const std::string& user, int number) {
    events::EventInput input;
    input.event_type = "click";
    input.user_id = user;
    input.item_id = id(number);
    input.source = "search";
    search::TrackRequest request;
    request.events = {input};
    request.single = true;
    const auto tracked = core::sync_wait(events_->track(std::move(request)));
    EXPECT_TRUE(tracked) << tracked.error().error.message;
    return events::parse_reference(tracked->front().token, "after").value();
  }

  List ask(const std::string& user, std::optional<events::EventReference> after = {}) {
    search::SearchRequest request;
    request.query = "name 1";
    request.k = kArticles;
    if (!user.empty()) request.user_id = core::UserId(user);
    request.after = after;
    const auto answer = core::sync_wait(search_->search(std::move(request)));
    EXPECT_TRUE(answer) << answer.error().error.message;
    EXPECT_EQ(answer->after_reached, after ? std::optional(true) : std::nullopt);
    List list;
    for (const auto& item : answer->items) list[std::string(item.article.id())] = {item.score, item.rank, std::string(item.boosted_by)};
    EXPECT_EQ(list.size(), static_cast<std::size_t>(kArticles));
    return list;
  }

  // Six clicks on six of the ten dresses.
  events::EventReference six_clicks(const std::string& user) {
    events::EventReference last;
    for (int i = 0; i < kClicked; ++i) last = click(user, 3 * i);
    return last;
  }

  void pass(std::chrono::seconds time) {
    clock_.advance(time);
    core::sync_wait(popularity_->refresh(core::Deadline::never())).value();
  }

  support::TemporaryFolder folder_;
  support::FakeClock clock_;
  telemetry::Metrics metrics_;
  std::unique_ptr<crash::EventStack> stack_;
  std::unique_ptr<recommend::Popularity> popularity_;
  std::unique_ptr<support::FakeTextEncoder> encoder_;
  support::FakeCatalogStore store_;
  std::unique_ptr<support::FakeVectorIndex> index_;
  std::unique_ptr<search::SnapshotHolder> holder_;
  std::unique_ptr<search::EventService> events_;
  std::unique_ptr<search::SearchService> search_;
};

void expect_equal(const List& list, const List& expected) {
  for (const auto& [article, place] : expected) {
    EXPECT_EQ(list.at(article).score, place.score) << article;
    EXPECT_EQ(list.at(article).rank, place.rank) << article;
    EXPECT_EQ(list.at(article).boosted_by, place.boosted_by) << article;
  }
}

// Of an article with `clicks` clicks in all three windows, where none has more than the floor of 50.
double popularity_factor(double clicks) { return 1 + (0.20 + 0.10 + 0.05) * std::log1p(clicks) / std::log1p(50.0); }
double category_factor(double affinity) { return 1 + kCategoryWeight * affinity / (affinity + 1); }

TEST_F(FeedbackTest, SixClicksMoveTheTypeUpAtOnceForThisUserAlone) {
  const List before = ask("");
  expect_equal(ask("ada"), before);  // nothing is known of anybody
  const auto token = six_clicks("ada");

  const List ada = ask("ada", token);
  std::size_t ranks_before = 0, ranks = 0;
  for (int i = 0; i < kArticles; ++i) {
    const auto& [score, rank, boosted_by] = ada.at(canonical(i));
    const bool is_dress = type(i) == "Dress", is_clicked = is_dress && i < 3 * kClicked;
    const double factor = (is_clicked ? kRecentClick * popularity_factor(1) : 1) * (is_dress ? category_factor(kClicked) : 1);
    EXPECT_NEAR(score, before.at(canonical(i)).score * factor, 1e-12) << i;
    EXPECT_EQ(boosted_by, is_clicked ? "recent_click" : is_dress ? "category_affinity" : "") << i;
    if (is_dress) ranks_before += before.at(canonical(i)).rank;
    if (is_dress) ranks += rank;
  }
  EXPECT_LT(ranks, ranks_before);

  const List other = ask("ben", token);
  for (int i = 0; i < kArticles; ++i) {
    const bool is_clicked = type(i) == "Dress" && i < 3 * kClicked;
    EXPECT_NEAR(other.at(canonical(i)).score, before.at(canonical(i)).score * (is_clicked ? popularity_factor(1) : 1), 1e-12) << i;
    EXPECT_EQ(other.at(canonical(i)).boosted_by, is_clicked ? "online_popularity" : "") << i;
  }
  expect_equal(ask("", token), before);
}

TEST_F(FeedbackTest, HalfLivesTakeItBackDown) {
  const List before = ask("");
  ask("ada", six_clicks("ada"));
  double affinity = kClicked;
  double last = category_factor(affinity);
  for (int half_lives = 1; half_lives <= 20; ++half_lives) {
    pass(hours(kHalfLifeHours));
    affinity /= 2;
    const List ada = ask("ada");
    for (int i = 0; i < kArticles; ++i) {
      // Clicks count as recent up to the end of the seventh day; no window of popularity reaches so far.
      const bool is_recent = half_lives == 1 && type(i) == "Dress" && i < 3 * kClicked;
      const double factor = (type(i) == "Dress" ? category_factor(affinity) : 1) * (is_recent ? kRecentClick : 1);
      EXPECT_NEAR(ada.at(canonical(i)).score, before.at(canonical(i)).score * factor, 1e-12) << i << " after " << half_lives;
    }
    EXPECT_LT(category_factor(affinity), last);
    last = category_factor(affinity);
  }
  const List ada = ask("ada");
  for (const auto& [article, place] : before) EXPECT_EQ(ada.at(article).rank, place.rank) << article;
}

TEST_F(FeedbackTest, ARestartChangesNoAnswer) {
  const auto token = six_clicks("ada");
  pass(std::chrono::minutes(7));
  const List ada = ask("ada", token), other = ask("ben");
  stop();
  start();
  expect_equal(ask("ada", token), ada);
  expect_equal(ask("ben"), other);
}

}  // namespace
}  // namespace scalestyle
