#include "search/rerank_pass.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "catalog/rerank_text.hpp"
#include "search/in_time.hpp"

namespace scalestyle::search {

namespace {

using namespace std::chrono_literals;
using ports::PairScore;

constexpr double kUsualTokens = 64;   // of a pair, before any was measured
constexpr double kNewest = 0.05;      // weight of the newest batch in the mean
constexpr double kTolerance = 0.25;   // a rate is followed once it is so much off
constexpr std::size_t kLeastChunk = 8;
constexpr double kChunkSeconds = 0.1;

// The scorer ends a little before the wait for it does: what it has done by then is not lost.
core::Deadline before(core::Deadline deadline, const core::Clock& clock) {
  if (deadline.is_never()) return deadline;
  const auto slack = std::min<std::chrono::nanoseconds>(3ms, deadline.remaining(clock) / 8);
  return core::Deadline::at(deadline.time() - std::chrono::duration_cast<core::SteadyTime::duration>(slack));
}

core::Status check(const std::vector<PairScore>& scores, std::size_t asked, const std::string& model) {
  if (scores.size() > asked) {
    return core::fail(core::ErrorCode::kDataLoss, fmt::format("{} gave {} scores for {} texts", model, scores.size(), asked));
  }
  const auto is_wrong = [](const PairScore& score) {
    return !std::isfinite(score.logit) || !(score.score > 0 && score.score <= 1);
  };
  if (std::ranges::none_of(scores, is_wrong)) return {};
  return core::fail(core::ErrorCode::kDataLoss, fmt::format("{} gave a score that is not in (0, 1]", model));
}

}  // namespace

// The rows to judge, and the distinct texts that nothing is known of yet.
struct RerankPass::Pairs {
  std::vector<std::uint32_t> sequence;            // places in the list
  std::vector<std::optional<PairScore>> scores;   // one a place of the sequence
  std::vector<std::size_t> text_of;               // of each place without a score: index into texts
  std::vector<std::string> texts;                 // in the order in which they are first needed
  std::vector<PairKey> keys;                      // one a text
  std::vector<std::optional<PairScore>> computed; // one a text

  [[nodiscard]] const std::optional<PairScore>& score_of(std::size_t place) const {
    return scores[place] ? scores[place] : computed[text_of[place]];
  }
};

RerankPass::Pairs RerankPass::collect(const Work& work) const {
  Pairs pairs;
  pairs.sequence = ranking::rerank_sequence(work.list, work.planned);
  const std::size_t size = pairs.sequence.size();
  pairs.scores.resize(size);
  pairs.text_of.resize(size);
  std::unordered_map<std::uint32_t, PairScore> known;
  for (const ranking::JudgedRow& judged : work.known) known.emplace(judged.row.value, PairScore{judged.logit, judged.score});

  const PairKeys keys(ports_.scorer.info(), work.query);
  std::vector<std::size_t> unknown;  // places of the sequence
  std::vector<std::string> texts;    // one an unknown place, as below
  std::vector<PairKey> text_keys;
  for (std::size_t i = 0; i < size; ++i) {
    const catalog::RowIndex row = work.list.rows[pairs.sequence[i]];
    if (const auto found = known.find(row.value); found != known.end()) {
      pairs.scores[i] = found->second;
      continue;
    }
    unknown.push_back(i);
    texts.push_back(catalog::rerank_text_v1(work.articles->row(row)));
    text_keys.push_back(keys.of(texts.back()));
  }
  std::vector<std::optional<PairScore>> cached(unknown.size());
  if (ports_.cache != nullptr) cached = ports_.cache->find(text_keys);
  std::unordered_map<PairKey, std::size_t> index_of;
  for (std::size_t u = 0; u < unknown.size(); ++u) {
    if (cached[u]) {
      pairs.scores[unknown[u]] = cached[u];
      continue;
    }
    const auto [found, is_new] = index_of.try_emplace(text_keys[u], pairs.texts.size());
    pairs.text_of[unknown[u]] = found->second;
    if (!is_new) continue;
    pairs.texts.push_back(std::move(texts[u]));
    pairs.keys.push_back(text_keys[u]);
  }
  pairs.computed.resize(pairs.texts.size());
  return pairs;
}

core::Task<core::Status> RerankPass::compute(const Work& work, Pairs& pairs, RerankPassOutcome& outcome) {
  for (std::size_t begin = 0; begin < pairs.texts.size();) {
    if (work.deadline.expired(ports_.clock)) break;
    const std::size_t count = std::min(chunk_pairs(), pairs.texts.size() - begin);
    const auto first = pairs.texts.begin() + static_cast<std::ptrdiff_t>(begin);
    std::vector<std::string> texts(first, first + static_cast<std::ptrdiff_t>(count));
    auto scored = co_await result_in_time(ports_.scorer.score(work.query, std::move(texts), before(work.deadline, ports_.clock)),
                                          ports_.timers, work.deadline);
    // Behind the wait: what was scored in time counts, however long this takes.
    if (ports_.resume_on != nullptr) static_cast<void>(co_await ports_.resume_on->schedule(core::Deadline::never()));
    if (!scored && scored.error().code == core::ErrorCode::kDeadlineExceeded) break;
    if (!scored) co_return std::unexpected(std::move(scored).error());
    CORE_CO_CHECK(check(scored->scores, count, info().model));
    note_tokens(*scored);
    const std::size_t done = scored->scores.size();
    for (std::size_t i = 0; i < done; ++i) pairs.computed[begin + i] = scored->scores[i];
    outcome.pairs_computed += done;
    if (ports_.cache != nullptr) ports_.cache->put(std::span(pairs.keys).subspan(begin, done), scored->scores);
    if (done < count) break;
    begin += count;
  }
  co_return core::Status();
}

core::Task<RerankPassOutcome> RerankPass::run(Work work) {
  RerankPassOutcome outcome;
  outcome.model = info().model;
  outcome.precision = info().precision;
  Pairs pairs = collect(work);
  outcome.planned = pairs.sequence.size();
  if (auto computed = co_await compute(work, pairs, outcome); !computed) outcome.error = std::move(computed).error();

  std::unordered_map<std::uint32_t, std::vector<std::size_t>> of_product;  // into judged
  for (std::size_t i = 0; i < pairs.sequence.size() && pairs.score_of(i); ++i) {
    const PairScore score = *pairs.score_of(i);
    const std::uint32_t place = pairs.sequence[i];
    of_product[work.list.products[place]].push_back(outcome.judged.size());
    outcome.judged.push_back({work.list.rows[place], score.logit, score.score});
    if (pairs.scores[i]) ++outcome.pairs_cached;
  }
  outcome.scored = outcome.judged.size();
  for (std::size_t place = work.list.pinned; place < work.list.rows.size(); ++place) {
    const auto judged = of_product.find(work.list.products[place]);
    if (judged == of_product.end()) continue;
    const catalog::RowIndex row = work.list.rows[place];
    const auto is_same = [&](std::size_t i) { return outcome.judged[i].row == row; };
    if (std::ranges::any_of(judged->second, is_same)) continue;
    const auto has_text = [&](std::size_t i) {
      return catalog::have_same_rerank_text(*work.articles, outcome.judged[i].row, row);
    };
    const auto twin = std::ranges::find_if(judged->second, has_text);
    if (twin != judged->second.end()) outcome.judged.push_back({row, outcome.judged[*twin].logit, outcome.judged[*twin].score});
  }
  co_return outcome;
}

double RerankPass::pairs_per_second() {
  const double tokens = tokens_per_pair_.load();
  const double measured = ports_.scorer.tokens_per_second() / (tokens > 0 ? tokens : kUsualTokens);
  const double steady = steady_rate_.load();
  if (std::abs(measured - steady) <= kTolerance * steady) return steady;
  steady_rate_.store(measured);
  return measured;
}

// Few enough that one is over soon, and as many as keep this run's share of the scorer's threads busy.
std::size_t RerankPass::chunk_pairs() {
  return std::max(kLeastChunk, static_cast<std::size_t>(std::min(pairs_per_second() * kChunkSeconds, 1e6)));
}

void RerankPass::note_tokens(const ports::PairScores& scores) {
  if (scores.pairs_computed == 0 || scores.tokens == 0) return;
  const double tokens = static_cast<double>(scores.tokens) / static_cast<double>(scores.pairs_computed);
  const double mean = tokens_per_pair_.load();
  tokens_per_pair_.store(mean == 0 ? tokens : (1 - kNewest) * mean + kNewest * tokens);
}

}  // namespace scalestyle::search
