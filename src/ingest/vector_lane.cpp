#include "ingest/vector_lane.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <span>

#include "core/files.hpp"

namespace scalestyle::ingest {

namespace {

core::Result<core::MappedFile> open_work(const VectorLane& lane) {
  if (!lane.work) return core::MappedFile();
  CORE_TRY(auto file, core::MappedFile::open(lane.work->vectors_path()));
  if (file.bytes().size() == lane.plan.items.size() * lane.encoder.dimension * sizeof(float)) return file;
  return core::fail(core::ErrorCode::kDataLoss,
                    fmt::format("{} has {} bytes instead of {} vectors; delete its folder and ingest again",
                                lane.work->vectors_path().string(), file.bytes().size(), lane.plan.items.size()));
}

}  // namespace

core::Result<GatheredVectors> gather_vectors(const VectorLane& lane) {
  const std::size_t dimension = lane.encoder.dimension;
  CORE_TRY(const auto file, open_work(lane));
  const std::span embedded(reinterpret_cast<const float*>(file.bytes().data()), file.bytes().size() / sizeof(float));
  std::vector<bool> is_rejected(lane.plan.items.size());
  if (lane.work) {
    for (const RejectedItem& item : lane.work->rejected()) is_rejected[item.item] = true;
  }
  GatheredVectors gathered;
  gathered.values.reserve(lane.plan.rows.size() * dimension);
  for (std::uint32_t row = 0; row < lane.plan.rows.size(); ++row) {
    const RowVector& from = lane.plan.rows[row];
    std::span<const float> vector;
    switch (from.from) {
      case RowVector::From::kNone: continue;
      case RowVector::From::kEmbedded:
        if (is_rejected[from.index]) continue;
        vector = embedded.subspan(from.index * dimension, dimension);
        break;
      case RowVector::From::kReused: vector = lane.reusable->vector(from.index); break;
      case RowVector::From::kSupplied: vector = lane.supplied->find({from.index}); break;
    }
    gathered.values.insert(gathered.values.end(), vector.begin(), vector.end());
    gathered.rows.push_back({catalog::RowIndex{row}, lane.plan.origins[row]});
  }
  return gathered;
}

}  // namespace scalestyle::ingest
