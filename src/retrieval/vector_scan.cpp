#include "retrieval/vector_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/request_steps.hpp"
#include "retrieval/vector_scan_state.hpp"

namespace scalestyle::retrieval {
namespace {

namespace kernels = nn::kernels;

constexpr std::size_t kSharedRescoreRows = 384;  // f32 products worth waking another thread for
constexpr std::size_t kPrefetchRows = 8;
constexpr float kMaxQueryMagnitude = 1e6F;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Between rows to rescore lie others: without this, each would be waited for.
void prefetch(std::span<const float> row) {
  constexpr std::size_t kLineFloats = 16;
  for (std::size_t i = 0; i < row.size(); i += kLineFloats) __builtin_prefetch(row.data() + i);
}

bool better(const VectorHit& a, const VectorHit& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; }

core::Status check_query(const VectorQuery& query, std::size_t index, const QuantizedVectors& vectors) {
  const auto invalid = [index](std::string_view what) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("vector query {}: {}", index, what));
  };
  if (query.vector.size() != vectors.dimension) {
    return invalid(fmt::format("{} values, the collection has dimension {}", query.vector.size(), vectors.dimension));
  }
  if (query.k == 0) return invalid("k is 0");
  for (const float value : query.vector) {
    if (!(std::abs(value) <= kMaxQueryMagnitude)) return invalid(fmt::format("has the value {}", value));
  }
  const std::size_t words = (vectors.rows + kBlockRows - 1) / kBlockRows;
  if (!query.eligible.empty() && query.eligible.size() != words) {
    return invalid(fmt::format("{} bitmap words, {} rows need {}", query.eligible.size(), vectors.rows, words));
  }
  return {};
}

}  // namespace

// Unites the parts' candidates of one query and drops those that k others are proven to beat.
void VectorScanJob::State::merge(std::size_t query_index) {
  Query& query = queries[query_index];
  float threshold = query.shared_threshold.load(std::memory_order_relaxed);
  query.candidates.clear();
  for (std::size_t i = 0; i < part_count; ++i) {
    for (const ScanCandidate& candidate : parts[i].collectors[query_index].candidates()) {
      if (candidate.upper() >= threshold) query.candidates.push_back(candidate);
    }
  }
  const std::size_t k = query.input.k;
  if (query.candidates.size() <= k) return;
  query.scores.clear();
  for (const ScanCandidate& candidate : query.candidates) query.scores.push_back(candidate.lower());
  const auto kth = query.scores.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::ranges::nth_element(query.scores, kth, std::greater<>());
  threshold = *kth;
  std::erase_if(query.candidates, [threshold](const ScanCandidate& candidate) { return candidate.upper() < threshold; });
}

// First round: the k rows with the best estimates. The others stay candidates.
void VectorScanJob::State::choose_first(Query& query) {
  query.hits.clear();
  query.rows.clear();
  const std::size_t k = query.input.k;
  float kth = -kInfinity;
  std::size_t ties = k;  // rows to take of those at the kth estimate
  if (query.candidates.size() > k) {
    query.scores.clear();
    for (const ScanCandidate& candidate : query.candidates) query.scores.push_back(candidate.estimate);
    const auto last = query.scores.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::ranges::nth_element(query.scores, last, std::greater<>());
    kth = *last;
    ties = k - static_cast<std::size_t>(std::count_if(query.scores.begin(), last, [kth](float e) { return e > kth; }));
  }
  std::erase_if(query.candidates, [&](const ScanCandidate& candidate) {
    if (candidate.estimate < kth) return false;
    if (candidate.estimate == kth && ties == 0) return false;
    if (candidate.estimate == kth) --ties;
    query.rows.push_back(candidate.row);
    return true;
  });
}

// Second round: of the others, those whose upper end reaches the worst score of the first round. k scores are at least
// that good, so a row that stays out is beaten by k rows whatever its score.
void VectorScanJob::State::choose_rest(Query& query) {
  query.rows.clear();
  if (query.candidates.empty()) return;
  float worst = kInfinity;
  for (const VectorHit& hit : query.hits) worst = std::min(worst, hit.score);
  for (const ScanCandidate& candidate : query.candidates) {
    if (candidate.upper() >= worst) query.rows.push_back(candidate.row);
  }
}

// The products of a round in the order of the rows, to within a block: queries of a batch share rows, and memory is
// read in one direction, which is several times as fast as here and there.
void VectorScanJob::State::list_products() {
  product_places.assign((exact.rows + kBlockRows - 1) / kBlockRows + 1, 0);
  for (const Query& query : std::span(queries.data(), query_count)) {
    for (const std::uint32_t row : query.rows) ++product_places[row / kBlockRows + 1];
  }
  for (std::size_t block = 1; block < product_places.size(); ++block) product_places[block] += product_places[block - 1];
  products.resize(product_places.back());
  for (std::size_t q = 0; q < query_count; ++q) {
    Query& query = queries[q];
    query.scores.resize(query.rows.size());
    for (std::uint32_t slot = 0; slot < query.rows.size(); ++slot) {
      const std::uint32_t row = query.rows[slot];
      products[product_places[row / kBlockRows]++] = {row, slot, q};
    }
  }
}

void VectorScanJob::State::compute(std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) {
    if (i + kPrefetchRows < last) prefetch(exact.row(products[i + kPrefetchRows].row));
    const Product& product = products[i];
    Query& query = queries[product.query];
    query.scores[product.slot] =
        kernels::dot_f32(query.input.vector.data(), exact.row(product.row).data(), exact.dimension);
  }
}

// f32 scores of every query's chosen rows.
void VectorScanJob::State::rescore(const ParallelFor& parallel_for) {
  list_products();
  const std::size_t total = products.size();
  if (part_count > 1 && total >= kSharedRescoreRows) {
    parallel_for(part_count, [&](std::size_t part) {
      compute(total * part / part_count, total * (part + 1) / part_count);
    });
  } else {
    compute(0, total);
  }
  rows_rescored += total;
}

void VectorScanJob::State::keep_scores(Query& query) {
  for (std::size_t i = 0; i < query.rows.size(); ++i) {
    const float score = query.scores[i];
    // A damaged row that scores "not a number" goes last instead of upsetting the order of all others.
    query.hits.push_back({query.rows[i], score == score ? score : -kInfinity});
  }
}

void VectorScanJob::State::finish(Query& query) {
  const std::size_t count = std::min(query.input.k, query.hits.size());
  const auto end = query.hits.begin() + static_cast<std::ptrdiff_t>(count);
  if (count < query.hits.size()) std::ranges::nth_element(query.hits, end, better);
  query.hits.resize(count);
  std::ranges::sort(query.hits, better);
}

VectorScanJob::VectorScanJob() : state_(std::make_unique<State>()) {}
VectorScanJob::~VectorScanJob() = default;
VectorScanJob::VectorScanJob(VectorScanJob&&) noexcept = default;
VectorScanJob& VectorScanJob::operator=(VectorScanJob&&) noexcept = default;

core::Status VectorScanJob::begin(const QuantizedVectors& quantized, const ExactVectors& exact,
                                  std::span<const VectorQuery> queries, std::size_t parts) {
  const auto invalid = [](std::string message) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message));
  };
  if (queries.empty() || queries.size() > kMaxBatchQueries) {
    return invalid(fmt::format("{} vector queries at once, 1 … {} can be", queries.size(), kMaxBatchQueries));
  }
  if (parts == 0 || parts > kMaxScanParts) {
    return invalid(fmt::format("{} scan parts, 1 … {} can be", parts, kMaxScanParts));
  }
  if (quantized.rows != exact.rows || quantized.dimension != exact.dimension) {
    return invalid(fmt::format("int8 vectors are {} × {}, f32 vectors {} × {}", quantized.rows, quantized.dimension,
                               exact.rows, exact.dimension));
  }
  for (std::size_t i = 0; i < queries.size(); ++i) CORE_CHECK(check_query(queries[i], i, quantized));

  State& state = *state_;
  state.quantized = quantized;
  state.exact = exact;
  state.query_count = queries.size();
  state.part_count = parts;
  state.rows_rescored = 0;
  for (std::size_t i = 0; i < queries.size(); ++i) state.queries[i].input = queries[i];
  CORE_CHECK(state.prepare_queries());
  state.unite_bitmaps();
  if (state.parts.size() < parts) state.parts.resize(parts);
  state.split_blocks();
  return {};
}

void VectorScanJob::run(const ParallelFor& parallel_for) {
  State& state = *state_;
  {
    const core::StepTimer timer(core::RequestStep::kScan);
    parallel_for(state.part_count, [&state](std::size_t part) { state.scan(state.parts[part]); });
  }
  const core::StepTimer timer(core::RequestStep::kRescore);
  const std::span active(state.queries.data(), state.query_count);
  for (std::size_t query = 0; query < state.query_count; ++query) state.merge(query);
  for (State::Query& query : active) state.choose_first(query);
  state.rescore(parallel_for);
  for (State::Query& query : active) state.keep_scores(query);
  for (State::Query& query : active) state.choose_rest(query);
  state.rescore(parallel_for);
  for (State::Query& query : active) state.keep_scores(query);
  for (State::Query& query : active) state.finish(query);
}

void VectorScanJob::run() {
  run([](std::size_t count, const std::function<void(std::size_t)>& body) {
    for (std::size_t i = 0; i < count; ++i) body(i);
  });
}

std::span<const VectorHit> VectorScanJob::hits(std::size_t query) const { return state_->queries[query].hits; }

VectorScanWork VectorScanJob::work() const {
  VectorScanWork work;
  work.rows_rescored = state_->rows_rescored;
  for (std::size_t i = 0; i < state_->part_count; ++i) {
    work.rows_estimated += state_->parts[i].rows_estimated;
    for (std::size_t q = 0; q < state_->query_count; ++q) work.rows_collected += state_->parts[i].collectors[q].added();
  }
  return work;
}

}  // namespace scalestyle::retrieval
