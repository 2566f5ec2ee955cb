// What is asked of a collection, and how its answers are read.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "adapters/milvus/milvus_fields.hpp"
#include "adapters/milvus/milvus_filter.hpp"
#include "adapters/milvus/milvus_vector_index_impl.hpp"

namespace scalestyle::adapters::milvus {

using core::ErrorCode;

namespace {

constexpr std::size_t kMaxEf = 32'768;

core::Status check_query(const ports::VectorQuery& query, const CollectionFacts& facts) {
  if (query.vector.size() != facts.encoder.dimension) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("the query has dimension {}, the collection {}", query.vector.size(), facts.encoder.dimension));
  }
  if (query.k == 0 || query.k > kMaxMilvusHits) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("k is {}, it must be 1 … {}", query.k, kMaxMilvusHits));
  }
  return {};
}

std::string search_parameters(const MilvusVectorIndex::Options& options, MilvusIndexType type, std::size_t k) {
  switch (type) {
    case MilvusIndexType::kHnsw: return fmt::format("{{\"ef\": {}}}", std::min(std::max(options.ef, k), kMaxEf));
    case MilvusIndexType::kIvfFlat: return fmt::format("{{\"nprobe\": {}}}", options.nprobe);
    case MilvusIndexType::kFlat: break;
  }
  return "{}";
}

std::string bytes_of(const std::vector<float>& vector) {
  return {static_cast<const char*>(static_cast<const void*>(vector.data())), vector.size() * sizeof(float)};
}

core::Error damaged(std::string what) {
  return core::fail(ErrorCode::kDataLoss, "the answer of Milvus is damaged: " + std::move(what)).error();
}

core::Result<catalog::ArticleId> id_of(const std::string& text) {
  auto id = catalog::ArticleId::parse(text);
  if (id && id->text() == text) return id;
  return std::unexpected(damaged(fmt::format("\"{:.80}\" is no article id", text)));
}

}  // namespace

proto::common::ConsistencyLevel to_proto(MilvusConsistency consistency) {
  switch (consistency) {
    case MilvusConsistency::kStrong: return proto::common::Strong;
    case MilvusConsistency::kEventually: return proto::common::Eventually;
    case MilvusConsistency::kBounded: break;
  }
  return proto::common::Bounded;
}

core::Result<proto::milvus::SearchRequest> MilvusVectorIndex::State::search_request(const CollectionFacts& facts,
                                                                                    const ports::VectorQuery& query) const {
  CORE_CHECK(check_query(query, facts));
  proto::milvus::SearchRequest request;
  request.set_collection_name(collection_name(options.collection_prefix, options.kind, facts.generation));
  const bool only_available = options.only_available && query.eligible != nullptr;
  const catalog::Filter nothing;
  request.set_dsl(filter_expression(query.filter != nullptr ? *query.filter : nothing, only_available));
  request.set_dsl_type(proto::common::DslType::BoolExprV1);
  request.set_nq(1);
  request.set_consistency_level(to_proto(options.consistency));
  proto::common::PlaceholderGroup group;
  auto* const place = group.add_placeholders();
  place->set_tag("$0");
  place->set_type(proto::common::PlaceholderType::FloatVector);
  place->add_values(bytes_of(query.vector));
  request.set_placeholder_group(group.SerializeAsString());
  const auto set = [&](const char* key, std::string value) {
    auto* const parameter = request.add_search_params();
    parameter->set_key(key);
    parameter->set_value(std::move(value));
  };
  set("anns_field", std::string(kVectorField));
  set("topk", std::to_string(query.k));
  set("metric_type", facts.metric);
  set("params", search_parameters(options, facts.index, query.k));
  set("round_decimal", "-1");
  return request;
}

core::Result<ports::VectorHits> read_hits(const proto::milvus::SearchResults& response, std::size_t k) {
  const auto& ids = response.results().ids().str_id().data();
  const auto& scores = response.results().scores();
  if (ids.size() != scores.size()) {
    return std::unexpected(damaged(fmt::format("{} ids with {} scores", ids.size(), scores.size())));
  }
  ports::VectorHits found;
  found.exact = false;
  found.hits.reserve(static_cast<std::size_t>(ids.size()));
  for (int i = 0; i < ids.size(); ++i) {
    if (!std::isfinite(scores[i]))
      return std::unexpected(damaged(fmt::format("article {:.80} has the score {}", ids[i], scores[i])));
    CORE_TRY(auto id, id_of(ids[i]));
    found.hits.push_back({std::move(id), scores[i]});
  }
  std::ranges::sort(found.hits, [](const ports::VectorHit& a, const ports::VectorHit& b) {
    return a.score != b.score ? a.score > b.score : a.article_id < b.article_id;
  });
  if (found.hits.size() > k) found.hits.erase(found.hits.begin() + static_cast<std::ptrdiff_t>(k), found.hits.end());
  return found;
}

core::Task<core::Result<MilvusCalls::Vectors>> MilvusCalls::vectors_of(std::string collection,
                                                                       std::vector<catalog::ArticleId> ids, QueryTerms terms,
                                                                       core::Deadline deadline) {
  const auto method = SCALESTYLE_MILVUS_METHOD(Query, QueryRequest, proto::milvus::QueryResults);
  proto::milvus::QueryRequest request;
  request.set_collection_name(std::move(collection));
  request.set_expr(ids_expression(ids));
  request.add_output_fields(std::string(kIdField));
  request.add_output_fields(std::string(kVectorField));
  request.set_consistency_level(terms.consistency);
  CORE_CO_TRY(const auto response, co_await client_.call(method, std::move(request), deadline));
  const proto::schema::FieldData* names = nullptr;
  const proto::schema::FieldData* values = nullptr;
  for (const auto& field : response.fields_data()) {
    if (field.field_name() == kIdField) names = &field;
    if (field.field_name() == kVectorField) values = &field;
  }
  Vectors vectors;
  if (names == nullptr || values == nullptr) co_return vectors;
  const auto& texts = names->scalars().string_data().data();
  const auto& floats = values->vectors().float_vector().data();
  const std::size_t dimension = terms.dimension;
  if (static_cast<std::size_t>(floats.size()) != static_cast<std::size_t>(texts.size()) * dimension) {
    co_return std::unexpected(
        damaged(fmt::format("{} numbers for {} vectors of dimension {}", floats.size(), texts.size(), dimension)));
  }
  for (int i = 0; i < texts.size(); ++i) {
    CORE_CO_TRY(auto id, id_of(texts[i]));
    const auto first = floats.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(i) * dimension);
    vectors.insert_or_assign(std::move(id), std::vector<float>(first, first + static_cast<std::ptrdiff_t>(dimension)));
  }
  co_return vectors;
}

core::Task<core::Result<std::uint64_t>> MilvusCalls::count(std::string collection, core::Deadline deadline) {
  const auto method = SCALESTYLE_MILVUS_METHOD(Query, QueryRequest, proto::milvus::QueryResults);
  proto::milvus::QueryRequest request;
  request.set_collection_name(std::move(collection));
  request.add_output_fields("count(*)");
  request.set_consistency_level(proto::common::Strong);
  CORE_CO_TRY(const auto response, co_await client_.call(method, std::move(request), deadline));
  if (response.fields_data_size() != 1 || response.fields_data(0).scalars().long_data().data_size() != 1) {
    co_return std::unexpected(damaged("a count is one number"));
  }
  co_return static_cast<std::uint64_t>(response.fields_data(0).scalars().long_data().data(0));
}

}  // namespace scalestyle::adapters::milvus
