#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "adapters/milvus/milvus_writer_impl.hpp"

namespace scalestyle::adapters::milvus {

using core::ErrorCode;

namespace {

constexpr std::size_t kIdsACall = 1'000;
constexpr std::size_t kRowsATime = 2'000;  // made of a catalogue before they are sent

core::Status refuse(std::string message, std::string field) {
  return core::fail(ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

core::Status check_rows(const std::vector<MilvusRow>& rows) {
  for (const MilvusRow& row : rows) CORE_CHECK(check_row(row, rows.front().vector.size()));
  return {};
}

}  // namespace

core::Status MilvusCollectionWriter::Options::validate() const {
  if (!is_collection_prefix(collection_prefix)) {
    return refuse("a prefix has letters, digits and _ (64 at most) and begins with no digit", "milvus_prefix");
  }
  if (m < 4 || m > 64) return refuse("M is 4 … 64", "milvus_m");
  if (ef_construction < 8 || ef_construction > 512) return refuse("efConstruction is 8 … 512", "milvus_ef_construction");
  if (nlist < 1 || nlist > 65'536) return refuse("nlist is 1 … 65,536", "milvus_nlist");
  if (shards < 1 || shards > 16) return refuse("a collection has 1 … 16 shards", "milvus_shards");
  if (batch_bytes < std::size_t{64} << 10U || batch_bytes > std::size_t{32} << 20U) {
    return refuse("a message has 64 KiB … 32 MiB", "milvus_batch_bytes");
  }
  if (write_timeout.count() < 1) return refuse("a write takes 1 ms at least", "milvus_write_timeout_ms");
  if (build_timeout.count() < 1) return refuse("a build takes 1 ms at least", "milvus_build_timeout_ms");
  if (abandoned_after.count() < 0) return refuse("a time is not negative", "milvus_abandoned_after_ms");
  return {};
}

core::Result<std::unique_ptr<MilvusCollectionWriter>> MilvusCollectionWriter::create(Options options, Dependencies dependencies) {
  CORE_CHECK(options.validate());
  auto impl = std::make_shared<Impl>(std::move(options), dependencies);
  return std::unique_ptr<MilvusCollectionWriter>(new MilvusCollectionWriter(std::move(impl)));
}

MilvusCollectionWriter::MilvusCollectionWriter(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
MilvusCollectionWriter::~MilvusCollectionWriter() = default;

core::Task<core::Status> MilvusCollectionWriter::fill(core::GenerationId generation, GenerationVectors vectors,
                                                      core::Deadline deadline) {
  const auto impl = impl_;
  const std::size_t dimension = vectors.encoder.dimension;
  const std::size_t count = vectors.rows.empty() ? vectors.catalog->size() : vectors.rows.size();
  if (dimension == 0 || vectors.values.size() != count * dimension) {
    co_return core::fail(ErrorCode::kInvalidArgument,
                         fmt::format("{} numbers for {} vectors of {} dimensions", vectors.values.size(), count, dimension));
  }
  auto begun = co_await begin(generation, vectors.encoder, deadline);
  if (!begun && begun.error().code == ErrorCode::kAlreadyExists) {
    std::string name = impl->name_of(generation);
    CORE_CO_TRY(const auto facts, co_await impl->calls.describe(std::move(name), deadline));
    const bool is_same = facts.encoder == vectors.encoder && facts.index == impl->options.index && facts.articles == count &&
                         facts.generation == generation;
    if (is_same) co_return core::Status();
    co_return core::fail(
        ErrorCode::kFailedPrecondition,
        fmt::format("{}, and is another: {} vectors of {} dimensions of the model \"{}\", instead of {} of {} of \"{}\"",
                    begun.error().message, facts.articles, facts.encoder.dimension, facts.encoder.model, count, dimension,
                    vectors.encoder.model));
  }
  if (!begun) co_return begun;
  for (std::size_t first = 0; first < count; first += kRowsATime) {
    std::vector<MilvusRow> rows;
    const std::size_t end = std::min(count, first + kRowsATime);
    rows.reserve(end - first);
    for (std::size_t i = first; i < end; ++i) {
      const auto row = vectors.rows.empty() ? catalog::RowIndex{static_cast<std::uint32_t>(i)} : vectors.rows[i];
      rows.push_back(row_of(vectors.catalog->row(row), vectors.values.subspan(i * dimension, dimension)));
    }
    CORE_CO_CHECK(co_await insert(generation, std::move(rows), deadline));
  }
  co_return co_await complete(generation, count, deadline);
}

core::Task<core::Status> MilvusCollectionWriter::begin(core::GenerationId generation, ports::EncoderInfo encoder,
                                                       core::Deadline deadline) {
  const auto impl = impl_;
  const std::string name = impl->name_of(generation);
  const auto there = co_await impl->calls.describe(name, deadline);
  if (there && there->is_complete) {
    co_return core::fail(ErrorCode::kAlreadyExists, fmt::format("the Milvus collection {} is complete", name));
  }
  const bool is_unknown = !there && there.error().code != ErrorCode::kNotFound;
  if (is_unknown) co_return std::unexpected(there.error());
  if (there) CORE_CO_CHECK(co_await impl->calls.drop(name, deadline));
  CollectionFacts facts;
  facts.generation = std::move(generation);
  facts.encoder = std::move(encoder);
  facts.index = impl->options.index;
  facts.created_ms = std::chrono::duration_cast<std::chrono::milliseconds>(impl->clock.wall_now().time_since_epoch()).count();
  co_return co_await impl->create(std::move(facts), deadline);
}

core::Task<core::Status> MilvusCollectionWriter::insert(core::GenerationId generation, std::vector<MilvusRow> rows,
                                                        core::Deadline deadline) {
  const auto impl = impl_;
  CORE_CO_CHECK(check_rows(rows));
  std::string name = impl->name_of(generation);
  co_return co_await impl->write(std::move(name), std::move(rows), false, deadline);
}

core::Task<core::Status> MilvusCollectionWriter::complete(core::GenerationId generation, std::uint64_t articles,
                                                          core::Deadline deadline) {
  const auto impl = impl_;
  const std::string name = impl->name_of(generation);
  const auto within = [&] { return deadline.within(impl->options.build_timeout, impl->clock); };
  CORE_CO_TRY(auto facts, co_await impl->calls.describe(name, deadline));
  CORE_CO_CHECK(co_await impl->flush(name, within()));
  CORE_CO_CHECK(co_await impl->build_index(name, within()));
  CORE_CO_CHECK(co_await impl->calls.load(name, within()));
  CORE_CO_TRY(const std::uint64_t counted, co_await impl->calls.count(name, deadline));
  if (counted != articles) {
    co_return core::fail(ErrorCode::kDataLoss,
                         fmt::format("the Milvus collection {} holds {} articles, not the {} that were inserted: ingest again",
                                     name, counted, articles));
  }
  facts.articles = articles;
  facts.is_complete = true;
  // Milvus 2.3 writes to its storage what the properties were before the call. Said twice, they outlive a restart.
  CORE_CO_CHECK(co_await impl->set_properties(facts, deadline));
  co_return co_await impl->set_properties(std::move(facts), deadline);
}

core::Task<core::Status> MilvusCollectionWriter::upsert(core::GenerationId generation, std::vector<MilvusRow> rows,
                                                        core::Deadline deadline) {
  const auto impl = impl_;
  CORE_CO_CHECK(check_rows(rows));
  std::string name = impl->name_of(generation);
  co_return co_await impl->write(std::move(name), std::move(rows), true, deadline);
}

core::Task<core::Result<std::size_t>> MilvusCollectionWriter::update(core::GenerationId generation,
                                                                    std::vector<catalog::Article> articles,
                                                                    core::Deadline deadline) {
  const auto impl = impl_;
  const std::string name = impl->name_of(generation);
  CORE_CO_TRY(const auto facts, co_await impl->calls.describe(name, deadline));
  std::size_t updated = 0;
  for (std::size_t first = 0; first < articles.size(); first += kIdsACall) {
    const std::size_t end = std::min(articles.size(), first + kIdsACall);
    std::vector<catalog::ArticleId> ids;
    for (std::size_t i = first; i < end; ++i) ids.push_back(articles[i].id);
    const MilvusCalls::QueryTerms terms{.dimension = facts.encoder.dimension, .consistency = proto::common::Strong};
    CORE_CO_TRY(const auto vectors, co_await impl->calls.vectors_of(name, std::move(ids), terms, deadline));
    std::vector<MilvusRow> rows;
    for (std::size_t i = first; i < end; ++i) {
      if (const auto found = vectors.find(articles[i].id); found != vectors.end())
        rows.push_back(row_of(articles[i], found->second));
    }
    updated += rows.size();
    CORE_CO_CHECK(co_await upsert(generation, std::move(rows), deadline));
  }
  co_return updated;
}

core::Task<core::Status> MilvusCollectionWriter::remove(core::GenerationId generation, std::vector<catalog::ArticleId> ids,
                                                        core::Deadline deadline) {
  const auto impl = impl_;
  auto method = SCALESTYLE_MILVUS_METHOD(Delete, DeleteRequest, proto::milvus::MutationResult);
  method.timeout = impl->options.write_timeout;
  for (std::size_t first = 0; first < ids.size(); first += kIdsACall) {
    const auto begin_at = ids.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end_at = ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), first + kIdsACall));
    proto::milvus::DeleteRequest request;
    request.set_collection_name(impl->name_of(generation));
    request.set_expr(ids_expression({begin_at, end_at}));
    CORE_CO_CHECK(co_await impl->calls.client().call(method, std::move(request), deadline));
  }
  co_return core::Status();
}

core::Task<core::Status> MilvusCollectionWriter::drop(core::GenerationId generation, core::Deadline deadline) {
  const auto impl = impl_;
  std::string name = impl->name_of(generation);
  co_return co_await impl->calls.drop(std::move(name), deadline);
}

core::Task<core::Result<std::vector<std::string>>> MilvusCollectionWriter::drop_unused(ports::GenerationUse& use,
                                                                                      std::vector<core::GenerationId> keep,
                                                                                      core::Deadline deadline) {
  const auto impl = impl_;
  // Before what is in use is read: a collection that is made meanwhile is not among these.
  CORE_CO_TRY(const auto names, co_await impl->calls.list(deadline));
  CORE_CO_TRY(auto needed, co_await use.used(deadline));
  needed.insert(keep.begin(), keep.end());
  std::vector<std::string> dropped;
  for (const std::string& name : names) {
    const auto parsed = parse_collection_name(impl->options.collection_prefix, name);
    if (!parsed || needed.contains(parsed->generation)) continue;
    CORE_CO_TRY(const bool is_unused, co_await impl->is_unused(name, deadline));
    if (!is_unused) continue;
    CORE_CO_CHECK(co_await impl->calls.drop(name, deadline));
    dropped.push_back(name);
  }
  co_return dropped;
}

core::Task<core::Result<bool>> MilvusCollectionWriter::Impl::is_unused(std::string collection, core::Deadline deadline) {
  const auto facts = co_await calls.describe(std::move(collection), deadline);
  if (facts) {
    const auto age = clock.wall_now().time_since_epoch() - std::chrono::milliseconds(facts->created_ms);
    co_return facts->is_complete || age > options.abandoned_after;
  }
  // Gone meanwhile, or not made by ingest: nothing of ours.
  const bool is_none_of_ours = facts.error().code == ErrorCode::kNotFound || facts.error().code == ErrorCode::kFailedPrecondition;
  if (is_none_of_ours) co_return false;
  co_return std::unexpected(facts.error());
}

}  // namespace scalestyle::adapters::milvus
