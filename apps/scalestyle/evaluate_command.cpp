// scalestyle evaluate search: the quality of this data folder's answers against judgements, of one configuration or of
// several beside each other.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "command_list.hpp"
#include "core/files.hpp"
#include "evaluation/query_set.hpp"
#include "evaluation/search_evaluation.hpp"
#include "evaluation/search_report.hpp"
#include "evaluation/typos.hpp"
#include "search_configuration.hpp"
#include "search_settings.hpp"
#include "serving_stack.hpp"

namespace scalestyle::app {

namespace {

using namespace std::chrono_literals;

// Answers come through the pipeline that serves, page by page where the depth asks for more than one.
core::Result<evaluation::RankedList> rank(ServingStack& stack, const SearchConfiguration& configuration, std::string_view query,
                                          std::size_t depth) {
  evaluation::RankedList list;
  depth = std::min(depth, configuration.k.value_or(depth));
  while (list.articles.size() < depth) {
    const std::size_t offset = list.articles.size();
    const auto begin = stack.compute().clock().steady_now();
    CORE_TRY(auto request, make_search_request(configuration, query, std::min(depth - offset, search::kMaxK), offset, begin));
    const auto answer = core::sync_wait(stack.service().search(std::move(request)));
    if (!answer) return std::unexpected(answer.error().error);
    if (offset == 0) {
      list.milliseconds = std::chrono::duration<double, std::milli>(stack.compute().clock().steady_now() - begin).count();
    }
    for (const auto reason : answer->degradations) {
      const std::string name(search::to_string(reason));
      if (std::ranges::find(list.degradations, name) == list.degradations.end()) list.degradations.push_back(name);
    }
    if (answer->items.empty()) break;
    for (const auto& item : answer->items) {
      CORE_TRY(auto id, catalog::ArticleId::parse(item.article.id()));
      list.articles.push_back(std::move(id));
    }
    if (offset + answer->items.size() > search::kMaxOffset) break;
  }
  return list;
}

core::Result<std::vector<SearchConfiguration>> parse_configurations(const std::vector<std::string>& texts,
                                                                    const core::Settings& settings) {
  CORE_TRY(const auto named, open_configurations(settings));
  std::vector<SearchConfiguration> configurations;
  for (const std::string& text : texts.empty() ? std::vector<std::string>{"default"} : texts) {
    CORE_TRY(auto configuration, parse_search_configuration(text, named.get()));
    configurations.push_back(std::move(configuration));
  }
  return configurations;
}

core::Result<evaluation::EvaluationOptions> evaluation_options(const core::Settings& settings) {
  evaluation::EvaluationOptions options;
  if (settings.is_set("measures")) {
    CORE_TRY(options.measures, evaluation::parse_measures(settings.text("measures")));
  }
  options.seed = static_cast<std::uint64_t>(settings.integer("bootstrap_seed"));
  options.resamples = static_cast<std::size_t>(settings.integer("resamples"));
  options.allow_degraded = settings.boolean("allow_degraded");
  CORE_CHECK(options.validate());
  return options;
}

core::Result<evaluation::QuerySet> read_queries(const core::Settings& settings) {
  if (!settings.is_set("queries")) {
    return core::fail(core::ErrorCode::kInvalidArgument, "--queries is missing: name the file, or a folder with queries.csv and qrels.csv",
                      "queries");
  }
  std::error_code ignored;
  if (!settings.is_set("qrels") && !std::filesystem::is_directory(settings.text("queries"), ignored)) {
    return core::fail(core::ErrorCode::kInvalidArgument, "--qrels is missing: name the file of judgements", "qrels");
  }
  CORE_TRY(const auto typos, evaluation::parse_typo_plan(settings.text("typos")));
  CORE_TRY(auto set, evaluation::read_query_set(settings.text("queries"), settings.text("qrels")));
  const auto seed = static_cast<std::uint64_t>(settings.integer("seed"));
  if (const auto sample = settings.integer("sample"); sample > 0) {
    evaluation::sample_queries(set, static_cast<std::size_t>(sample), seed);
  }
  const std::size_t changed = evaluation::put_typos(set, typos, seed);
  if (typos != evaluation::TypoPlan::kNone) {
    fmt::print(stderr, "typing errors in {} of {} queries, seed {}\n", changed, set.queries.size(), seed);
  }
  return set;
}

core::Result<evaluation::SearchEvaluation> evaluate(const Invocation& invocation, evaluation::EvaluationOptions options) {
  const core::Settings& settings = invocation.settings;
  CORE_TRY(const auto parsed, parse_configurations(invocation.positionals, settings));
  CORE_TRY(const auto set, read_queries(settings));
  CORE_TRY(const StoreChoice stores, choose_stores(settings, Role::kServe));
  CORE_TRY(const auto stack, ServingStack::create(settings, {.stores = stores}));
  if (const std::string& notice = stack->reranking().notice(); !notice.empty()) fmt::print(stderr, "{}\n", notice);
  CORE_TRY([[maybe_unused]] const auto switched,
           core::sync_wait(stack->generations().refresh(core::Deadline::after(60s, stack->compute().clock()))));
  const auto generation = stack->generations().serving();
  options.has_article = [&](const catalog::ArticleId& id) { return generation->catalog().find(id).has_value(); };
  std::vector<evaluation::Configuration> configurations;
  for (const SearchConfiguration& configuration : parsed) {
    configurations.push_back({configuration.name, [&stack, &configuration](std::string_view query, std::size_t depth) {
                                return rank(*stack, configuration, query, depth);
                              }});
  }
  auto evaluation = evaluation::evaluate_search(set, configurations, options);
  if (evaluation) evaluation->options.has_article = {};  // refers to the stack
  return evaluation;
}

core::Result<int> run(const Invocation& invocation) {
  const core::Settings& settings = invocation.settings;
  CORE_TRY(auto options, evaluation_options(settings));
  CORE_TRY(const auto floors, evaluation::parse_floors(settings.text("minimum"), options.measures));
  CORE_TRY(const auto evaluation, evaluate(invocation, std::move(options)));
  if (settings.is_set("per_query")) {
    CORE_CHECK(core::write_file_atomically(settings.text("per_query"), evaluation::to_tsv(evaluation)));
  }
  const auto comparisons = evaluation::compare_configurations(evaluation);
  fmt::print("{}\n", settings.boolean("json") ? evaluation::to_json(evaluation, comparisons)
                                              : evaluation::to_text(evaluation, comparisons));
  const auto missed = evaluation::missed_floors(evaluation, floors);
  for (const std::string& what : missed) fmt::print(stderr, "below the minimum: {}\n", what);
  return missed.empty() ? kExitOk : kExitFailure;
}

int run_evaluate(const Invocation& invocation) {
  const auto code = run(invocation);
  return code ? *code : report(code.error());
}

}  // namespace

Command evaluate_search_command() {
  return {.path = {"evaluate", "search"},
          .help = "Quality and latency of searches against judgements, of one configuration or several beside each other",
          .settings = with_search_settings({"data", "queries", "qrels", "measures", "typos", "sample", "seed", "per_query", "minimum",
                                            "allow_degraded", "models", "model", "query_precision", "query_prefix",
                                            "compute_threads", "isa", "max_concurrent_requests", "resamples", "bootstrap_seed",
                                            "json"}),
          .positional_help = "CONFIGURATION",
          .run = run_evaluate};
}

}  // namespace scalestyle::app
