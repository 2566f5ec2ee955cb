#include "search/snapshot_holder.hpp"

#include <fmt/format.h>

#include <utility>

#include "recommend/popularity.hpp"
#include "search/outfit.hpp"

namespace scalestyle::search {

namespace {

struct HeldLexical {
  std::shared_ptr<const catalog::Catalog> catalog;
  retrieval::LexicalIndex index;
};

}  // namespace

namespace detail {

// How many ServingGeneration objects there are of each id. A store may go back to a generation that old requests
// still hold: only the last of them closes it.
struct OpenGenerations {
  explicit OpenGenerations(ports::VectorIndex& vectors) : index(vectors) {}

  void acquire(const core::GenerationId& id) {
    const std::lock_guard lock(mutex);
    ++holders[id];
  }
  void release(const core::GenerationId& id) {
    const std::lock_guard lock(mutex);
    const auto found = holders.find(id);
    if (--found->second > 0) return;
    holders.erase(found);
    index.close(id);  // under the lock: an acquire of the same id must open it again afterwards
    if (images != nullptr) images->close(id);
  }

  ports::VectorIndex& index;
  ports::VectorIndex* images = nullptr;  // set before the first acquire()
  std::mutex mutex;
  std::map<core::GenerationId, std::size_t> holders;  // guarded by mutex
};

}  // namespace detail

ServingGeneration::~ServingGeneration() { open_->release(parts_.snapshot->info.id); }

std::string dense_mismatch(const ports::EncoderInfo& documents, const ports::EncoderInfo& query) {
  const char* const advice = "run ingest with the model that the server uses, or start the server with the generation's model";
  if (documents.model != query.model) {
    return fmt::format("the generation's vectors were made by the model \"{}\", queries are embedded by \"{}\": {}",
                       documents.model, query.model, advice);
  }
  if (documents.dimension != query.dimension) {
    return fmt::format("the generation's vectors have {} dimensions, the query model {} gives {}: {}", documents.dimension,
                       query.model, query.dimension, advice);
  }
  const bool both_known = !documents.weights_hash.empty() && !query.weights_hash.empty();
  if (both_known && documents.weights_hash != query.weights_hash) {
    return fmt::format("the generation's vectors were made by other weights of {} (SHA-256 {:.12}…) than the query's ({:.12}…): {}",
                       query.model, documents.weights_hash, query.weights_hash, advice);
  }
  return {};
}

SnapshotHolder::SnapshotHolder(ports::CatalogStore& store, ports::VectorIndex& index, ports::EncoderInfo query_encoder,
                               recommend::Popularity* popularity, LookupOptions lookup)
    : store_(store),
      index_(index),
      query_encoder_(std::move(query_encoder)),
      popularity_(popularity),
      lookup_(lookup),
      open_(std::make_shared<detail::OpenGenerations>(index)) {}

SnapshotHolder::~SnapshotHolder() = default;

std::shared_ptr<const ServingGeneration> SnapshotHolder::serving() const {
  const std::lock_guard lock(mutex_);
  return serving_;
}

std::string SnapshotHolder::dense_refusal(const ports::GenerationInfo& info) const {
  return dense_mismatch(info.document_encoder, query_encoder_);
}

std::string SnapshotHolder::picture_refusal(const ports::GenerationInfo& info) const {
  if (image_index_ == nullptr) return "this server does not look into pictures: start it with vision_enabled=true";
  if (!info.image_encoder) {
    return fmt::format("generation {} has no vectors of photos: run ingest with images and vision_enabled=true", info.id.value());
  }
  return dense_mismatch(*info.image_encoder, image_encoder_);
}

void SnapshotHolder::look_into_pictures(ports::VectorIndex& index, ports::EncoderInfo query_encoder) {
  image_index_ = &index;
  image_encoder_ = std::move(query_encoder);
  open_->images = &index;
}

std::string SnapshotHolder::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

core::Task<core::Result<RefreshOutcome>> SnapshotHolder::refresh(core::Deadline deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (refreshing_) co_return RefreshOutcome::kBusy;
    refreshing_ = true;
  }
  core::Result<RefreshOutcome> outcome = core::fail(core::ErrorCode::kInternal, "the refresh did not end");
  try {
    outcome = co_await refresh_alone(deadline);
  } catch (const std::exception& failure) {
    outcome = core::fail(core::ErrorCode::kInternal, fmt::format("the refresh failed: {}", failure.what()));
  }
  const std::lock_guard lock(mutex_);
  refreshing_ = false;
  last_error_ = outcome ? std::string() : outcome.error().message;
  co_return outcome;
}

core::Task<core::Result<RefreshOutcome>> SnapshotHolder::refresh_alone(core::Deadline deadline) {
  CORE_CO_TRY(const core::GenerationId current, co_await store_.current(deadline));
  if (const auto now = serving(); now != nullptr && now->info().id == current) co_return RefreshOutcome::kUnchanged;

  CORE_CO_TRY(auto snapshot, co_await store_.load(current, deadline));
  if (snapshot->info.id != current) {
    co_return core::fail(core::ErrorCode::kDataLoss, fmt::format("the store gave generation {} for {}",
                                                                 snapshot->info.id.value(), current.value()));
  }
  if (follower_ != nullptr) {
    CORE_CO_CHECK(co_await follower_->switch_base(std::move(snapshot), deadline));
    co_return RefreshOutcome::kSwitched;
  }
  CORE_CO_TRY(auto parts, co_await prepare(std::move(snapshot), deadline));
  CORE_CO_CHECK(co_await publish_base(std::move(parts), deadline));
  co_return RefreshOutcome::kSwitched;
}

core::Task<core::Result<ServingGeneration::Parts>> SnapshotHolder::prepare(std::shared_ptr<const ports::CatalogSnapshot> snapshot,
                                                                           core::Deadline deadline) {
  ServingGeneration::Parts parts{.snapshot = snapshot,
                                 .dense_refusal = dense_refusal(snapshot->info),
                                 .picture_refusal = picture_refusal(snapshot->info)};
  CORE_CO_TRY(auto lexical, retrieval::LexicalIndex::build(*snapshot->catalog, lookup_.lexical));
  // The index reads the catalogue that it was built from, also when a later state of the same rows is served.
  const auto held = std::make_shared<const HeldLexical>(snapshot->catalog, std::move(lexical));
  parts.lexical = {held, &held->index};
  parts.orders = std::make_shared<const BrowseOrders>(*snapshot->catalog);
  parts.slots = outfit_slots(*snapshot->catalog);
  parts.hues = std::make_shared<const ranking::RowHues>(*snapshot->catalog);
  const ports::GenerationInfo& info = snapshot->info;
  parts.understanding = std::make_shared<const retrieval::QueryUnderstanding>(
      snapshot->catalog, retrieval::price_unit(*snapshot->catalog, info.currency, info.price_scale), lookup_.understanding);
  parts.suggestions = std::make_shared<const retrieval::Suggestions>(*snapshot->catalog);
  if (popularity_ != nullptr) parts.popularity = co_await popularity_->prepare(snapshot, deadline);
  co_return parts;
}

std::shared_ptr<const ServingGeneration> SnapshotHolder::make(ServingGeneration::Parts parts) {
  const core::GenerationId id = parts.snapshot->info.id;
  open_->acquire(id);
  try {
    return std::make_shared<const ServingGeneration>(open_, std::move(parts));
  } catch (...) {
    open_->release(id);
    throw;
  }
}

void SnapshotHolder::serve(std::shared_ptr<const ServingGeneration> next) {
  const std::lock_guard lock(mutex_);
  serving_.swap(next);
}  // `next`, the caller's argument, holds the old state and lets it go outside the lock

core::Task<core::Status> SnapshotHolder::publish_base(ServingGeneration::Parts parts, core::Deadline deadline) {
  auto next = make(std::move(parts));
  CORE_CO_CHECK(co_await index_.open(next->info().id, deadline));
  if (image_index_ != nullptr) CORE_CO_CHECK(co_await image_index_->open(next->info().id, deadline));
  serve(std::move(next));
  co_return core::Status();
}

void SnapshotHolder::publish(ServingGeneration::Parts parts) { serve(make(std::move(parts))); }

}  // namespace scalestyle::search
