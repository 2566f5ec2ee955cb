// What a search does with a catalogue: by words, fusion and page, and the whole answer from a kept list.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/task.hpp"
#include "units.hpp"
#include "http/json_shapes.hpp"
#include "ranking/fusion.hpp"
#include "search/list_page.hpp"
#include "search/search_service.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::guard {

namespace {

constexpr std::string_view kQuery = "long blue dress with soft pockets";
constexpr std::size_t kPage = 24;

class StillClock final : public core::Clock {
 public:
  [[nodiscard]] core::SteadyTime steady_now() const override { return core::SteadyTime(std::chrono::hours(1)); }
  [[nodiscard]] core::WallTime wall_now() const override { return core::WallTime(std::chrono::hours(24 * 365 * 56)); }
};

class OneGeneration final : public ports::CatalogStore {
 public:
  explicit OneGeneration(std::shared_ptr<const ports::CatalogSnapshot> snapshot) : snapshot_(std::move(snapshot)) {}
  core::Task<core::Result<core::GenerationId>> current(core::Deadline) override { co_return snapshot_->info.id; }
  core::Task<core::Result<std::shared_ptr<const ports::CatalogSnapshot>>> load(core::GenerationId, core::Deadline) override {
    co_return snapshot_;
  }

 private:
  std::shared_ptr<const ports::CatalogSnapshot> snapshot_;
};

class NoVectors final : public ports::VectorIndex {
 public:
  core::Task<core::Status> open(core::GenerationId, core::Deadline) override { co_return core::Status(); }
  void close(const core::GenerationId&) override {}
  core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId, std::vector<ports::VectorQuery>,
                                                                  core::Deadline) override {
    co_return core::fail(core::ErrorCode::kUnavailable, "there are no vectors");
  }
  core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId, catalog::ArticleId, core::Deadline) override {
    co_return core::fail(core::ErrorCode::kUnavailable, "there are no vectors");
  }
};

class NoEncoder final : public ports::TextEncoder {
 public:
  [[nodiscard]] const ports::EncoderInfo& info() const override { return info_; }
  core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string>, core::Deadline) override {
    co_return core::fail(core::ErrorCode::kUnavailable, "there is no encoder");
  }

 private:
  ports::EncoderInfo info_{.model = "none", .weights_hash = "", .precision = "f32", .dimension = 8, .max_tokens = 8};
};

// The same words on every machine.
class Words {
 public:
  template <std::size_t N>
  std::string_view one_of(const std::array<std::string_view, N>& words) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t drawn = (state_ >> 33U) % (N * N);
    return words[drawn / N * (drawn % N + 1) / N];  // the first ones more often
  }
  [[nodiscard]] std::string text(std::size_t words) {
    static constexpr std::array<std::string_view, 24> kWords{
        "in", "a", "soft", "with", "cotton", "jersey", "dress", "long", "sleeves", "pockets", "the", "front", "at", "waist",
        "buttons", "collar", "fabric", "seam", "hem", "woven", "linen", "narrow", "straps", "lined"};
    std::string text;
    for (; words > 0; --words) text.append(one_of(kWords)).append(words > 1 ? " " : ".");
    return text;
  }

 private:
  std::uint64_t state_ = 11;
};

std::shared_ptr<const ports::CatalogSnapshot> make_snapshot() {
  constexpr std::array<std::string_view, 8> kTypes{"Dress", "Trousers", "Shirt", "Sweater", "Socks", "Skirt", "Coat", "Hat"};
  constexpr std::array<std::string_view, 8> kColours{"Blue", "Black", "White", "Red", "Green", "Pink", "Beige", "Yellow"};
  constexpr int kProducts = 3'000;
  Words words;
  catalog::CatalogBuilder builder;
  using catalog::Attribute;
  for (int product = 0; product < kProducts; ++product) {
    catalog::Article article{catalog::ArticleId::parse("1").value()};
    article.product_code = fmt::format("{:07}", product + 1);
    article[Attribute::kProductType] = std::string(words.one_of(kTypes));
    article[Attribute::kDepartment] = fmt::format("Department {}", product % 40);
    article[Attribute::kSection] = fmt::format("Section {}", product % 12);
    article.name = fmt::format("{} {}", article[Attribute::kProductType], product % 500);
    article.description = words.text(22);
    article.price = static_cast<double>(5 + product % 60) + 0.99;
    for (int variant = 0; variant < 1 + product % 3; ++variant) {
      article.id = catalog::ArticleId::parse(fmt::format("{}{:03}", article.product_code, variant + 1)).value();
      article[Attribute::kColour] = std::string(words.one_of(kColours));
      article.image_path = fmt::format("{}/{}.jpg", article.product_code.substr(0, 3), article.id.text());
      require(builder.add(article).has_value(), "an article was refused");
    }
  }
  auto snapshot = std::make_shared<ports::CatalogSnapshot>();
  snapshot->info.id = core::GenerationId("guard");
  snapshot->catalog = std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
  return snapshot;
}

struct Shop {
  Shop() { require(core::sync_wait(holder.refresh(core::Deadline::never())).has_value(), "the generation was refused"); }

  StillClock clock;
  telemetry::Metrics metrics;
  core::WorkerPool pool{{.threads = 1, .queue_capacity = 64}, clock};
  core::TimerQueue timers{clock};
  NoEncoder encoder;
  NoVectors vectors;
  OneGeneration store{make_snapshot()};
  search::SnapshotHolder holder{store, vectors, {}};
};

void measure_words(Meter& meter, const search::ServingGeneration& generation) {
  const retrieval::LexicalIndex& index = generation.lexical();
  meter.measure("words, top 100", 4, [&] {
    const auto plan = index.plan(kQuery, nullptr, {});
    require(plan.has_value(), "the query has no plan");
    require(index.search(*plan, nullptr, 100).hits.size() == 100, "words find too little");
  });
}

// Two legs of 1,000 rows that share half of them, and their page of 24 as JSON.
void measure_page(Meter& meter, const std::shared_ptr<const search::ServingGeneration>& generation) {
  std::vector<catalog::RowIndex> first;
  std::vector<catalog::RowIndex> second;
  std::vector<float> scores;
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    first.push_back({i * 4});
    second.push_back({(i * 4 + 2'000) % 4'000 + i % 2});
    scores.push_back(1.0F - 0.0005F * static_cast<float>(i));
  }
  const std::vector<ranking::LegResult> legs{{ranking::Leg::kLexical, first, scores, {}}, {ranking::Leg::kDense, second, scores, {}}};
  meter.measure("fusion and a page of 24 as JSON", 4, [&] {
    const ranking::FusedList list = ranking::fuse({.legs = legs}, {});
    const search::CutPage page = search::cut_page(*generation, list.rows, {.k = kPage});
    search::SearchAnswer answer;
    answer.total = page.items;
    answer.generation = generation;
    for (std::size_t i = page.first; i < page.places.size(); ++i) {
      search::AnswerItem item{.article = generation->catalog().row(list.rows[page.places[i]])};
      item.score = list.scores[page.places[i]];
      item.rank = i + 1;
      search::add_variants(*generation, nullptr, {}, item);
      answer.items.push_back(std::move(item));
    }
    require(answer.items.size() == kPage && http::search_answer_json(answer).size() > 8'000, "the page is too short");
  });
}

// Begins on a worker, as every search goes on there; nothing of it waits.
void measure_kept_list(Meter& meter, Shop& shop) {
  search::SearchService service({.generations = shop.holder, .encoder = shop.encoder, .index = shop.vectors, .pool = shop.pool,
                                 .timers = shop.timers, .clock = shop.clock, .metrics = shop.metrics},
                                {});
  search::SearchRequest request;
  request.request_id = core::RequestId("4bf92f3577b34da6a3ce929d0e0e4736");
  request.query = kQuery;
  request.k = kPage;
  request.legs.dense = false;
  const auto ask = [&] {
    const search::SearchOutcome outcome = core::sync_wait(service.search(request));
    require(outcome.has_value() && outcome->items.size() == kPage && outcome->degradations.empty(), "the search fails");
    return std::pair(outcome->list_source, http::search_answer_json(*outcome).size());
  };
  const auto work = [&] {
    require(ask().first == search::ListSource::kMade, "the first answer is from a kept list");
    meter.measure("an answer of 24 from a kept list", 8, [&] { require(ask().first == search::ListSource::kKept, "the list was not kept"); });
    shop.pool.stop();
  };
  require(shop.pool.submit(work).has_value(), "the pool takes no work");
  shop.pool.run();
}

}  // namespace

void measure_search(Meter& meter) {
  constexpr std::array<std::string_view, 3> kNames{"words, top 100", "fusion and a page of 24 as JSON", "an answer of 24 from a kept list"};
  if (std::ranges::none_of(kNames, [&](std::string_view name) { return meter.wants(name); })) return;
  Shop shop;
  measure_words(meter, *shop.holder.serving());
  measure_page(meter, shop.holder.serving());
  measure_kept_list(meter, shop);
}

}  // namespace scalestyle::guard
