#pragma once
// A whole search pipeline over a small shop, with a feature store whose content the test decides and wall time that it
// moves. Steady time is real: deadlines and budgets are.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "recommend/popularity.hpp"
#include "search/search_service.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_feature_store.hpp"
#include "support/fake_image_encoder.hpp"
#include "support/fake_text_encoder.hpp"

namespace scalestyle::search {

class MovableWallClock final : public core::Clock {
 public:
  [[nodiscard]] core::SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] core::WallTime wall_now() const override { return core::WallTime(std::chrono::milliseconds(now_ms())); }
  [[nodiscard]] events::EpochMs now_ms() const { return now_ms_.load(); }
  void advance(std::chrono::milliseconds by) { now_ms_.fetch_add(by.count()); }

 private:
  std::atomic<events::EpochMs> now_ms_{1'772'366'400'000};
};

class ListFixture : public testing::Test {
 protected:
  static constexpr int kArticles = 60;
  static inline const std::vector<std::string> kTypes{"Dress", "Shirt", "Socks", "Trousers"};

  ListFixture() { publish("a"); }
  ~ListFixture() override {
    encoder_.release();
    images_.gate().release();
    features_.read_gate().release();
    features_.popularity_gate().release();
    compute_.stop();
    services_.clear();  // the lists that they keep hold generations, which are closed in the index
  }

  static std::string id_of(int number) { return "000000" + std::to_string(1000 + number); }

  static std::vector<catalog::Article> articles() {
    std::vector<catalog::Article> list;
    for (int i = 0; i < kArticles; ++i) {
      auto article = support::make_article(std::to_string(1000 + i), "Name " + std::to_string((i * 37) % kArticles));
      article[catalog::Attribute::kColour] = i % 3 == 0 ? "Red" : "Blue";
      article[catalog::Attribute::kProductType] = kTypes[static_cast<std::size_t>(i) % kTypes.size()];
      if (i % 7 != 3) article.price = static_cast<double>((i * 13) % 20);
      article.purchase_count = i % 5 == 0 ? static_cast<std::uint64_t>(i) * 100 : 0;
      list.push_back(std::move(article));
    }
    return list;
  }

  void publish(const std::string& generation) {
    catalogs_.publish(support::make_snapshot(generation, articles(), encoder_.info()));
    core::sync_wait(holder_.refresh(core::Deadline::never())).value();
  }

  // Photos of articles have the vector of the text "photo " and their id; one article in ten has none.
  static bool has_photo(int number) { return number % 10 != 9; }
  static std::string photo_of(int number) { return "photo " + id_of(number); }
  static std::optional<std::string> photo_text(const catalog::ArticleView& article) {
    const std::string id(article.id());
    if (!has_photo(std::stoi(id))) return std::nullopt;
    return "photo " + id;
  }
  // What is published from now on has photos, where it says so.
  void look_into_photos() { holder_.look_into_pictures(photos_, images_.info()); }
  void publish_with_photos(const std::string& generation, const std::vector<catalog::Article>& list) {
    auto snapshot = std::make_shared<ports::CatalogSnapshot>(*support::make_snapshot(generation, list, encoder_.info()));
    snapshot->info.image_encoder = images_.info();
    catalogs_.publish(std::move(snapshot));
    core::sync_wait(holder_.refresh(core::Deadline::never())).value();
  }

  // A test's last service serves; earlier ones stay until the end.
  SearchService& make(SearchOptions options = {}) {
    return make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                      .timers = compute_.timers(), .clock = clock_, .metrics = metrics_, .features = &features_,
                      .popularity = &popularity_},
                     std::move(options));
  }
  SearchService& make_without_store() {
    return make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                      .timers = compute_.timers(), .clock = clock_, .metrics = metrics_},
                     {});
  }
  SearchService& make_with(SearchService::Dependencies dependencies, SearchOptions options) {
    services_.push_back(std::make_unique<SearchService>(dependencies, std::move(options)));
    return *services_.back();
  }

  static SearchRequest request(const std::string& query, const std::string& user = {}) {
    SearchRequest wanted;
    wanted.query = query;
    wanted.k = kMaxK;
    if (!user.empty()) wanted.user_id = core::UserId(user);
    return wanted;
  }
  static SearchOutcome run(SearchService& service, SearchRequest wanted) { return core::sync_wait(service.search(std::move(wanted))); }
  static SearchOutcome run(SearchService& service, BrowseRequest wanted) { return core::sync_wait(service.browse(std::move(wanted))); }
  static SearchOutcome run(SearchService& service, TrendingRequest wanted) {
    return core::sync_wait(service.trending(std::move(wanted)));
  }

  static events::Subject user(const std::string& name) { return events::Subject::user(core::UserId(name)); }
  [[nodiscard]] core::Deadline in(std::chrono::milliseconds time) const { return core::Deadline::after(time, clock_); }

  // Of a shopper who just clicked these articles.
  [[nodiscard]] events::SubjectFeatures clicks(const std::vector<int>& numbers) const {
    events::SubjectFeatures features;
    features.last_event_ms = clock_.now_ms();
    for (const int number : numbers) features.recent_items.push_back({id_of(number), clock_.now_ms(), events::EventType::kClick});
    return features;
  }

  // Live popularity of an article, known to the board after the next refresh() or follow().
  void set_popularity(int number, std::array<double, events::kWindowCount> windows, double global = 0) {
    features_.set_popularity({id_of(number), windows, {global, clock_.now_ms()}});
  }
  void refresh_popularity() { ASSERT_TRUE(core::sync_wait(popularity_.refresh(core::Deadline::never()))); }

  telemetry::Metrics metrics_;
  MovableWallClock clock_;
  std::vector<std::unique_ptr<SearchService>> services_;  // outlive the threads
  support::ComputeThreads compute_;
  support::FakeTextEncoder encoder_{compute_.pool()};
  support::FakeCatalogStore catalogs_;
  support::FakeVectorIndex index_{catalogs_, compute_.pool()};
  support::FakeFeatureStore features_{&compute_.timers()};
  recommend::Popularity popularity_{features_, clock_};
  support::FakeImageEncoder images_{compute_.pool()};  // in use from look_into_photos() on, as the next
  support::FakeVectorIndex photos_{catalogs_, compute_.pool(), photo_text};
  SnapshotHolder holder_{catalogs_, index_, encoder_.info(), &popularity_};
};

inline std::vector<std::string> ids(const SearchOutcome& outcome) {
  std::vector<std::string> list;
  for (const AnswerItem& item : outcome.value().items) list.emplace_back(item.article.id());
  return list;
}

inline std::vector<double> scores(const SearchOutcome& outcome) {
  std::vector<double> list;
  for (const AnswerItem& item : outcome.value().items) list.push_back(item.score);
  return list;
}

// Bit for bit the same list.
inline void expect_same_list(const SearchOutcome& a, const SearchOutcome& b) {
  ASSERT_TRUE(a);
  ASSERT_TRUE(b);
  EXPECT_EQ(ids(a), ids(b));
  EXPECT_EQ(scores(a), scores(b));
  EXPECT_EQ(a->total, b->total);
  for (const SearchOutcome* outcome : {&a, &b}) {
    for (const AnswerItem& item : outcome->value().items) {
      EXPECT_FALSE(item.behavior_score);
      EXPECT_TRUE(item.boosted_by.empty());
    }
  }
}

}  // namespace scalestyle::search
