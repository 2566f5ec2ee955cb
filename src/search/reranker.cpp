#include "search/reranker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "search/base_list.hpp"

namespace scalestyle::search {

namespace {

using std::chrono::nanoseconds;

std::string with_single_blanks(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    const bool blank = c == ' ' || (c >= '\t' && c <= '\r');
    if (!blank) result += c;
    else if (!result.empty() && result.back() != ' ') result += ' ';
  }
  if (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

std::vector<std::uint32_t> products_of(const catalog::Catalog& articles, std::span<const catalog::RowIndex> rows) {
  std::vector<std::uint32_t> products;
  products.reserve(rows.size());
  for (const catalog::RowIndex row : rows) products.push_back(articles.product_of(row));
  return products;
}

template <class T>
std::vector<T> in_order(std::span<const T> values, std::span<const std::uint32_t> places) {
  std::vector<T> result;
  result.reserve(places.size());
  for (const std::uint32_t place : places) result.push_back(values[place]);
  return result;
}

RerankStatus status_of(const std::vector<RerankPassOutcome>& passes) {
  RerankStatus status = RerankStatus::kComplete;
  for (const RerankPassOutcome& pass : passes) {
    if (pass.error && pass.error->code == core::ErrorCode::kCancelled) return RerankStatus::kCancelled;
    if (pass.error && pass.scored == 0) status = RerankStatus::kUnavailable;
    else if (pass.scored < pass.planned) status = std::max(status, RerankStatus::kPartial);
  }
  return status;
}

core::Deadline after_share(nanoseconds time, core::SteadyTime start) {
  if (time == nanoseconds::max()) return core::Deadline::never();
  return core::Deadline::at(start + std::chrono::duration_cast<core::SteadyTime::duration>(time));
}

}  // namespace

core::Status RerankOptions::validate() const {
  CORE_CHECK(budget.validate());
  if (first_pass_depth >= 1 && first_pass_depth <= ranking::kMaxRerankDepth) return {};
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("the depth of rerank_cascade must be 1 to {}, not {}", ranking::kMaxRerankDepth,
                                first_pass_depth),
                    "rerank_cascade");
}

const ranking::JudgedRow* RerankOutcome::judgement(catalog::RowIndex row) const {
  if (passes.empty()) return nullptr;
  const auto found = std::ranges::find(passes.back().judged, row, &ranking::JudgedRow::row);
  return found == passes.back().judged.end() ? nullptr : &*found;
}

const core::Error* RerankOutcome::error() const {
  const auto found = std::ranges::find_if(passes, [](const RerankPassOutcome& pass) { return pass.error.has_value(); });
  return found == passes.end() ? nullptr : &*found->error;
}

std::size_t RerankOutcome::memory_bytes() const {
  std::size_t bytes = sizeof(RerankOutcome) + passes.capacity() * sizeof(RerankPassOutcome);
  for (const RerankPassOutcome& pass : passes) bytes += pass.judged.capacity() * sizeof(ranking::JudgedRow);
  return bytes;
}

struct Reranker::Plan {
  std::size_t first_rows = 0;
  std::size_t last_rows = 0;
  nanoseconds first_time{0};  // from the start, as both
  nanoseconds whole_time{0};
};

Reranker::Reranker(Dependencies dependencies, RerankOptions options)
    : use_(dependencies), options_(options), last_({use_.scorer, use_.timers, use_.clock, use_.cache, use_.resume_on}) {
  const auto describe = [](const ports::ScorerInfo& info) {
    return fmt::format("{}/{}/{}/{}", info.model, info.weights_hash, info.precision, info.max_tokens);
  };
  fingerprint_ = describe(use_.scorer.info());
  if (use_.first_scorer != nullptr) {
    first_ = std::make_unique<RerankPass>(RerankPass::Ports{*use_.first_scorer, use_.timers, use_.clock, use_.cache, use_.resume_on});
    fingerprint_ = fmt::format("{}:{} {}", describe(use_.first_scorer->info()), options_.first_pass_depth, fingerprint_);
  }
  const auto pairs = [&](const char* source) {
    return use_.metrics.counter({"scalestyle_rerank_pairs_total",
                                 "Pairs of query and article that were reranked, by where the score came from.",
                                 {{"source", source}}});
  };
  computed_ = pairs("computed");
  cached_ = pairs("cached");
}

Reranker::Plan Reranker::plan(nanoseconds left, std::optional<std::size_t> wanted) {
  Plan plan;
  ranking::RerankBudgetOptions budget = options_.budget;
  nanoseconds for_first{0};
  if (first_ != nullptr) {
    ranking::RerankBudgetOptions first = options_.budget;
    first.depth = options_.first_pass_depth;
    first.budget = std::max(std::chrono::milliseconds(1), first.budget / 2);
    const double rate = first_->pairs_per_second();
    const nanoseconds half = left == nanoseconds::max() ? left : left / 2;
    plan.first_rows = ranking::plan_rerank(first, half, rate, {}).planned;
    if (wanted) plan.first_rows = std::max(plan.first_rows, std::min(*wanted, ranking::kMaxRerankDepth));
    // What the first pass should take; it may take longer, up to half of all.
    const nanoseconds expected(rate > 0 ? static_cast<nanoseconds::rep>(1e9 * static_cast<double>(plan.first_rows) / rate) : 0);
    for_first = std::min<nanoseconds>(expected, options_.budget.budget / 2);
    budget.budget -= std::chrono::duration_cast<std::chrono::milliseconds>(for_first);
    budget.usual_deadline -= std::chrono::duration_cast<std::chrono::milliseconds>(for_first);
  }
  const nanoseconds rest = left == nanoseconds::max() ? left : std::max(nanoseconds(0), left - for_first);
  const ranking::RerankBudget last = ranking::plan_rerank(budget, rest, last_.pairs_per_second(), wanted);
  plan.last_rows = last.planned;
  plan.whole_time = last.time == nanoseconds::max() ? last.time : std::min(left, last.time + for_first);
  plan.first_time = plan.whole_time == nanoseconds::max() ? plan.whole_time : plan.whole_time / 2;
  return plan;
}

std::size_t Reranker::usual_depth() { return plan(options_.budget.usual_deadline, {}).last_rows; }

std::size_t Reranker::planned_depth(core::Deadline deadline, std::optional<std::size_t> wanted) {
  return plan(deadline.remaining(use_.clock), wanted).last_rows;
}

core::Task<RerankOutcome> Reranker::rerank(RerankRequest request) {
  const core::SteadyTime start = use_.clock.steady_now();
  const Plan planned = plan(request.deadline.remaining(use_.clock), request.depth);
  RerankOutcome outcome;
  outcome.pinned = std::min(request.pinned, request.rows.size());
  if (request.rows.size() == outcome.pinned) co_return outcome;

  std::vector<catalog::RowIndex> rows(request.rows.begin(), request.rows.end());
  std::vector<double> scores(request.scores.begin(), request.scores.end());
  std::vector<std::uint32_t> products = products_of(*request.articles, rows);
  RerankPass::Work work{.query = with_single_blanks(request.query), .articles = request.articles};
  const std::size_t passes = first_ != nullptr ? 2 : 1;
  for (std::size_t index = 0; index < passes; ++index) {
    const bool is_last = index + 1 == passes;
    work.list = {.rows = rows, .scores = scores, .products = products, .pinned = outcome.pinned};
    work.planned = is_last ? planned.last_rows : planned.first_rows;
    work.deadline = after_share(is_last ? planned.whole_time : planned.first_time, start);
    const bool continues = request.known != nullptr && request.known->passes.size() == passes;
    work.known = continues ? std::span<const ranking::JudgedRow>(request.known->passes[index].judged)
                           : std::span<const ranking::JudgedRow>();
    RerankPass& pass = is_last ? last_ : *first_;
    outcome.passes.push_back(co_await pass.run(work));
    if (is_last) break;
    const ranking::RerankedOrder order = ranking::rerank_order(work.list, outcome.passes.back().judged);
    rows = in_order<catalog::RowIndex>(rows, order.places);
    products = in_order<std::uint32_t>(products, order.places);
    scores = order.scores;
  }
  outcome.status = status_of(outcome.passes);
  record(outcome);
  co_return outcome;
}

void Reranker::record(const RerankOutcome& outcome) const {
  for (const RerankPassOutcome& pass : outcome.passes) {
    computed_.add(static_cast<double>(pass.pairs_computed));
    cached_.add(static_cast<double>(pass.pairs_cached));
  }
}

void apply(const RerankOutcome& outcome, const catalog::Catalog& articles, BaseList& list) {
  for (const RerankPassOutcome& pass : outcome.passes) {
    if (pass.judged.empty()) continue;
    const auto products = products_of(articles, list.rows);
    const auto order = ranking::rerank_order(
        {.rows = list.rows, .scores = list.scores, .products = products, .pinned = outcome.pinned}, pass.judged);
    if (list.leg_ranks.size() == list.rows.size()) {
      if (list.fused_scores.empty()) list.fused_scores = list.scores;
      list.fused_scores = in_order<double>(list.fused_scores, order.places);
      list.leg_ranks = in_order<std::array<std::uint32_t, ranking::kLegCount>>(list.leg_ranks, order.places);
    }
    if (list.preferences.size() == list.rows.size()) list.preferences = in_order<float>(list.preferences, order.places);
    list.rows = in_order<catalog::RowIndex>(list.rows, order.places);
    list.scores = order.scores;
  }
}

}  // namespace scalestyle::search
