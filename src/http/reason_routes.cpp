#include "http/reason_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "catalog/article_id.hpp"
#include "http/reason_shapes.hpp"
#include "http/reason_stream.hpp"
#include "http/search_error.hpp"

namespace scalestyle::http {

namespace {

constexpr std::array<std::string_view, 2> kModes{"template", "llm"};

constexpr std::array kFields{
    BodyField{.name = "article_id",
              .description = "The article.",
              .minimum = 1,
              .maximum = static_cast<double>(catalog::ArticleId::kMaxBytes),
              .required = true},
    BodyField{.name = "query",
              .description = "What the shopper searched for; empty or absent: nothing.",
              .maximum = static_cast<double>(search::kMaxQueryCharacters),
              .may_be_blank = true},
    BodyField{.name = "userId",
              .description = "The shopper, whose own events count. Empty: none.",
              .maximum = static_cast<double>(search::kMaxSubjectCharacters),
              .may_be_blank = true},
    BodyField{.name = "sessionId",
              .description = "The shopper's session; it counts where there is no userId. Empty: none.",
              .maximum = static_cast<double>(search::kMaxSubjectCharacters),
              .may_be_blank = true},
    BodyField{.name = "mode",
              .description = "template: one sentence from what is known. llm: the language model's, told the same and held to it; "
                             "503 where generation is switched off. Absent: llm where it is switched on.",
              .minimum = 1,
              .maximum = 10,
              .choices = kModes},
    BodyField{.name = "max_tokens",
              .kind = BodyKind::kInteger,
              .description = "Most that the language model makes. Absent: the server's setting.",
              .minimum = 1,
              .maximum = static_cast<double>(search::kMaxReasonTokens)},
    BodyField{.name = "deadline_ms",
              .kind = BodyKind::kInteger,
              .description = "How long the whole may take, in milliseconds. Absent: 30000.",
              .minimum = static_cast<double>(search::kMinDeadline.count()),
              .maximum = static_cast<double>(ReasonRoutes::kMaxDeadline.count())}};

constexpr BodySpec kBody{.schema = "ReasonBody",
                         .description = "Which article to give a reason for, and to whom.",
                         .fields = kFields};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return result;
}

std::string text_of(const Body& body, std::string_view name) {
  const std::string* const text = body.text(name);
  return text == nullptr ? std::string() : *text;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos; }

}  // namespace

const BodySpec& reason_body() { return kBody; }

bool accepts_events(std::string_view accept) {
  const std::string types = lower(accept);
  return types.find("text/event-stream") != std::string::npos || types.find("application/json") == std::string::npos;
}

core::Result<ReasonRoutes::Wish> ReasonRoutes::read(const RoutedRequest& request) const {
  CORE_TRY(const Body body, read_body(*request.route->body, request.body));
  Wish wish;
  const std::string* const mode = body.text("mode");
  wish.by_model = mode != nullptr ? *mode == "llm" : use_.reasons != nullptr;
  if (wish.by_model && use_.reasons == nullptr) {
    return core::fail(core::ErrorCode::kUnavailable, std::string(search::kGenerationIsOff), "mode");
  }
  if (use_.reasons != nullptr) wish.max_tokens = use_.reasons->options().max_tokens;
  if (const auto tokens = body.integer("max_tokens")) wish.max_tokens = static_cast<std::size_t>(*tokens);
  const auto milliseconds = body.integer("deadline_ms").value_or(kDefaultDeadline.count());
  wish.deadline = core::Deadline::at(request.received + std::chrono::milliseconds(milliseconds));
  search::ReasonRequest& wanted = wish.request;
  wanted.request_id = core::RequestId(request.request_id);
  wanted.article_id = text_of(body, "article_id");
  wanted.query = text_of(body, "query");
  if (is_blank(wanted.query)) wanted.query.clear();
  std::optional<std::string> user = text_of(body, "userId");
  std::optional<std::string> session = text_of(body, "sessionId");
  CORE_CHECK(request.caller.settle(user, session, {.user = "userId", .session = "sessionId"}));
  if (user && !user->empty()) wanted.user_id = core::UserId(std::move(*user));
  if (session && !session->empty()) wanted.session_id = core::SessionId(std::move(*session));
  // What is known is read within the time of a search; the rest is the model's.
  wanted.deadline = wish.deadline.within(search::kDefaultDeadline, use_.clock);
  return wish;
}

Work ReasonRoutes::perform(RoutedRequest request, bool as_events) {
  core::Result<Wish> wish = read(request);
  if (!wish) {
    const core::Error& cause = wish.error();
    const bool denied = cause.code == core::ErrorCode::kPermissionDenied;
    co_return error_response(denied ? make_error("forbidden", cause.message, cause.field) : to_api_error(cause), request.request_id);
  }
  core::Task<search::ReasonOutcome> finding = use_.search.reason(wish->request);
  search::ReasonOutcome reason = co_await std::move(finding);
  if (!reason) {
    if (reason.error().error.code == core::ErrorCode::kCancelled) co_return std::unexpected(reason.error().error);
    co_return error_response(to_api_error(reason.error()), request.request_id);
  }
  if (as_events) co_return stream(request, std::move(*reason), *wish);
  Work answering = answer(std::move(request), std::move(*reason), std::move(*wish));
  co_return co_await std::move(answering);
}

Work ReasonRoutes::answer(RoutedRequest request, search::ArticleReason reason, Wish wish) {
  std::optional<search::WrittenReason> written;
  if (wish.by_model) {
    core::Task<core::Result<search::WrittenReason>> writing =
        use_.reasons->write(std::move(reason.prompt), wish.max_tokens, wish.deadline);
    core::Result<search::WrittenReason> outcome = co_await std::move(writing);
    if (!outcome) {
      if (outcome.error().code == core::ErrorCode::kCancelled) co_return std::unexpected(outcome.error());
      co_return error_response(to_api_error(outcome.error()), request.request_id);
    }
    written = std::move(*outcome);
  }
  const ReasonTelling telling{.reason = reason, .written = written ? &*written : nullptr,
                              .model = use_.reasons != nullptr ? &use_.reasons->info() : nullptr,
                              .took = use_.clock.steady_now() - request.received};
  co_return json_response(reason_answer_json(telling));
}

Response ReasonRoutes::stream(const RoutedRequest& request, search::ArticleReason reason, const Wish& wish) {
  Response response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Accel-Buffering", "no");  // proxies pass on what comes
  if (!wish.by_model) {
    const ReasonTelling telling{.reason = reason, .took = use_.clock.steady_now() - request.received};
    response.body = server_sent_event("done", reason_answer_json(telling));
    return response;
  }
  ReasonStream::Wish wanted;
  wanted.prompt = std::move(reason.prompt);
  wanted.max_tokens = wish.max_tokens;
  wanted.deadline = wish.deadline;
  wanted.ending = [reason = std::move(reason), service = use_.reasons, clock = &use_.clock, received = request.received,
                   request_id = request.request_id](const core::Result<search::WrittenReason>& written) {
    if (!written) return server_sent_event("error", error_response(to_api_error(written.error()), request_id).body);
    const ReasonTelling telling{.reason = reason, .written = &*written, .model = &service->info(),
                                .took = clock->steady_now() - received};
    return server_sent_event("done", reason_answer_json(telling));
  };
  response.stream = std::make_shared<ReasonStream>(*use_.reasons, *use_.timers, std::move(wanted));
  return response;
}

}  // namespace scalestyle::http
