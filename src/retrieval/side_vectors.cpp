#include "retrieval/side_vectors.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "nn/kernels/scan.hpp"

namespace scalestyle::retrieval {

void SideVectors::add(catalog::RowIndex row, std::shared_ptr<const std::vector<float>> vector) {
  assert(vector->size() == dimension_ && (rows_.empty() || rows_.back() < row));
  rows_.push_back(row);
  vectors_.push_back(std::move(vector));
}

const std::vector<float>* SideVectors::vector_of(catalog::RowIndex row) const {
  const auto found = std::ranges::lower_bound(rows_, row);
  if (found == rows_.end() || *found != row) return nullptr;
  return vectors_[static_cast<std::size_t>(found - rows_.begin())].get();
}

std::vector<SideHit> SideVectors::search(std::span<const float> query, const catalog::Bitmap* eligible, std::size_t k) const {
  assert(query.size() == dimension_);
  std::vector<SideHit> hits;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (eligible != nullptr && !eligible->test(rows_[i])) continue;
    hits.push_back({rows_[i], nn::kernels::dot_f32(query.data(), vectors_[i]->data(), dimension_)});
  }
  const auto better = [](const SideHit& a, const SideHit& b) { return a.score != b.score ? a.score > b.score : a.row < b.row; };
  const auto kept = hits.begin() + static_cast<std::ptrdiff_t>(std::min(k, hits.size()));
  std::partial_sort(hits.begin(), kept, hits.end(), better);
  hits.erase(kept, hits.end());
  return hits;
}

}  // namespace scalestyle::retrieval
