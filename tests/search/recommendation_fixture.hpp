#pragma once
// A shop of twenty products with three variants each, in four sections, with photos and with what was bought together; a service
// that recommends from it; and requests for it.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ranking/item_neighbours.hpp"
#include "recommend/live_neighbours.hpp"
#include "recommend/ranker_file.hpp"
#include "search/impression_recorder.hpp"
#include "search/recommendation.hpp"
#include "search/rule_file.hpp"
#include "search/visual_fixture.hpp"
#include "support/fake_impression_log.hpp"

namespace scalestyle::search {

class RecommendationFixture : public VisualFixture {
 protected:
  RecommendationFixture() { open("shop", shop()); }

  static int product_of(int number) { return number / 3; }
  static std::string section_of(int number) {
    static const std::vector<std::string> kSections{"Divided", "Kids", "Men", "Women"};
    return kSections[static_cast<std::size_t>(product_of(number)) % kSections.size()];
  }
  static int number_of(std::string_view id) { return std::stoi(std::string(id)) - 1000; }
  // What was bought with an article, the best first: that of the products seven and eleven further.
  static std::vector<int> bought_with(int number) { return {(number + 21) % kArticles, (number + 33) % kArticles}; }

  static std::vector<catalog::Article> shop() {
    auto list = articles();
    for (int i = 0; i < kArticles; ++i) {
      auto& article = list[static_cast<std::size_t>(i)];
      article.product_code = "p" + std::to_string(product_of(i));
      article[catalog::Attribute::kSection] = section_of(i);
    }
    return list;
  }

  void open(const std::string& generation, const std::vector<catalog::Article>& list) {
    auto snapshot = std::make_shared<ports::CatalogSnapshot>(*support::make_snapshot(generation, list, encoder_.info()));
    snapshot->info.image_encoder = images_.info();
    std::vector<std::uint32_t> begins{0};
    std::vector<ranking::Neighbour> all;
    for (int i = 0; i < kArticles; ++i) {
      float score = 0.6F;
      for (const int other : bought_with(i)) all.push_back({static_cast<std::uint32_t>(other), score -= 0.2F});
      begins.push_back(static_cast<std::uint32_t>(all.size()));
    }
    auto neighbours = ranking::ItemNeighbours::make(std::move(begins), std::move(all)).value();
    snapshot->neighbours = std::make_shared<const ranking::ItemNeighbours>(std::move(neighbours));
    catalogs_.publish(std::move(snapshot));
    core::sync_wait(holder_.refresh(core::Deadline::never())).value();
  }

  SearchService& recommend(SearchOptions options = {}, const RuleFile* rules = nullptr) {
    return make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(), .timers = compute_.timers(),
                      .clock = clock_, .metrics = metrics_, .features = &features_, .popularity = &popularity_, .live_neighbours = &live_, .ranker = ranker_file_, .impressions = &recorder_,
                      .rules = rules, .images = &images_, .image_index = &photos_},
                     std::move(options));
  }
  // Only these sources: "own=1,variant=0.5".
  static SearchOptions weighing(const std::string& weights) {
    SearchOptions options;
    options.recommendation.for_you_weights = parse_source_weights(weights, "for_you_weights", {}).value();
    return options;
  }

  static ForYouRequest for_you(const std::string& user = {}) {
    ForYouRequest wanted;
    wanted.k = kMaxK;
    if (!user.empty()) wanted.user_id = core::UserId(user);
    return wanted;
  }
  static SimilarRequest like(int number, const std::string& user = {}) {
    SimilarRequest wanted;
    wanted.article_id = id_of(number);
    wanted.k = kMaxK;
    if (!user.empty()) wanted.user_id = core::UserId(user);
    return wanted;
  }
  using ListFixture::run;
  static SearchOutcome run(SearchService& service, ForYouRequest wanted) { return core::sync_wait(service.for_you(std::move(wanted))); }
  static SearchOutcome run(SearchService& service, SimilarRequest wanted) { return core::sync_wait(service.similar(std::move(wanted))); }

  // The shopper did these things, the first one last.
  void touched(const std::string& name, const std::vector<std::pair<int, events::EventType>>& deeds) {
    events::SubjectFeatures features;
    features.last_event_ms = clock_.now_ms();
    events::EpochMs age = 0;
    for (const auto& [number, type] : deeds) features.recent_items.push_back({id_of(number), clock_.now_ms() - 60'000 * age++, type});
    features_.set_features(user(name), features);
  }

  static const AnswerItem* item_of(const SearchOutcome& outcome, int product) {
    for (const AnswerItem& item : outcome.value().items) {
      if (product_of(number_of(item.article.id())) == product) return &item;
    }
    return nullptr;
  }
  static const SourceReport* report_of(const SearchOutcome& outcome, std::string_view source) {
    for (const SourceReport& report : outcome.value().sources) {
      if (report.source == source) return &report;
    }
    return nullptr;
  }

  // Somebody bought these on this day.
  void bought_together(const std::string& name, const std::vector<int>& numbers) {
    std::vector<events::LoggedEvent> taken;
    for (const int number : numbers) {
      events::LoggedEvent& logged = taken.emplace_back();
      logged.position = {"log", 0, next_offset_++};
      logged.event.event_id = std::to_string(next_offset_);
      logged.event.type = events::EventType::kPurchase;
      logged.event.user_id = core::UserId(name);
      logged.event.event_time_ms = logged.event.received_time_ms = clock_.now_ms();
      logged.event.item_id = id_of(number);
      logged.event.weight = 5;
    }
    live_.apply(taken);
  }

  recommend::LiveNeighbours live_{clock_};
  const recommend::RankerFile* ranker_file_ = nullptr;  // of the services that recommend() makes from now on
  std::int64_t next_offset_ = 1;
  support::FakeImpressionLog impressions_;
  ImpressionRecorder recorder_{impressions_, 1, metrics_};
};

}  // namespace scalestyle::search
