// scalestyle evaluate search: the quality of this data folder's answers against judgements.

#include <fmt/format.h>

#include <chrono>

#include "command_list.hpp"
#include "evaluation/query_set.hpp"
#include "evaluation/search_evaluation.hpp"
#include "serving_stack.hpp"

namespace scalestyle::app {

namespace {

using namespace std::chrono_literals;

// Answers come through the pipeline that serves, page by page where depth asks for more than one.
core::Result<std::vector<catalog::ArticleId>> rank(ServingStack& stack, const evaluation::EvaluationQuery& query, std::size_t depth) {
  std::vector<catalog::ArticleId> ids;
  while (ids.size() < depth) {
    search::SearchRequest request;
    request.query = query.text;
    request.k = std::min(depth - ids.size(), search::kMaxK);
    request.offset = ids.size();
    request.deadline = core::Deadline::after(search::kMaxDeadline, stack.compute().clock());
    const auto answer = core::sync_wait(stack.service().search(std::move(request)));
    if (!answer) return std::unexpected(answer.error().error);
    if (!answer->degradations.empty()) {
      return core::fail(core::ErrorCode::kUnavailable, "the answer was degraded; its quality would not be the engine's");
    }
    if (answer->items.empty()) break;
    for (const auto& item : answer->items) {
      CORE_TRY(auto id, catalog::ArticleId::parse(item.article.id()));
      ids.push_back(std::move(id));
    }
  }
  return ids;
}

core::Result<evaluation::SearchEvaluation> evaluate(const core::Settings& settings) {
  for (const auto* name : {"queries", "qrels"}) {
    if (!settings.is_set(name)) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} is missing: name the file", core::flag_name(name)), name);
    }
  }
  CORE_TRY(const auto queries, evaluation::read_queries(settings.text("queries")));
  CORE_TRY(const auto judgements, evaluation::read_judgements(settings.text("qrels")));
  CORE_TRY(const auto stack, ServingStack::create(settings));
  CORE_TRY([[maybe_unused]] const auto switched,
           core::sync_wait(stack->generations().refresh(core::Deadline::after(60s, stack->compute().clock()))));
  evaluation::EvaluationOptions options;
  options.seed = static_cast<std::uint64_t>(settings.integer("bootstrap_seed"));
  const auto ranker = [&](const evaluation::EvaluationQuery& query, std::size_t depth) { return rank(*stack, query, depth); };
  return evaluation::evaluate_search(queries, judgements, ranker, options);
}

int run_evaluate(const Invocation& invocation) {
  const auto evaluation = evaluate(invocation.settings);
  if (!evaluation) return report(evaluation.error());
  fmt::print("{}\n", invocation.settings.boolean("json") ? evaluation::to_json(*evaluation) : evaluation::to_text(*evaluation));
  return kExitOk;
}

}  // namespace

Command evaluate_search_command() {
  return {.path = {"evaluate", "search"},
          .help = "nDCG@10, MRR@10 and recall@100 of searches, with 95 % intervals",
          .settings = {"data", "queries", "qrels", "models", "model", "query_precision", "query_prefix", "compute_threads",
                       "isa", "max_concurrent_requests", "bootstrap_seed", "json"},
          .run = run_evaluate};
}

}  // namespace scalestyle::app
