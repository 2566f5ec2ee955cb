#include "search/picture_retriever.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "search/changed_vectors.hpp"
#include "search/in_time.hpp"
#include "search/stage_spans.hpp"

namespace scalestyle::search {

namespace {

// Shorter sums are the rounding of what took each other away.
constexpr double kLeastLength = 1e-4;

using Vector = PictureEncoder::Vector;

// Where an error of the request, as opposed to one of the server, is told apart by its field.
PictureEncoder::Failure of_request(core::ErrorCode code, std::string message, std::string field) {
  return {core::fail(code, std::move(message), std::move(field)).error(), true};
}

void add(const Vector& vector, double weight, std::vector<double>& sum) {
  sum.resize(vector->size());
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * static_cast<double>((*vector)[i]);
}

// Null where nothing is left of it.
Vector unit_vector(const std::vector<double>& sum) {
  double squares = 0;
  for (const double value : sum) squares += value * value;
  const double length = std::sqrt(squares);
  if (!(length >= kLeastLength)) return nullptr;
  auto vector = std::make_shared<std::vector<float>>();
  vector->reserve(sum.size());
  for (const double value : sum) vector->push_back(static_cast<float>(value / length));
  return vector;
}

}  // namespace

struct PictureRetriever::Pending {
  std::shared_ptr<TimedSlot<core::Result<PictureOutcome>>> slot = std::make_shared<TimedSlot<core::Result<PictureOutcome>>>();
  core::Operation operation{};
  core::SteadyTime began{};
};

PictureRetriever::PictureRetriever(Ports ports, std::size_t cache_bytes, telemetry::Metrics& metrics)
    : use_(ports), engine_(ports.index, metrics), encoder_({ports.encoder, ports.pool, ports.timers}, cache_bytes, metrics) {}

PictureRetriever::PendingRetrieval PictureRetriever::begin(PictureQuery query) {
  auto pending = std::make_shared<Pending>();
  pending->began = use_.clock.steady_now();
  auto retrieval = detail::as_result(retrieve(std::move(query), pending->began));
  pending->operation = core::start(std::move(retrieval), [slot = pending->slot](core::Result<PictureOutcome>&& outcome) {
    slot->offer(std::move(outcome));
  });
  return pending;
}

core::Task<PictureOutcome> PictureRetriever::finish(PendingRetrieval pending) {
  // The retrieval itself ends at its deadline, and knows in which stage that was.
  auto outcome = co_await await_slot(pending->slot, use_.timers, core::Deadline::never());
  if (outcome) co_return std::move(*outcome);
  PictureFailure failure;
  failure.error = std::move(outcome).error();
  failure.ended = use_.clock.steady_now();
  failure.embed = failure.ended - pending->began;
  co_return std::unexpected(std::move(failure));
}

// As a job of its own, even where this is a worker that would go on at once: the caller has other things to do meanwhile.
core::Task<core::Status> PictureRetriever::to_worker(core::Deadline deadline) {
  auto slot = std::make_shared<TimedSlot<core::Status>>();
  if (auto submitted = use_.pool.submit([slot] { slot->offer(core::Status()); }); !submitted) co_return submitted;
  co_return co_await await_slot<void>(slot, use_.timers, deadline);
}

core::Task<PictureOutcome> PictureRetriever::retrieve(PictureQuery query, core::SteadyTime began) {
  PictureFailure failure;
  VectorOutcome point = std::unexpected(PictureEncoder::Failure{});
  if (const std::string& refusal = query.generation->picture_refusal(); !refusal.empty()) {
    point.error().error = core::fail(core::ErrorCode::kFailedPrecondition, refusal).error();
  } else if (auto scheduled = co_await to_worker(query.deadline); !scheduled) {
    point.error().error = std::move(scheduled).error();
  } else {
    auto finding = in_stage(query.context.get(), Stage::kEmbedImage, point_of(query));
    point = co_await std::move(finding);
  }
  const core::SteadyTime embedded = use_.clock.steady_now();
  failure.embed = embedded - began;
  failure.ended = embedded;
  if (!point) {
    failure.error = std::move(point.error().error);
    failure.is_request_fault = point.error().is_request_fault;
    co_return std::unexpected(std::move(failure));
  }
  Vector vector = std::move(*point);
  const std::shared_ptr<core::TaskContext> context = query.context;
  auto searching = in_stage(context.get(), Stage::kRetrieveImage, search_again(vector, std::move(query)));
  auto found = co_await std::move(searching);
  failure.ended = use_.clock.steady_now();
  failure.search = failure.ended - embedded;
  if (!found) {
    failure.stage = DenseStage::kSearch;
    failure.error = std::move(found).error();
    co_return std::unexpected(std::move(failure));
  }
  PictureHits hits{std::move(*found), std::move(vector), failure.embed, failure.search, failure.ended};
  co_return PictureOutcome(std::move(hits));
}

core::Task<PictureRetriever::VectorOutcome> PictureRetriever::point_of(const PictureQuery& query) {
  std::vector<double> sum;
  if (query.image_weight > 0) {
    auto picture = co_await picture_of(query);
    if (!picture) co_return picture;
    add(*picture, query.image_weight, sum);
  }
  if (query.text_weight > 0) {
    auto text = co_await encoder_.encode_text(query.text, query.deadline);
    if (!text) co_return text;
    add(*text, query.text_weight, sum);
  }
  if (!query.less_like.empty()) {
    auto less = co_await encoder_.encode_text(query.less_like, query.deadline);
    if (!less) co_return less;
    add(*less, -1, sum);
  }
  Vector point = unit_vector(sum);
  if (point != nullptr) co_return VectorOutcome(std::move(point));
  co_return std::unexpected(of_request(core::ErrorCode::kInvalidArgument, "less_like leaves nothing of what is asked for", "less_like"));
}

core::Task<PictureRetriever::VectorOutcome> PictureRetriever::picture_of(const PictureQuery& query) {
  if (!query.article) co_return co_await encoder_.encode_picture(query.image, query.image_hash, query.deadline);
  auto asking = use_.index.vector_of(query.generation->info().id, *query.article, query.deadline);
  auto values = co_await result_in_time(std::move(asking), use_.timers, query.deadline);
  if (values) co_return std::make_shared<const std::vector<float>>(std::move(*values));
  if (values.error().code != core::ErrorCode::kNotFound) {
    PictureEncoder::Failure failure{std::move(values).error()};
    co_return std::unexpected(std::move(failure));
  }
  co_return std::unexpected(of_request(core::ErrorCode::kNotFound,
                                       fmt::format("article {} has no photo to compare others with", query.article->text()),
                                       "article"));
}

core::Task<core::Result<ports::VectorHits>> PictureRetriever::search_again(PictureEncoder::Vector vector, PictureQuery query) {
  std::vector<ports::VectorQuery> queries(1);
  queries[0].vector = *vector;
  queries[0].k = query.k;
  queries[0].filter = ingested_filter(query.generation->version(), query.filter);
  queries[0].eligible = query.eligible;
  ShownHit shown = shown_hits(*query.generation, queries);
  queries[0].eligible = rows_of_photos(*query.generation, query.eligible);
  core::GenerationId id = query.generation->info().id;
  auto searching = search_eligible(engine_, std::move(id), std::move(queries), std::move(shown), query.deadline);
  CORE_CO_TRY(auto found, co_await result_in_time(std::move(searching), use_.timers, query.deadline));
  if (found.size() != 1) {
    co_return core::fail(core::ErrorCode::kInternal, fmt::format("the index of photos gave {} results for one query", found.size()));
  }
  co_return std::move(found.front());
}

}  // namespace scalestyle::search
