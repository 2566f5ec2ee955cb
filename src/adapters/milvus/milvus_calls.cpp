#include <fmt/format.h>

#include "adapters/milvus/milvus_calls_impl.hpp"
#include "adapters/milvus/milvus_fields.hpp"
#include "adapters/milvus/milvus_filter.hpp"

namespace scalestyle::adapters::milvus {

using core::ErrorCode;

namespace {

constexpr std::chrono::milliseconds kPollInterval{50};

}  // namespace

core::Task<core::Result<CollectionFacts>> MilvusCalls::describe(std::string collection, core::Deadline deadline) {
  const auto method =
      SCALESTYLE_MILVUS_METHOD(DescribeCollection, DescribeCollectionRequest, proto::milvus::DescribeCollectionResponse);
  proto::milvus::DescribeCollectionRequest request;
  request.set_collection_name(collection);
  auto response = co_await client_.call(method, std::move(request), deadline);
  if (!response) {
    if (response.error().code == ErrorCode::kNotFound) {
      co_return core::fail(ErrorCode::kNotFound,
                           fmt::format("there is no Milvus collection {}: {}", collection, response.error().message));
    }
    co_return std::unexpected(std::move(response).error());
  }
  CollectionProperties properties;
  for (const auto& each : response->properties()) properties.emplace_back(each.key(), each.value());
  co_return from_properties(properties, collection);
}

core::Task<core::Result<LoadState>> MilvusCalls::load_state(std::string collection, core::Deadline deadline) {
  const auto method = SCALESTYLE_MILVUS_METHOD(GetLoadState, GetLoadStateRequest, proto::milvus::GetLoadStateResponse);
  proto::milvus::GetLoadStateRequest request;
  request.set_collection_name(std::move(collection));
  CORE_CO_TRY(const auto response, co_await client_.call(method, std::move(request), deadline));
  switch (response.state()) {
    case proto::common::LoadStateLoaded: co_return LoadState::kLoaded;
    case proto::common::LoadStateLoading: co_return LoadState::kLoading;
    case proto::common::LoadStateNotLoad: co_return LoadState::kNotLoaded;
    default: co_return LoadState::kAbsent;
  }
}

core::Task<core::Status> MilvusCalls::load(std::string collection, core::Deadline deadline) {
  const auto method = SCALESTYLE_MILVUS_METHOD(LoadCollection, LoadCollectionRequest, proto::common::Status);
  for (bool is_asked_for = false;;) {
    CORE_CO_TRY(const LoadState state, co_await load_state(collection, deadline));
    if (state == LoadState::kLoaded) co_return core::Status();
    if (state == LoadState::kAbsent) {
      co_return core::fail(ErrorCode::kNotFound, fmt::format("there is no Milvus collection {}", collection));
    }
    if (state == LoadState::kNotLoaded && !is_asked_for) {
      proto::milvus::LoadCollectionRequest request;
      request.set_collection_name(collection);
      request.set_replica_number(1);
      CORE_CO_CHECK(co_await client_.call(method, std::move(request), deadline));
      is_asked_for = true;
    }
    std::string what = fmt::format("the Milvus collection {} was loaded", collection);
    CORE_CO_CHECK(co_await wait_a_little(std::move(what), deadline));
  }
}

core::Task<core::Status> MilvusCalls::release(std::string collection, core::Deadline deadline) {
  const auto method = SCALESTYLE_MILVUS_METHOD(ReleaseCollection, ReleaseCollectionRequest, proto::common::Status);
  proto::milvus::ReleaseCollectionRequest request;
  request.set_collection_name(std::move(collection));
  CORE_CO_CHECK(co_await client_.call(method, std::move(request), deadline));
  co_return core::Status();
}

core::Task<core::Status> MilvusCalls::drop(std::string collection, core::Deadline deadline) {
  const auto method = SCALESTYLE_MILVUS_METHOD(DropCollection, DropCollectionRequest, proto::common::Status);
  proto::milvus::DropCollectionRequest request;
  request.set_collection_name(std::move(collection));
  const auto dropped = co_await client_.call(method, std::move(request), deadline);
  if (!dropped && dropped.error().code != ErrorCode::kNotFound) co_return std::unexpected(dropped.error());
  co_return core::Status();
}

core::Task<core::Result<std::vector<std::string>>> MilvusCalls::list(core::Deadline deadline) {
  const auto method = SCALESTYLE_MILVUS_METHOD(ShowCollections, ShowCollectionsRequest, proto::milvus::ShowCollectionsResponse);
  proto::milvus::ShowCollectionsRequest request;
  CORE_CO_TRY(const auto response, co_await client_.call(method, std::move(request), deadline));
  const auto& names = response.collection_names();
  co_return std::vector<std::string>(names.begin(), names.end());
}

core::Task<core::Status> MilvusCalls::wait_a_little(std::string what, core::Deadline deadline) {
  if (deadline.remaining(client_.clock()) <= kPollInterval) {
    co_return core::fail(ErrorCode::kDeadlineExceeded, fmt::format("the deadline passed before {}", what));
  }
  co_return co_await client_.sleep(kPollInterval);
}

std::string ids_expression(const std::vector<catalog::ArticleId>& ids) {
  std::string expression = fmt::format("{} in [", kIdField);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) expression += ", ";
    // Ids are visible ASCII: all of them can be said.
    expression += quoted_text(ids[i].text()).value();
  }
  return expression + "]";
}

}  // namespace scalestyle::adapters::milvus
