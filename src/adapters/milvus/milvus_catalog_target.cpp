#include "adapters/milvus/milvus_catalog_target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace scalestyle::adapters::milvus {

namespace {

constexpr std::size_t kRowsAtOnce = 1'000;

}  // namespace

core::Result<std::unique_ptr<MilvusCatalogTarget>> MilvusCatalogTarget::create(MilvusCollectionWriter::Options options,
                                                                               Dependencies dependencies) {
  std::unique_ptr<MilvusCatalogTarget> target(new MilvusCatalogTarget(dependencies));
  const MilvusCollectionWriter::Dependencies writing{.client = dependencies.client, .clock = dependencies.clock};
  options.kind = MilvusCollectionKind::kTexts;
  CORE_TRY(target->texts_, MilvusCollectionWriter::create(options, writing));
  options.kind = MilvusCollectionKind::kPhotos;
  CORE_TRY(target->photos_, MilvusCollectionWriter::create(options, writing));
  return target;
}

core::Task<core::Result<std::optional<core::GenerationId>>> MilvusCatalogTarget::current(core::Deadline deadline) {
  CORE_CO_TRY([[maybe_unused]] const auto version, co_await use_.client.server_version(deadline));
  co_return std::optional<core::GenerationId>();
}

// A complete collection of a generation that nobody was told of is left by a run that died late: it is made anew.
core::Task<core::Status> MilvusCatalogTarget::begin_one(MilvusCollectionWriter& writer, ports::EncoderInfo encoder,
                                                        core::Deadline deadline) {
  const core::GenerationId id = generation_.snapshot->info.id;
  auto begun = co_await writer.begin(id, encoder, deadline);
  if (begun || begun.error().code != core::ErrorCode::kAlreadyExists) co_return begun;
  CORE_CO_CHECK(co_await writer.drop(id, deadline));
  co_return co_await writer.begin(id, std::move(encoder), deadline);
}

core::Task<core::Status> MilvusCatalogTarget::begin(ports::TargetGeneration generation, core::Deadline deadline) {
  generation_ = std::move(generation);
  const ports::GenerationInfo& info = generation_.snapshot->info;
  CORE_CO_CHECK(co_await begin_one(*texts_, info.document_encoder, deadline));
  if (generation_.image_vectors == 0) co_return core::Status();
  if (!info.image_encoder) {
    co_return core::fail(core::ErrorCode::kInvalidArgument, "vectors of photos without the model that made them");
  }
  co_return co_await begin_one(*photos_, *info.image_encoder, deadline);
}

core::Task<core::Status> MilvusCatalogTarget::write_articles(core::Deadline /*deadline*/) { co_return core::Status(); }

core::Task<core::Status> MilvusCatalogTarget::write_vectors(ports::VectorSlice slice, core::Deadline deadline) {
  const ports::CatalogSnapshot& snapshot = *generation_.snapshot;
  if (slice.values.size() != slice.rows.size() * slice.dimension) {
    co_return core::fail(core::ErrorCode::kInvalidArgument,
                         fmt::format("{} values for {} vectors of {} dimensions", slice.values.size(), slice.rows.size(), slice.dimension));
  }
  MilvusCollectionWriter& writer = slice.kind == ports::VectorsOf::kTexts ? *texts_ : *photos_;
  for (std::size_t begin = 0; begin < slice.rows.size(); begin += kRowsAtOnce) {
    const std::size_t end = std::min(begin + kRowsAtOnce, slice.rows.size());
    std::vector<MilvusRow> rows;
    rows.reserve(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      if (slice.rows[i] >= snapshot.catalog->size()) {
        co_return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("there is no row {} in the catalogue", slice.rows[i]));
      }
      rows.push_back(row_of(snapshot.catalog->row(catalog::RowIndex{slice.rows[i]}), slice.values.subspan(i * slice.dimension, slice.dimension)));
    }
    CORE_CO_CHECK(co_await writer.insert(snapshot.info.id, std::move(rows), deadline));
  }
  co_return core::Status();
}

core::Task<core::Result<ports::TargetCounts>> MilvusCatalogTarget::finish(core::Deadline deadline) {
  const core::GenerationId id = generation_.snapshot->info.id;
  ports::TargetCounts counts;
  CORE_CO_CHECK(co_await texts_->complete(id, generation_.text_vectors, deadline));
  counts.text_vectors = generation_.text_vectors;
  if (generation_.image_vectors > 0) CORE_CO_CHECK(co_await photos_->complete(id, generation_.image_vectors, deadline));
  counts.image_vectors = generation_.image_vectors;
  co_return counts;
}

core::Task<core::Status> MilvusCatalogTarget::switch_to(core::Deadline /*deadline*/) { co_return core::Status(); }

core::Task<core::Status> MilvusCatalogTarget::abort(core::Deadline deadline) {
  if (generation_.snapshot == nullptr) co_return core::Status();
  const core::GenerationId id = generation_.snapshot->info.id;
  CORE_CO_CHECK(co_await texts_->drop(id, deadline));
  co_return co_await photos_->drop(id, deadline);
}

core::Task<core::Result<std::size_t>> MilvusCatalogTarget::remove_others(std::set<core::GenerationId> keep, core::Deadline deadline) {
  if (use_.use == nullptr) co_return std::size_t{0};
  std::vector<core::GenerationId> kept(keep.begin(), keep.end());
  CORE_CO_TRY(const auto dropped, co_await texts_->drop_unused(*use_.use, std::move(kept), deadline));
  co_return dropped.size();
}

}  // namespace scalestyle::adapters::milvus
