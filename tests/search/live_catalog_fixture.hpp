#pragma once
// A live catalogue over a small shop, with its threads, and a search service that looks at it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catalog/product_text.hpp"
#include "recommend/popularity.hpp"
#include "search/live_catalog.hpp"
#include "search/search_service.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_catalog_changes.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_feature_store.hpp"
#include "support/fake_image_encoder.hpp"
#include "support/fake_text_encoder.hpp"

namespace scalestyle::search {

class LiveCatalogFixture : public testing::Test {
 protected:
  using Kind = catalog::ChangeKind;

  // `shared`: other servers change the same articles.
  explicit LiveCatalogFixture(bool shared = false) : changes_(shared) { start(); }
  ~LiveCatalogFixture() override {
    encoder_.release();
    stop();
    compute_.stop();
    // All of them hold generations, which are closed in the index.
    services_.clear();
    lives_.clear();
    old_holders_.clear();
  }

  // A new LiveCatalog over the same files, as after a restart.
  void start(LiveCatalogOptions options = {}) {
    holder_ = std::make_unique<SnapshotHolder>(store_, index_, encoder_.info(), &popularity_);
    holder_->look_into_pictures(photos_, images_.info());
    lives_.push_back(std::make_unique<LiveCatalog>(
        LiveCatalog::Dependencies{*holder_, changes_, encoder_, compute_.timers(), compute_.clock(), metrics_, log_}, options));
    live_ = lives_.back().get();
    writer_ = std::thread([live = live_] { live->write(); });
    builder_ = std::thread([live = live_] { live->build(); });
    services_.push_back(std::make_unique<SearchService>(
        SearchService::Dependencies{.generations = *holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(),
                                    .timers = compute_.timers(), .clock = compute_.clock(), .metrics = metrics_,
                                    .features = &features_, .popularity = &popularity_, .images = &images_,
                                    .image_index = &photos_},
        SearchOptions{}));
  }
  void stop() {
    live_->stop();
    if (writer_.joinable()) writer_.join();
    if (builder_.joinable()) builder_.join();
  }
  void restart(LiveCatalogOptions options = {}) {
    stop();
    old_holders_.push_back(std::move(holder_));
    start(options);
    refresh();
  }

  static catalog::ArticleId id(int number) { return catalog::ArticleId::parse(std::to_string(number)).value(); }
  static catalog::Article article(int number, const std::string& name) {
    auto made = support::make_article(std::to_string(number), name);
    made.product_code = std::to_string(number);
    made.price = number;
    made[catalog::Attribute::kColour] = number % 2 == 0 ? "Red" : "Blue";
    return made;
  }
  // Articles 1000, 1010 … of these names.
  void publish(const std::string& generation, const std::vector<std::string>& names, std::int64_t through = 0) {
    std::vector<catalog::Article> articles;
    for (std::size_t i = 0; i < names.size(); ++i) articles.push_back(article(1000 + 10 * static_cast<int>(i), names[i]));
    auto snapshot = std::make_shared<ports::CatalogSnapshot>(*support::make_snapshot(generation, articles, encoder_.info()));
    snapshot->info.image_encoder = images_.info();
    snapshot->info.changes_through = through;
    snapshot->neighbours = neighbours_;
    if (through > 0) snapshot->info.changes_overruled_ms = std::numeric_limits<std::int64_t>::max();
    store_.publish(snapshot);
  }
  core::Result<RefreshOutcome> try_refresh() { return core::sync_wait(holder_->refresh(core::Deadline::never())); }
  void refresh() {
    const auto outcome = try_refresh();
    ASSERT_TRUE(outcome) << outcome.error().message;
  }

  static catalog::ArticleChange price(int number, std::optional<double> value) {
    return {.kind = Kind::kPatch, .id = id(number), .sets_price = true, .price = value};
  }
  static catalog::ArticleChange available(int number, bool value) { return {.kind = Kind::kPatch, .id = id(number), .available = value}; }
  static catalog::ArticleChange renamed(int number, const std::string& name) {
    return {.kind = Kind::kPatch, .id = id(number), .name = name, .description = "A fine " + name + "."};
  }
  static catalog::ArticleChange put(int number, const std::string& name) {
    return {.kind = Kind::kUpsert, .id = id(number), .name = name, .sets_price = true, .price = 5.0};
  }
  static catalog::ArticleChange gone(int number) { return {.kind = Kind::kDelete, .id = id(number)}; }

  ChangeOutcome change(std::vector<catalog::ArticleChange> changes) {
    return core::sync_wait(live_->change({std::move(changes), core::Deadline::never()}));
  }
  // Kept and visible.
  ChangeAnswer changed(std::vector<catalog::ArticleChange> changes) {
    const auto outcome = change(std::move(changes));
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().error.message);
    if (!outcome) return {};
    EXPECT_TRUE(outcome->visible);
    return *outcome;
  }

  [[nodiscard]] const catalog::Catalog& served() {
    held_ = holder_->serving();
    return held_->catalog();
  }
  SearchOutcome search(const std::string& query, bool lexical = true, bool dense = true) {
    SearchRequest wanted;
    wanted.query = query;
    wanted.k = kMaxK;
    wanted.legs = {.lexical = lexical, .dense = dense};
    wanted.understanding.understand = false;  // the text of an article names its colour
    return core::sync_wait(services_.back()->search(std::move(wanted)));
  }
  std::vector<std::string> by_words(const std::string& query) { return ids_of(search(query, true, false)); }
  std::vector<std::string> by_meaning(const std::string& text) { return ids_of(search(text, false, true)); }
  // By a picture with the bytes "photo 1000" and the like.
  SearchOutcome search_like(const std::string& picture) {
    SearchRequest wanted;
    wanted.k = kMaxK;
    wanted.visual.emplace().image = std::make_shared<const std::string>(picture);
    return core::sync_wait(services_.back()->search(std::move(wanted)));
  }
  std::vector<std::string> by_picture(const std::string& picture) { return ids_of(search_like(picture)); }
  // Ids without leading zeros, best first.
  static std::vector<std::string> ids_of(const SearchOutcome& outcome) {
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().error.message);
    std::vector<std::string> found;
    if (!outcome) return found;
    for (const AnswerItem& item : outcome->items) found.push_back(std::to_string(std::stoi(std::string(item.article.id()))));
    return found;
  }
  std::vector<std::string> browse(BrowseSort sort, const catalog::Filter& filter = {}) {
    BrowseRequest wanted;
    wanted.sort = sort;
    wanted.k = kMaxK;
    wanted.filter = filter;
    return ids_of(core::sync_wait(services_.back()->browse(std::move(wanted))));
  }
  std::string text_of(int number) {
    const auto row = served().find(id(number));
    return row ? catalog::product_text_v1(served().row(*row).to_article()) : std::string();
  }

  telemetry::Metrics metrics_;
  std::vector<std::unique_ptr<SearchService>> services_;  // outlive the threads
  std::vector<std::unique_ptr<LiveCatalog>> lives_;
  std::vector<std::unique_ptr<SnapshotHolder>> old_holders_;
  support::ComputeThreads compute_;
  telemetry::Logger log_{{telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, compute_.clock()};
  support::FakeTextEncoder encoder_{compute_.pool()};
  support::FakeCatalogStore store_;
  support::FakeVectorIndex index_{store_, compute_.pool()};
  support::FakeImageEncoder images_{compute_.pool()};
  support::FakeVectorIndex photos_{store_, compute_.pool(), [](const catalog::ArticleView& one) {
                                     return std::optional("photo " + std::to_string(std::stoi(std::string(one.id()))));
                                   }};
  support::FakeFeatureStore features_{&compute_.timers()};
  recommend::Popularity popularity_{features_, compute_.clock()};
  support::FakeCatalogChanges changes_;
  std::unique_ptr<SnapshotHolder> holder_;
  std::shared_ptr<const ServingGeneration> held_;
  LiveCatalog* live_ = nullptr;
  std::shared_ptr<const ranking::ItemNeighbours> neighbours_;  // of what publish() publishes
  std::thread writer_;
  std::thread builder_;
};

}  // namespace scalestyle::search
