#include "http/article_routes.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "http/article_bodies.hpp"
#include "http/json_writer.hpp"

namespace scalestyle::http {

namespace {

std::string change_answer_json(const RoutedRequest& request, const search::ChangeAnswer& answer, std::size_t operations,
                               std::chrono::nanoseconds took) {
  JsonWriter json;
  json.begin_object();
  json.key("status").text("success");
  json.key("request_id").text(request.request_id);
  json.key("took_ms").milliseconds(std::chrono::duration<double, std::milli>(took).count());
  json.key("operations").integer(operations);
  json.key("sequence").integer(static_cast<std::uint64_t>(answer.sequence));
  json.key("visible").boolean(answer.visible);
  json.end_object();
  return std::move(json).take();
}

}  // namespace

Work ArticleRoutes::perform(RoutedRequest request) {
  auto changes = co_await read(request);
  if (!changes) co_return refuse(request, {changes.error()});
  if (use_.live == nullptr) {
    const auto fixed = core::fail(core::ErrorCode::kUnavailable, "the catalogue of this server cannot be changed");
    co_return refuse(request, {fixed.error()});
  }
  search::ChangeRequest wanted;
  wanted.changes = std::move(*changes);
  wanted.deadline = request.deadline;
  const std::size_t operations = wanted.changes.size();
  const auto outcome = co_await use_.live->change(std::move(wanted));
  if (!outcome) co_return refuse(request, outcome.error());
  co_return json_response(change_answer_json(request, *outcome, operations, use_.clock.steady_now() - request.received));
}

core::Task<core::Result<std::vector<catalog::ArticleChange>>> ArticleRoutes::read(const RoutedRequest& request) {
  if (request.body.size() > kInlineBodyBytes) CORE_CO_CHECK(co_await use_.pool.schedule(request.deadline));
  const bool is_batch = request.route->id == RouteId::kChangeArticles;
  std::optional<catalog::ArticleId> id;
  if (!is_batch) {
    auto parsed = catalog::ArticleId::parse(request.parameters.text("id").value_or(""));
    if (!parsed) co_return core::fail(core::ErrorCode::kInvalidArgument, parsed.error().message, "id");
    id = std::move(*parsed);
  }
  if (request.route->id == RouteId::kDeleteArticle) {
    co_return std::vector{catalog::ArticleChange{.kind = catalog::ChangeKind::kDelete, .id = std::move(*id)}};
  }
  CORE_CO_TRY(const Body body, read_body(*request.route->body, request.body));
  if (is_batch) co_return to_changes(body);
  const bool whole = request.route->id == RouteId::kPutArticle;
  std::vector changes{to_change(whole ? catalog::ChangeKind::kUpsert : catalog::ChangeKind::kPatch, std::move(*id), body)};
  if (!whole && changes.front().columns() == 0) {
    co_return core::fail(core::ErrorCode::kInvalidArgument, "the body changes nothing: name at least one member", "body");
  }
  co_return changes;
}

Response ArticleRoutes::refuse(const RoutedRequest& request, const search::ChangeFailure& failure) const {
  ApiError error = to_api_error(failure.error);
  if (!error.field.empty() && failure.operation) {
    error.field = member_of(error.field);
    if (request.route->id == RouteId::kChangeArticles) {  // the article of the other routes is named by their path
      const std::string_view member = error.field == "id" ? "article_id" : std::string_view(error.field);
      error.field = fmt::format("operations[{}].{}", *failure.operation, member);
    }
  }
  if (error.status >= 500) error.outcome = failure.outcome;
  const bool unknown = error.outcome == ports::AppendOutcome::kUnknown;
  if (unknown || error.status == 500) {
    use_.log.warning(unknown ? "it is not known whether a change was kept" : "a change failed",
                     {{"request_id", request.request_id}, {"trace_id", request.trace_id()}, {"route", request.route->pattern},
                      {"cause", error.message}});
  }
  return error_response(error, request.request_id);
}

}  // namespace scalestyle::http
