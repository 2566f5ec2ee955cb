#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "adapters/milvus/milvus_fields.hpp"
#include "adapters/milvus/milvus_vector_index_impl.hpp"

namespace scalestyle::adapters::milvus {

using core::ErrorCode;

namespace {

constexpr std::array<std::pair<MilvusConsistency, std::string_view>, 3> kConsistencies = {
    {{MilvusConsistency::kStrong, "strong"},
     {MilvusConsistency::kBounded, "bounded"},
     {MilvusConsistency::kEventually, "eventually"}}};

core::Status refuse(std::string message, std::string field) {
  return core::fail(ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

}  // namespace

std::string_view to_string(MilvusConsistency consistency) {
  return std::ranges::find(kConsistencies, consistency, &std::pair<MilvusConsistency, std::string_view>::first)->second;
}

std::optional<MilvusConsistency> milvus_consistency(std::string_view name) {
  const auto found = std::ranges::find(kConsistencies, name, &std::pair<MilvusConsistency, std::string_view>::second);
  if (found == kConsistencies.end()) return std::nullopt;
  return found->first;
}

core::Status MilvusVectorIndex::Options::validate() const {
  if (!is_collection_prefix(collection_prefix)) {
    return refuse("a prefix has letters, digits and _ (64 at most) and begins with no digit", "milvus_prefix");
  }
  if (ef < 1 || ef > 32'768) return refuse("ef is 1 … 32,768", "milvus_ef");
  if (nprobe < 1 || nprobe > 65'536) return refuse("nprobe is 1 … 65,536", "milvus_nprobe");
  if (load_timeout.count() < 100) return refuse("loading a collection takes 100 ms at least", "milvus_load_timeout_ms");
  if (search_timeout.count() < 1) return refuse("a search takes 1 ms at least", "milvus_search_timeout_ms");
  if (ready_interval.count() < 1) return refuse("an interval is 1 ms at least", "milvus_ready_interval_ms");
  if (release_delay.count() < 0) return refuse("a delay is not negative", "milvus_release_delay_ms");
  return {};
}

core::Result<std::unique_ptr<MilvusVectorIndex>> MilvusVectorIndex::create(Options options, Dependencies dependencies) {
  CORE_CHECK(options.validate());
  auto state = std::make_shared<State>(std::move(options), dependencies);
  return std::unique_ptr<MilvusVectorIndex>(new MilvusVectorIndex(std::move(state)));
}

MilvusVectorIndex::MilvusVectorIndex(std::shared_ptr<State> state) : state_(std::move(state)) {}
MilvusVectorIndex::~MilvusVectorIndex() = default;

core::Task<core::Status> MilvusVectorIndex::open(core::GenerationId generation, core::Deadline deadline) {
  const auto state = state_;
  {
    const std::lock_guard lock(state->mutex);
    const auto found = state->open.find(generation);
    if (found != state->open.end() && found->second.is_ready) co_return core::Status();
  }
  const core::Deadline until = deadline.within(state->options.load_timeout, state->clock);
  CORE_CO_TRY(auto prepared, co_await state->prepare(generation, until));
  const std::lock_guard lock(state->mutex);
  state->open.insert_or_assign(std::move(generation), std::move(prepared));
  co_return core::Status();
}

void MilvusVectorIndex::close(const core::GenerationId& generation) {
  {
    const std::lock_guard lock(state_->mutex);
    const auto closed = state_->open.extract(generation);
    if (!closed || !closed.mapped().is_ready || !closed.mapped().has_vectors) return;
  }
  if (state_->use == nullptr) return;
  core::start(state_->release_later(generation), [](core::Status&&) {}).detach();
}

core::Task<core::Result<OpenCollection>> MilvusVectorIndex::State::prepare(core::GenerationId generation,
                                                                           core::Deadline deadline) {
  OpenCollection prepared;
  prepared.name = collection_name(options.collection_prefix, options.kind, generation);
  auto facts = co_await calls.describe(prepared.name, deadline);
  if (!facts && facts.error().code == ErrorCode::kNotFound && options.kind == MilvusCollectionKind::kPhotos) {
    // A generation without photos has a collection of texts alone.
    const std::string texts = collection_name(options.collection_prefix, MilvusCollectionKind::kTexts, generation);
    CORE_CO_TRY(const auto of_texts, co_await calls.describe(texts, deadline));
    CORE_CO_CHECK(check_collection(of_texts, generation, {}, texts));
    prepared.has_vectors = false;
    prepared.is_ready = true;
    co_return prepared;
  }
  if (!facts) co_return std::unexpected(std::move(facts).error());
  CORE_CO_CHECK(check_collection(*facts, generation, options.query_encoder, prepared.name));
  auto loaded = co_await calls.load(prepared.name, deadline);
  if (!loaded) co_return std::unexpected(std::move(loaded).error());
  prepared.facts = std::move(*facts);
  prepared.is_ready = true;
  co_return prepared;
}

core::Task<core::Result<std::shared_ptr<const CollectionFacts>>> MilvusVectorIndex::State::ready(core::GenerationId generation,
                                                                                                core::Deadline deadline) {
  {
    const std::lock_guard lock(mutex);
    const auto found = open.find(generation);
    if (found == open.end()) {
      co_return core::fail(ErrorCode::kFailedPrecondition,
                           fmt::format("generation {} is not open for search", generation.value()));
    }
    OpenCollection& collection = found->second;
    if (!collection.has_vectors) {
      co_return core::fail(ErrorCode::kFailedPrecondition,
                           fmt::format("generation {} has no vectors of photos: ingest with --images and vision_enabled=true",
                                       generation.value()));
    }
    if (collection.is_ready) co_return std::make_shared<const CollectionFacts>(collection.facts);
    if (collection.is_trying || clock.steady_now() < collection.next_try) {
      co_return core::fail(ErrorCode::kUnavailable,
                           fmt::format("the Milvus collection {} is not ready: {}", collection.name, collection.trouble));
    }
    collection.is_trying = true;
  }
  // Half of what the request has: it needs the rest to answer without.
  const auto part = std::min(deadline.remaining(clock) / 2, std::chrono::nanoseconds(options.search_timeout));
  const core::Deadline until = deadline.within(part, clock);
  auto prepared = co_await prepare(generation, until);
  const std::lock_guard lock(mutex);
  const auto found = open.find(generation);
  if (found != open.end()) {
    found->second.is_trying = false;
    found->second.next_try = clock.steady_now() + options.ready_interval;
    if (prepared) found->second = *prepared;
    if (!prepared) found->second.trouble = prepared.error().message;
  }
  if (!prepared) {
    co_return core::fail(ErrorCode::kUnavailable, fmt::format("the Milvus collection of generation {} is not ready: {}",
                                                              generation.value(), prepared.error().message));
  }
  co_return std::make_shared<const CollectionFacts>(std::move(prepared->facts));
}

core::Error MilvusVectorIndex::State::judge(const core::GenerationId& generation, core::Error error) {
  if (error.code != ErrorCode::kFailedPrecondition && error.code != ErrorCode::kNotFound) return error;
  const std::lock_guard lock(mutex);
  const auto found = open.find(generation);
  if (found != open.end() && found->second.is_ready) {
    found->second.is_ready = false;
    found->second.next_try = core::SteadyTime::min();
    found->second.trouble = error.message;
  }
  return core::fail(ErrorCode::kUnavailable, error.message).error();
}

core::Task<core::Status> MilvusVectorIndex::State::release_later(core::GenerationId generation) {
  const auto alive = shared_from_this();
  CORE_CO_CHECK(co_await calls.client().sleep(options.release_delay));
  CORE_CO_TRY(const auto used, co_await use->used(core::Deadline::after(options.search_timeout, clock)));
  {
    const std::lock_guard lock(mutex);
    if (open.contains(generation) || used.contains(generation)) co_return core::Status();
  }
  std::string name = collection_name(options.collection_prefix, options.kind, generation);
  co_return co_await calls.release(std::move(name), core::Deadline::never());
}

core::Task<core::Result<std::vector<ports::VectorHits>>> MilvusVectorIndex::search(core::GenerationId generation,
                                                                                   std::vector<ports::VectorQuery> queries,
                                                                                   core::Deadline deadline) {
  const auto state = state_;
  CORE_CO_TRY(const auto facts, co_await state->ready(generation, deadline));
  std::vector<proto::milvus::SearchRequest> requests;
  for (const ports::VectorQuery& query : queries) {
    CORE_CO_TRY(auto request, state->search_request(*facts, query));
    requests.push_back(std::move(request));
  }
  const core::Deadline until = deadline.within(state->options.search_timeout, state->clock);
  if (deadline.expired(state->clock)) {
    co_return core::fail(ErrorCode::kDeadlineExceeded, "the deadline passed before the vector search");
  }
  const auto method = SCALESTYLE_MILVUS_METHOD(Search, SearchRequest, proto::milvus::SearchResults);
  using Call = MilvusClient::Impl::Pending<proto::milvus::SearchRequest, proto::milvus::SearchResults>;
  std::vector<std::optional<Call>> calls(queries.size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    // Nothing is looked for where nothing may be found.
    const bool asks = queries[i].eligible == nullptr || !queries[i].eligible->none();
    if (asks) calls[i].emplace(state->calls.client().begin(method, std::move(requests[i]), until));
  }
  std::vector<ports::VectorHits> results(queries.size());
  std::optional<core::Error> failure;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    results[i].exact = false;
    if (!calls[i]) continue;
    auto response = co_await state->calls.client().finish(std::move(*calls[i]));
    if (failure) continue;  // the rest is waited for all the same
    if (!response) {
      failure = state->judge(generation, std::move(response).error());
      continue;
    }
    auto hits = read_hits(*response, queries[i].k);
    if (hits) {
      results[i] = std::move(*hits);
    } else {
      failure = std::move(hits).error();
    }
  }
  if (failure) co_return std::unexpected(std::move(*failure));
  co_return results;
}

core::Task<core::Result<std::vector<float>>> MilvusVectorIndex::vector_of(core::GenerationId generation,
                                                                          catalog::ArticleId article, core::Deadline deadline) {
  const auto state = state_;
  CORE_CO_TRY(const auto facts, co_await state->ready(generation, deadline));
  const core::Deadline until = deadline.within(state->options.search_timeout, state->clock);
  std::string name = collection_name(state->options.collection_prefix, state->options.kind, generation);
  std::vector<catalog::ArticleId> ids{article};
  const MilvusCalls::QueryTerms terms{.dimension = facts->encoder.dimension, .consistency = to_proto(state->options.consistency)};
  auto vectors = co_await state->calls.vectors_of(std::move(name), std::move(ids), terms, until);
  if (!vectors) co_return std::unexpected(state->judge(generation, std::move(vectors).error()));
  const auto found = vectors->find(article);
  if (found == vectors->end()) {
    co_return core::fail(ErrorCode::kNotFound,
                         fmt::format("article {} has no such vector in generation {}", article.text(), generation.value()));
  }
  co_return std::move(found->second);
}

}  // namespace scalestyle::adapters::milvus
