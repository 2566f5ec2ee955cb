// Making a collection, step by step; and what is written into it.

#include <fmt/format.h>

#include <algorithm>

#include "adapters/milvus/milvus_fields.hpp"
#include "adapters/milvus/milvus_writer_impl.hpp"

namespace scalestyle::adapters::milvus {

using core::ErrorCode;

namespace {

template <class Owner>
void set_type_parameter(Owner* field, const char* key, std::string value) {
  auto* const parameter = field->add_type_params();
  parameter->set_key(key);
  parameter->set_value(std::move(value));
}

std::string schema_of(const std::string& collection, std::size_t dimension) {
  proto::schema::CollectionSchema schema;
  schema.set_name(collection);
  const auto add = [&](std::string_view name, proto::schema::DataType type) {
    auto* const field = schema.add_fields();
    field->set_name(std::string(name));
    field->set_data_type(type);
    return field;
  };
  auto* const id = add(kIdField, proto::schema::VarChar);
  id->set_is_primary_key(true);
  set_type_parameter(id, "max_length", std::to_string(catalog::ArticleId::kMaxBytes));
  set_type_parameter(add(kVectorField, proto::schema::FloatVector), "dim", std::to_string(dimension));
  for (const std::string_view name : kValueFields) {
    set_type_parameter(add(name, proto::schema::VarChar), "max_length", std::to_string(kMaxValueBytes));
  }
  add(kPriceField, proto::schema::Double);
  add(kAvailableField, proto::schema::Bool);
  return schema.SerializeAsString();
}

template <class Request>
void add_properties(const CollectionFacts& facts, Request& request) {
  for (const auto& [key, value] : to_properties(facts)) {
    auto* const property = request.add_properties();
    property->set_key(key);
    property->set_value(value);
  }
}

// The rows as columns, which is how Milvus takes them.
template <class Request>
void add_columns(std::span<const MilvusRow> rows, Request& request) {
  request.set_num_rows(static_cast<std::uint32_t>(rows.size()));
  const auto add = [&](std::string_view name, proto::schema::DataType type) {
    auto* const column = request.add_fields_data();
    column->set_field_name(std::string(name));
    column->set_type(type);
    return column;
  };
  auto* const ids = add(kIdField, proto::schema::VarChar)->mutable_scalars()->mutable_string_data();
  auto* const vectors = add(kVectorField, proto::schema::FloatVector)->mutable_vectors();
  const std::size_t dimension = rows.front().vector.size();
  vectors->set_dim(static_cast<std::int64_t>(dimension));
  auto* const numbers = vectors->mutable_float_vector()->mutable_data();
  numbers->Reserve(static_cast<int>(rows.size() * dimension));
  for (const MilvusRow& row : rows) {
    ids->add_data(row.id.text());
    numbers->Add(row.vector.begin(), row.vector.end());
  }
  for (std::size_t field = 0; field < kValueFields.size(); ++field) {
    auto* const texts = add(kValueFields[field], proto::schema::VarChar)->mutable_scalars()->mutable_string_data();
    for (const MilvusRow& row : rows) texts->add_data(row.values[field]);
  }
  auto* const prices = add(kPriceField, proto::schema::Double)->mutable_scalars()->mutable_double_data();
  auto* const available = add(kAvailableField, proto::schema::Bool)->mutable_scalars()->mutable_bool_data();
  for (const MilvusRow& row : rows) {
    prices->add_data(row.price.value_or(kNoPrice));
    available->add_data(row.available);
  }
}

std::string index_parameters(const MilvusCollectionWriter::Options& options) {
  switch (options.index) {
    case MilvusIndexType::kHnsw:
      return fmt::format("{{\"M\": {}, \"efConstruction\": {}}}", options.m, options.ef_construction);
    case MilvusIndexType::kIvfFlat: return fmt::format("{{\"nlist\": {}}}", options.nlist);
    case MilvusIndexType::kFlat: break;
  }
  return "{}";
}

core::Status check_written(std::int64_t written, std::size_t wanted, const std::string& collection) {
  if (written >= 0 && static_cast<std::size_t>(written) == wanted) return {};
  return core::fail(ErrorCode::kDataLoss, fmt::format("Milvus wrote {} of {} articles into {}", written, wanted, collection));
}

}  // namespace

core::Task<core::Status> MilvusCollectionWriter::Impl::create(CollectionFacts facts, core::Deadline deadline) {
  const auto method = SCALESTYLE_MILVUS_METHOD(CreateCollection, CreateCollectionRequest, proto::common::Status);
  proto::milvus::CreateCollectionRequest request;
  const std::string name = name_of(facts.generation);
  request.set_collection_name(name);
  request.set_schema(schema_of(name, facts.encoder.dimension));
  request.set_shards_num(static_cast<std::int32_t>(options.shards));
  request.set_consistency_level(proto::common::Bounded);
  add_properties(facts, request);
  CORE_CO_CHECK(co_await calls.client().call(method, std::move(request), deadline));
  co_return core::Status();
}

core::Task<core::Status> MilvusCollectionWriter::Impl::flush(std::string collection, core::Deadline deadline) {
  auto method = SCALESTYLE_MILVUS_METHOD(Flush, FlushRequest, proto::milvus::FlushResponse);
  method.timeout = options.build_timeout;
  proto::milvus::FlushRequest request;
  request.add_collection_names(collection);
  CORE_CO_TRY(const auto flushed, co_await calls.client().call(method, std::move(request), deadline));
  proto::milvus::GetFlushStateRequest question;
  question.set_collection_name(collection);
  if (const auto found = flushed.coll_segids().find(collection); found != flushed.coll_segids().end()) {
    for (const std::int64_t segment : found->second.data()) question.add_segmentids(segment);
  }
  if (const auto found = flushed.coll_flush_ts().find(collection); found != flushed.coll_flush_ts().end()) {
    question.set_flush_ts(found->second);
  }
  const auto state = SCALESTYLE_MILVUS_METHOD(GetFlushState, GetFlushStateRequest, proto::milvus::GetFlushStateResponse);
  while (true) {
    proto::milvus::GetFlushStateRequest asked = question;
    CORE_CO_TRY(const auto answer, co_await calls.client().call(state, std::move(asked), deadline));
    if (answer.flushed()) co_return core::Status();
    std::string what = fmt::format("the Milvus collection {} was flushed", collection);
    CORE_CO_CHECK(co_await calls.wait_a_little(std::move(what), deadline));
  }
}

core::Task<core::Status> MilvusCollectionWriter::Impl::build_index(std::string collection, core::Deadline deadline) {
  auto create = SCALESTYLE_MILVUS_METHOD(CreateIndex, CreateIndexRequest, proto::common::Status);
  create.timeout = options.build_timeout;
  proto::milvus::CreateIndexRequest request;
  request.set_collection_name(collection);
  request.set_field_name(std::string(kVectorField));
  request.set_index_name(std::string(kVectorField));
  const auto set = [&](const char* key, std::string value) {
    auto* const parameter = request.add_extra_params();
    parameter->set_key(key);
    parameter->set_value(std::move(value));
  };
  set("index_type", std::string(to_string(options.index)));
  set("metric_type", std::string(kMetric));
  set("params", index_parameters(options));
  const auto created = co_await calls.client().call(create, std::move(request), deadline);
  // A repetition finds what the first attempt made.
  if (!created && created.error().code != ErrorCode::kAlreadyExists) co_return std::unexpected(created.error());

  const auto describe = SCALESTYLE_MILVUS_METHOD(DescribeIndex, DescribeIndexRequest, proto::milvus::DescribeIndexResponse);
  while (true) {
    proto::milvus::DescribeIndexRequest question;
    question.set_collection_name(collection);
    CORE_CO_TRY(const auto answer, co_await calls.client().call(describe, std::move(question), deadline));
    if (answer.index_descriptions_size() == 1) {
      const auto& index = answer.index_descriptions(0);
      if (index.state() == proto::common::Finished) co_return core::Status();
      if (index.state() == proto::common::Failed) {
        co_return core::fail(ErrorCode::kInternal, fmt::format("Milvus could not index {}: {}", collection,
                                                               short_reason(index.index_state_fail_reason())));
      }
    }
    std::string what = fmt::format("the Milvus collection {} was indexed", collection);
    CORE_CO_CHECK(co_await calls.wait_a_little(std::move(what), deadline));
  }
}

core::Task<core::Status> MilvusCollectionWriter::Impl::set_properties(CollectionFacts facts, core::Deadline deadline) {
  const auto method = SCALESTYLE_MILVUS_METHOD(AlterCollection, AlterCollectionRequest, proto::common::Status);
  proto::milvus::AlterCollectionRequest request;
  request.set_collection_name(name_of(facts.generation));
  add_properties(facts, request);
  CORE_CO_CHECK(co_await calls.client().call(method, std::move(request), deadline));
  co_return core::Status();
}

core::Task<core::Status> MilvusCollectionWriter::Impl::write(std::string collection, std::vector<MilvusRow> rows, bool replace,
                                                             core::Deadline deadline) {
  const std::span<const MilvusRow> all(rows);
  for (std::size_t first = 0; first < all.size();) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    while (first + count < all.size()) {
      bytes += all[first + count].message_bytes();
      if (count > 0 && bytes > options.batch_bytes) break;
      ++count;
    }
    const auto message = all.subspan(first, count);
    auto written = replace ? upsert_message(collection, message, deadline) : insert_message(collection, message, deadline);
    auto status = co_await std::move(written);
    const bool may_have_arrived = !status && !replace && (status.error().code == ErrorCode::kUnavailable ||
                                                          status.error().code == ErrorCode::kDeadlineExceeded);
    // An insertion that is repeated would be in the collection twice; an upsert of the same rows is not.
    if (may_have_arrived && !deadline.expired(clock)) status = co_await upsert_message(collection, message, deadline);
    if (!status) co_return status;
    first += count;
  }
  co_return core::Status();
}

core::Task<core::Status> MilvusCollectionWriter::Impl::insert_message(std::string collection, std::span<const MilvusRow> rows,
                                                                      core::Deadline deadline) {
  auto method = SCALESTYLE_MILVUS_METHOD(Insert, InsertRequest, proto::milvus::MutationResult);
  method.is_repeatable = false;
  method.timeout = options.write_timeout;
  proto::milvus::InsertRequest request;
  request.set_collection_name(collection);
  add_columns(rows, request);
  CORE_CO_TRY(const auto result, co_await calls.client().call(method, std::move(request), deadline));
  co_return check_written(result.insert_cnt(), rows.size(), collection);
}

core::Task<core::Status> MilvusCollectionWriter::Impl::upsert_message(std::string collection, std::span<const MilvusRow> rows,
                                                                      core::Deadline deadline) {
  auto method = SCALESTYLE_MILVUS_METHOD(Upsert, UpsertRequest, proto::milvus::MutationResult);
  method.timeout = options.write_timeout;
  proto::milvus::UpsertRequest request;
  request.set_collection_name(collection);
  add_columns(rows, request);
  CORE_CO_TRY(const auto result, co_await calls.client().call(method, std::move(request), deadline));
  co_return check_written(result.upsert_cnt(), rows.size(), collection);
}

}  // namespace scalestyle::adapters::milvus
