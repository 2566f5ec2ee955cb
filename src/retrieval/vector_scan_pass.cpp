// The pass over the int8 rows: estimates, and the rows whose score may be among the best.

#include <algorithm>
#include <bit>
#include <utility>

#include "nn/kernels/isa.hpp"
#include "retrieval/vector_scan_state.hpp"

namespace scalestyle::retrieval {
namespace {

namespace kernels = nn::kernels;

constexpr int kDenseBits = 40;               // from here on a whole block is cheaper than its rows one by one
constexpr float kInfinity = std::numeric_limits<float>::infinity();

constexpr std::size_t kDeepQuery = 512;

// A second plane saves a quarter of the f32 products. One query waits for memory, and tiles multiply sixteen planes in
// the time of one: there it is free. More queries must ask for many rows for it to pay, and without tiles it never does.
std::size_t planes_for(std::size_t query_count, std::size_t rows_wanted) {
  if (query_count == 1) return 2;
  if (kernels::active_isa() != kernels::Isa::kAmxInt8) return 1;
  return 2 * query_count <= kernels::kMaxScanQueries || rows_wanted >= kDeepQuery * query_count ? 2 : 1;
}

struct RowFigures {
  std::array<float, kBlockRows> scales, errors, norms, projections;
};

}  // namespace

core::Status VectorScanJob::State::prepare_queries() {
  std::size_t rows_wanted = 0;
  for (const Query& query : std::span(queries.data(), query_count)) rows_wanted += std::min(query.input.k, exact.rows);
  plane_count = planes_for(query_count, rows_wanted);
  const std::size_t per_group = kernels::kMaxScanQueries / plane_count;
  groups.clear();
  for (std::size_t first = 0; first < query_count; first += per_group) {
    const std::size_t count = std::min(per_group, query_count - first);
    const std::size_t query_codes = plane_count * quantized.stride;
    codes.resize(count * query_codes);
    for (std::size_t i = 0; i < count; ++i) {
      Query& query = queries[first + i];
      query.group = groups.size();
      query.first_slot = i * plane_count;
      query.shared_threshold.store(-kInfinity, std::memory_order_relaxed);
      query.planes = quantize_query(query.input.vector, quantized,
                                    std::span(codes).subspan(i * query_codes, query_codes), plane_count);
    }
    CORE_TRY(kernels::ScanQueries group, kernels::ScanQueries::prepare(codes, quantized.stride));
    groups.push_back(std::move(group));
  }
  return {};
}

void VectorScanJob::State::unite_bitmaps() {
  eligible.clear();
  const std::span active(queries.data(), query_count);
  if (std::ranges::any_of(active, [](const Query& query) { return query.input.eligible.empty(); })) return;
  eligible.assign(active.front().input.eligible.begin(), active.front().input.eligible.end());
  for (const Query& query : active.subspan(1)) {
    for (std::size_t word = 0; word < eligible.size(); ++word) eligible[word] |= query.input.eligible[word];
  }
}

// Equal work a part: eligible rows are seldom spread evenly.
void VectorScanJob::State::split_blocks() {
  const std::size_t blocks = (quantized.rows + kBlockRows - 1) / kBlockRows;
  const auto cost_of = [this](std::size_t block) {
    return eligible.empty() ? kBlockRows : static_cast<std::size_t>(std::popcount(eligible[block]));
  };
  std::size_t total = 0;
  for (std::size_t block = 0; block < blocks; ++block) total += cost_of(block);
  std::size_t block = 0;
  std::size_t cost = 0;
  for (std::size_t i = 0; i < part_count; ++i) {
    Part& part = parts[i];
    part.first_block = block;
    const std::size_t target = total * (i + 1) / part_count;
    while (block < blocks && (cost < target || i + 1 == part_count)) cost += cost_of(block++);
    part.last_block = block;
    part.rows_estimated = 0;
    part.row_count = 0;
    part.collectors.resize(std::max(part.collectors.size(), query_count));
    for (std::size_t q = 0; q < query_count; ++q) {
      part.collectors[q].begin(queries[q].input.k, queries[q].planes.range);
    }
  }
}

void VectorScanJob::State::scan(Part& part) {
  for (std::size_t block = part.first_block; block < part.last_block; ++block) {
    const std::size_t rows = std::min(kBlockRows, quantized.rows - block * kBlockRows);
    const std::uint64_t existing = ~std::uint64_t{0} >> (kBlockRows - rows);
    scan_block(part, block, eligible.empty() ? existing : eligible[block] & existing);
  }
  if (part.row_count > 0) scan_picked_rows(part);
}

void VectorScanJob::State::scan_block(Part& part, std::size_t block, std::uint64_t wanted) {
  if (wanted == 0) return;
  const std::size_t first_row = block * kBlockRows;
  if (std::popcount(wanted) < kDenseBits) {
    for (; wanted != 0; wanted &= wanted - 1) {
      const std::size_t row = first_row + static_cast<std::size_t>(std::countr_zero(wanted));
      part.rows[part.row_count++] = static_cast<std::uint32_t>(row);
      if (part.row_count == kBlockRows) scan_picked_rows(part);
    }
    return;
  }
  const std::size_t count = std::min(kBlockRows, quantized.rows - first_row);
  std::size_t query = 0;
  for (const kernels::ScanQueries& group : groups) {
    kernels::dot_int8(group, quantized.row(first_row), count, part.dots.data(), kBlockRows);
    for (std::size_t slot = 0; slot < group.count(); slot += plane_count, ++query) {
      estimate(part, query, count, {}, first_row);
    }
  }
}

void VectorScanJob::State::scan_picked_rows(Part& part) {
  const std::span<const std::uint32_t> picked(part.rows.data(), part.row_count);
  std::size_t query = 0;
  for (const kernels::ScanQueries& group : groups) {
    kernels::dot_int8_rows(group, quantized.codes.data(), picked, part.dots.data(), kBlockRows);
    for (std::size_t slot = 0; slot < group.count(); slot += plane_count, ++query) {
      estimate(part, query, picked.size(), picked, 0);
    }
  }
  part.row_count = 0;
}

// part.dots has the products of one group with `count` rows: the rows `picked`, or those from first_row on.
void VectorScanJob::State::estimate(Part& part, std::size_t query_index, std::size_t count,
                                    std::span<const std::uint32_t> picked, std::size_t first_row) {
  const Query& query = queries[query_index];
  const std::int32_t* high = part.dots.data() + query.first_slot * kBlockRows;
  RowFigures gathered;
  kernels::IntervalRows rows{quantized.scales.data() + first_row,      quantized.errors.data() + first_row,
                             quantized.norms.data() + first_row,       quantized.projections.data() + first_row,
                             {high, plane_count == 2 ? high + kBlockRows : nullptr}, count};
  if (!picked.empty()) {
    for (std::size_t i = 0; i < count; ++i) {
      gathered.scales[i] = quantized.scales[picked[i]];
      gathered.errors[i] = quantized.errors[picked[i]];
      gathered.norms[i] = quantized.norms[picked[i]];
      gathered.projections[i] = quantized.projections[picked[i]];
    }
    rows.scales = gathered.scales.data();
    rows.errors = gathered.errors.data();
    rows.norms = gathered.norms.data();
    rows.projections = gathered.projections.data();
  }
  const QueryPlanes& planes = query.planes;
  const kernels::IntervalQuery figures{planes.scales, planes.common, planes.norm, planes.loss, planes.slack};
  const float threshold = part.collectors[query_index].threshold();
  std::uint64_t reaching = kernels::score_intervals(figures, rows, threshold, part.intervals);
  const std::span<const std::uint64_t> own = query.input.eligible;
  if (picked.empty() && !own.empty()) reaching &= own[first_row / kBlockRows];
  part.rows_estimated += count;
  if (reaching != 0) collect(part, query_index, reaching, picked, first_row);
}

// Bit i of `reaching`: the i-th row of the block, or of the picked ones, may be among the best.
void VectorScanJob::State::collect(Part& part, std::size_t query_index, std::uint64_t reaching,
                                   std::span<const std::uint32_t> picked, std::size_t first_row) {
  Query& query = queries[query_index];
  CandidateCollector& collector = part.collectors[query_index];
  collector.raise_to(query.shared_threshold.load(std::memory_order_relaxed));
  const float before = collector.threshold();
  const std::span<const std::uint64_t> own = query.input.eligible;
  for (; reaching != 0; reaching &= reaching - 1) {
    const auto i = static_cast<std::size_t>(std::countr_zero(reaching));
    const ScanCandidate candidate{picked.empty() ? static_cast<std::uint32_t>(first_row + i) : picked[i],
                                  part.intervals.estimates[i], part.intervals.bounds[i]};
    if (!(candidate.upper() >= collector.threshold())) continue;
    if (!picked.empty() && !own.empty() &&
        (own[candidate.row / kBlockRows] >> (candidate.row % kBlockRows) & 1U) == 0) {
      continue;
    }
    collector.add(candidate);
  }
  const float after = collector.threshold();
  if (after == before) return;
  float shared = query.shared_threshold.load(std::memory_order_relaxed);
  while (shared < after && !query.shared_threshold.compare_exchange_weak(shared, after, std::memory_order_relaxed)) {
  }
}

}  // namespace scalestyle::retrieval
