// scalestyle evaluate recommend: how well lists foresee what customers bought in the days after those that are known.
// What recommends is made of the known purchases, with a catalogue also of its products and sections.

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "command_list.hpp"
#include "evaluation/blend_tuning.hpp"
#include "evaluation/purchase_models.hpp"
#include "evaluation/recommend_evaluation.hpp"
#include "evaluation/recommend_methods.hpp"
#include "recommend/popularity_board.hpp"
#include "recommend_splits.hpp"
#include "runtime.hpp"
#include "search/popular_list.hpp"

namespace scalestyle::app {

namespace {

using evaluation::NamedRecommender;
using ModelsPointer = std::shared_ptr<const evaluation::PurchaseModels>;

core::Result<evaluation::RecommendOptions> recommend_options(const core::Settings& settings) {
  evaluation::RecommendOptions options;
  if (settings.is_set("measures")) {
    CORE_TRY(options.measures, evaluation::parse_measures(settings.text("measures")));
  }
  options.seed = static_cast<std::uint64_t>(settings.integer("bootstrap_seed"));
  options.resamples = static_cast<std::size_t>(settings.integer("resamples"));
  options.against = settings.text("against");
  CORE_CHECK(options.validate());
  return options;
}

evaluation::PurchaseModelOptions model_options(const core::Settings& settings) {
  evaluation::PurchaseModelOptions options;
  options.popularity_half_life_days = settings.number("decay_half_life_days");
  options.neighbours.per_item = static_cast<std::size_t>(settings.integer("neighbours_per_item"));
  options.neighbours.half_life_days = settings.number("neighbour_half_life_days");
  options.neighbours.shrinkage = settings.number("neighbour_shrinkage");
  options.ages_from_newest = settings.text("task") != "next";
  return options;
}

// What browsing by popularity shows everybody when no event has come in yet.
std::vector<catalog::ArticleId> all_time_popular(const std::shared_ptr<const ports::CatalogSnapshot>& snapshot, std::size_t depth) {
  const recommend::PopularityBoard board(snapshot, {});
  const auto list = search::popular_of_all_time(
      board, {.eligible = nullptr, .eligible_count = snapshot->catalog->size(), .depth = depth, .now_ms = 0});
  std::vector<catalog::ArticleId> articles;
  for (const catalog::RowIndex row : list.rows) {
    if (auto id = catalog::ArticleId::parse(snapshot->catalog->row(row).id())) articles.push_back(std::move(*id));
  }
  return articles;
}

// Everything that is judged.
struct Inputs {
  std::vector<JudgedSplit> splits;
  JudgedCatalog catalog;
  std::vector<ModelsPointer> models;  // one a split
};

core::Result<Inputs> read_inputs(const core::Settings& settings) {
  Inputs inputs;
  CORE_TRY(inputs.splits, read_splits(settings));
  CORE_TRY(inputs.catalog, read_catalog(settings, inputs.splits.front().purchases.last_known()));
  for (const JudgedSplit& split : inputs.splits) {
    auto articles = inputs.catalog.articles;
    if (articles == nullptr) {
      CORE_TRY(auto bought, evaluation::catalog_of_purchases(split.purchases));
      articles = std::make_shared<const catalog::Catalog>(std::move(bought));
    }
    CORE_TRY(auto models, evaluation::PurchaseModels::make(split.purchases, std::move(articles), model_options(settings)));
    inputs.models.push_back(std::move(models));
  }
  return inputs;
}

core::Result<std::vector<NamedRecommender>> recommenders_of(const core::Settings& settings, const Inputs& inputs, std::size_t place,
                                                            std::size_t depth) {
  const evaluation::HeldOutPurchases& purchases = inputs.splits[place].purchases;
  const ModelsPointer& models = inputs.models[place];
  const bool shows_own = settings.text("task") != "basket";
  const double half_life_days = settings.number("decay_half_life_days");
  std::vector<NamedRecommender> all{
      {"popularity", evaluation::fixed_list(evaluation::popular_articles(purchases))},
      {fmt::format("popularity, half-life {} d", half_life_days),
       evaluation::fixed_list(evaluation::popular_articles(purchases, half_life_days))}};
  if (inputs.catalog.generation != nullptr) {
    all.push_back({"catalogue: all-time popularity", evaluation::fixed_list(all_time_popular(inputs.catalog.generation, depth))});
  }
  evaluation::MethodOptions methods;
  methods.blend.item_half_life_days = settings.number("item_half_life_days");
  methods.has_attributes = inputs.catalog.articles != nullptr;
  methods.show_own = shows_own;
  if (!shows_own) methods.blend.weights = ranking::ForYouOptions::basket_weights();
  if (settings.boolean("als")) {
    evaluation::AlsOptions als;
    als.seed = static_cast<std::uint64_t>(settings.integer("seed"));
    CORE_TRY(auto recommender, evaluation::als_recommender(models, als, shows_own));
    all.push_back({fmt::format("ALS, {} factors", als.factors), std::move(recommender)});
  }
  for (NamedRecommender& one : evaluation::source_methods(models, methods)) all.push_back(std::move(one));
  return all;
}

core::Result<std::string> evaluate(const core::Settings& settings) {
  CORE_TRY(const auto options, recommend_options(settings));
  CORE_TRY(const Inputs inputs, read_inputs(settings));
  std::vector<evaluation::RecommendSplit> splits;
  std::size_t articles = 0;
  for (std::size_t i = 0; i < inputs.splits.size(); ++i) {
    evaluation::RecommendSplit split{.name = inputs.splits[i].name, .purchases = &inputs.splits[i].purchases, .recommenders = {}};
    CORE_TRY(split.recommenders, recommenders_of(settings, inputs, i, evaluation::deepest(options.measures)));
    splits.push_back(std::move(split));
    articles = std::max(articles, inputs.splits[i].purchases.known_articles());
  }
  if (inputs.catalog.articles != nullptr) articles = inputs.catalog.articles->article_count();
  CORE_TRY(const auto evaluation, evaluation::evaluate_recommenders(splits, articles, options));
  return settings.boolean("json") ? evaluation::to_json(evaluation) : evaluation::to_text(evaluation);
}

core::Result<std::string> tune(const core::Settings& settings) {
  if (!settings.is_set("articles") && !settings.is_set("data")) {
    return core::fail(core::ErrorCode::kInvalidArgument, "--tune needs the catalogue: name it with --articles or --data", "articles");
  }
  CORE_TRY(const Inputs inputs, read_inputs(settings));
  std::vector<evaluation::TuningSplit> splits;
  for (std::size_t i = 0; i < inputs.splits.size(); ++i) splits.push_back({&inputs.splits[i].purchases, inputs.models[i]});
  evaluation::TuningOptions options;
  options.start.item_half_life_days = settings.number("item_half_life_days");
  if (settings.text("task") == "basket") {
    options.start.weights = ranking::ForYouOptions::basket_weights();
    options.start.own = {.show_bought = false, .show_seen = false};
  }
  CORE_TRY(const auto tuned, evaluation::tune_blend(splits, options));
  return evaluation::to_text(tuned);
}

int run_evaluate(const Invocation& invocation) {
  const auto text = invocation.settings.boolean("tune") ? tune(invocation.settings) : evaluate(invocation.settings);
  if (!text) return report(text.error());
  fmt::print("{}\n", *text);
  return kExitOk;
}

}  // namespace

Command evaluate_recommend_command() {
  return {.path = {"evaluate", "recommend"},
          .help = "How well lists foresee purchases of the days after those that are known",
          .settings = {"transactions", "train_until", "train_days", "test_days", "rolling", "train", "test", "task",
                       "articles", "data", "decay_half_life_days", "item_half_life_days", "neighbours_per_item",
                       "neighbour_half_life_days", "neighbour_shrinkage", "als", "against", "tune", "seed", "measures",
                       "compute_threads", "resamples", "bootstrap_seed", "json"},
          .run = run_evaluate};
}

}  // namespace scalestyle::app
