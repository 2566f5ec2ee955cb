// What a request pays for its page: collapse, variants, totals, facets, cursors, reasons, over a catalogue of the size of H&M's with
// made-up articles. Every answer is checked first against a plain count; exit status 1 when one differs.
//   page_bench [Google Benchmark's options]
// Take the least of several repetitions on a busy machine: --benchmark_repetitions=10 --benchmark_report_aggregates_only

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/task.hpp"
#include "search/list_page.hpp"
#include "search/page_cursor.hpp"
#include "search/query_reading.hpp"
#include "search/reason_text.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle {
namespace {

constexpr std::size_t kProducts = 47'224;
constexpr std::size_t kPool = 2'000;  // of two legs

void require(bool holds, const std::string& what) {
  if (holds) return;
  fmt::print(stderr, "page_bench: {}\n", what);
  std::exit(1);
}

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

// As long as H&M's are: 140 characters in the mean.
std::string describe(std::mt19937_64& random) {
  static const std::vector<std::string> kWords{"jersey", "dress",  "in",     "soft",   "cotton", "fabric", "with",   "a",       "collar", "buttons",
                                               "down",   "the",    "front",  "long",   "sleeves", "pockets", "seam", "straight", "cut",   "hem"};
  std::string text;
  for (std::size_t words = 15 + random() % 20; words > 0; --words) text += kWords[random() % kWords.size()] + " ";
  return text + "made of linen.";
}

// As many values of each attribute as H&M has, some far more frequent than others; variants differ in colour.
std::shared_ptr<const ports::CatalogSnapshot> make_snapshot() {
  std::mt19937_64 random(5);
  const auto value = [&](std::size_t values) {
    const std::size_t widest = std::min<std::size_t>(values, 1 + random() % values);
    return fmt::format("value {}", random() % widest);
  };
  using catalog::Attribute;
  catalog::CatalogBuilder builder;
  for (std::size_t product = 0; product < kProducts; ++product) {
    catalog::Article article{catalog::ArticleId::parse("1").value()};
    article.product_code = fmt::format("{:07}", product + 1);
    article.name = fmt::format("name {}", random() % 20'000);
    article.description = describe(random);
    for (const auto& [attribute, values] : std::initializer_list<std::pair<Attribute, std::size_t>>{
             {Attribute::kProductType, 131}, {Attribute::kProductGroup, 19}, {Attribute::kDepartment, 250}, {Attribute::kSection, 56},
             {Attribute::kGarmentGroup, 21}, {Attribute::kIndex, 10}}) {
      article[attribute] = value(values);
    }
    const std::size_t variants = 1 + random() % 3 + (random() % 20 == 0 ? 5 : 0);
    article.price = static_cast<double>(1 + random() % 60) - 0.01;
    for (std::size_t variant = 0; variant < variants; ++variant) {
      article.id = catalog::ArticleId::parse(fmt::format("{}{:03}", article.product_code, variant + 1)).value();
      article[Attribute::kColour] = value(50);
      article[Attribute::kColourFamily] = value(20);
      require(builder.add(article).has_value(), "an article was refused");
    }
  }
  auto snapshot = std::make_shared<ports::CatalogSnapshot>();
  snapshot->info.id = core::GenerationId("bench");
  snapshot->catalog = std::make_shared<const catalog::Catalog>(std::move(builder).build().value());
  return snapshot;
}

const search::ServingGeneration& generation() {
  static OneGeneration store(make_snapshot());
  static NoVectors vectors;
  static search::SnapshotHolder holder(store, vectors, {});
  static const auto serving = [] {
    require(core::sync_wait(holder.refresh(core::Deadline::never())).has_value(), "the generation was refused");
    return holder.serving();
  }();
  return *serving;
}

// A pool as a query finds it: anywhere in the catalogue, variants of a product not far from each other.
const std::vector<catalog::RowIndex>& pool() {
  static const auto rows = [] {
    std::mt19937_64 random(9);
    std::vector<catalog::RowIndex> list;
    std::set<std::uint32_t> seen;
    while (list.size() < kPool) {
      const auto row = static_cast<std::uint32_t>(random() % generation().catalog().size());
      for (std::uint32_t near = row; near < row + 2 && near < generation().catalog().size(); ++near) {
        if (seen.insert(near).second && list.size() < kPool) list.push_back({near});
      }
    }
    return list;
  }();
  return rows;
}

std::size_t plain_products(const std::vector<catalog::RowIndex>& rows) {
  std::set<std::uint32_t> products;
  for (const catalog::RowIndex row : rows) products.insert(generation().catalog().product_of(row));
  return products.size();
}

void page_of_ten(benchmark::State& state) {
  const search::PageShape shape{.k = 10, .collapse = state.range(0) != 0};
  const std::size_t items = shape.collapse ? plain_products(pool()) : kPool;
  require(search::cut_page(generation(), pool(), shape).items == items, "the page has another total");
  for (auto _ : state) benchmark::DoNotOptimize(search::cut_page(generation(), pool(), shape));
}
BENCHMARK(page_of_ten)->ArgName("collapse")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

void diverse_page_of_ten(benchmark::State& state) {
  const search::PageShape shape{.k = 10, .diversity = {.max_per_type = 2, .max_per_section = 4, .window = 10}};
  const auto page = search::cut_page(generation(), pool(), shape);
  const auto types = generation().catalog().codes(catalog::Attribute::kProductType);
  for (const auto place : page.places) {
    const auto same = std::ranges::count_if(page.places, [&](auto other) { return types[pool()[other].value] == types[pool()[place].value]; });
    require(same <= 2, "three items of one type");
  }
  for (auto _ : state) benchmark::DoNotOptimize(search::cut_page(generation(), pool(), shape));
}
BENCHMARK(diverse_page_of_ten)->Unit(benchmark::kMicrosecond);

void variants_of_ten_items(benchmark::State& state) {
  for (auto _ : state) {
    for (std::size_t i = 0; i < 10; ++i) {
      search::AnswerItem item{generation().catalog().row(pool()[i * 7])};
      search::add_variants(generation(), nullptr, {}, item);
      benchmark::DoNotOptimize(item);
    }
  }
}
BENCHMARK(variants_of_ten_items)->Unit(benchmark::kMicrosecond);

void total_of_the_catalogue(benchmark::State& state) {
  const catalog::Bitmap all(generation().catalog().size(), true);
  require(generation().products().count(all) == kProducts, "the catalogue has another number of products");
  for (auto _ : state) benchmark::DoNotOptimize(generation().products().count(all));
}
BENCHMARK(total_of_the_catalogue)->Unit(benchmark::kMicrosecond);

// All nine facets. rows 0: of the whole catalogue.
void facets(benchmark::State& state) {
  const auto& articles = generation().catalog();
  search::BaseList list;
  if (state.range(0) != 0) list.rows = pool();
  list.total = state.range(0) != 0 ? list.rows.size() : articles.size();
  const auto count = [&] {
    const auto rows = generation().products().by_product(search::shown_rows(generation(), list, nullptr));
    search::Facets all;
    for (const auto field : catalog::all_filter_fields()) all.values.push_back(generation().facets().count_values(field, {rows}));
    all.price = generation().facets().count_prices({rows});
    return all;
  };
  const auto counted = count();
  const auto& best = counted.values[0].values.at(0);
  std::set<std::uint32_t> products;
  const auto add = [&](catalog::RowIndex row) {
    if (articles.row(row).colour() == best.text) products.insert(articles.product_of(row));
  };
  if (list.rows.empty()) {
    for (std::uint32_t row = 0; row < articles.size(); ++row) add({row});
  } else {
    std::ranges::for_each(list.rows, add);
  }
  require(products.size() == best.count, "a facet has another count");
  for (auto _ : state) benchmark::DoNotOptimize(count());
  state.counters["rows"] = static_cast<double>(list.total);
}
BENCHMARK(facets)->ArgName("rows")->Arg(kPool)->Arg(0)->Unit(benchmark::kMicrosecond);

// The template's sentences of a page of ten items, from a query of which one piece and one word are met.
void reasons_of_ten_items(benchmark::State& state) {
  const retrieval::UnderstandingSwitches switches;
  const catalog::Filter filter;
  const auto asked = search::reason_query(search::read_query(generation().understanding(), {"airy linens for summer parties under 100", switches, filter, {}}));
  std::vector<search::AnswerItem> items;
  for (std::size_t i = 0; i < 10; ++i) items.push_back({generation().catalog().row(pool()[i * 7])});
  const search::ReasonScope scope{.generation = generation(), .query = asked.get(), .filter = &filter, .origin = search::ReasonOrigin::kFound};
  for (const search::AnswerItem& item : items) {
    const std::string sentence = search::ReasonWriter(scope).sentence(item);
    require(sentence.find("(under 100), with “linen” in its description.") != std::string::npos, sentence);
  }
  for (auto _ : state) {
    search::ReasonWriter writer(scope);
    for (const search::AnswerItem& item : items) benchmark::DoNotOptimize(writer.sentence(item));
  }
}
BENCHMARK(reasons_of_ten_items)->Unit(benchmark::kMicrosecond);

void cursor_there_and_back(benchmark::State& state) {
  const search::PageCursors cursors({});
  search::PageCursor cursor{"bench", "a list", {}};
  std::set<std::uint32_t> shown;
  std::mt19937_64 random(2);
  while (shown.size() < static_cast<std::size_t>(state.range(0))) shown.insert(static_cast<std::uint32_t>(random() % kProducts));
  cursor.shown.assign(shown.begin(), shown.end());
  const core::WallTime now = std::chrono::system_clock::now();
  const auto there_and_back = [&] {
    const auto text = cursors.write(cursor, now);
    require(text.has_value(), "the cursor has no room");
    state.counters["characters"] = static_cast<double>(text->size());
    return cursors.read(*text, "bench", "a list", now);
  };
  require(there_and_back().value() == cursor.shown, "the cursor brings back something else");
  for (auto _ : state) benchmark::DoNotOptimize(there_and_back());
}
BENCHMARK(cursor_there_and_back)->ArgName("items")->Arg(10)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace scalestyle

BENCHMARK_MAIN();
