// Why each item of an answer is there: the template's sentence, and a language model's for the first ones where it was asked for.
#include <algorithm>
#include <optional>
#include <utility>

#include "search/progress.hpp"
#include "search/query_text.hpp"
#include "search/reason_request.hpp"
#include "search/reason_service.hpp"
#include "search/reason_text.hpp"
#include "search/search_service.hpp"
#include "search/stage_outcome.hpp"

namespace scalestyle::search {

namespace {

ReasonOrigin origin_of(const Progress& progress) {
  if (!progress.fallback_source) return progress.reason_origin;
  switch (*progress.fallback_source) {
    case FallbackSource::kCached: return progress.reason_origin;
    case FallbackSource::kPopular24h: return ReasonOrigin::kPopularDay;
    case FallbackSource::kPopular7d: return ReasonOrigin::kPopularWeek;
    case FallbackSource::kGlobalPopular: return ReasonOrigin::kPopularEver;
  }
  return progress.reason_origin;
}

std::string_view query_of(const Progress& progress) {
  return progress.reason_query != nullptr ? std::string_view(progress.reason_query->text) : std::string_view();
}

}  // namespace

ReasonScope SearchService::reason_scope(const ListRequest& request, const Progress& progress,
                                        const ServingGeneration& generation) {
  ReasonScope scope{.generation = generation};
  scope.query = progress.reason_query.get();
  scope.filter = &request.filter;
  scope.origin = origin_of(progress);
  if (scope.origin == progress.reason_origin) scope.picture = progress.reason_picture;
  scope.now_ms = progress.now_ms();
  scope.recommended = progress.recommended.get();
  scope.look = progress.look.get();
  return scope;
}

void SearchService::say_reasons(const ListRequest& request, Progress& progress, SearchAnswer& answer) {
  if (request.reasons == ReasonMode::kNone) {
    progress.report(Stage::kReasons, StageOutcome::kSkipped);
    return;
  }
  ReasonWriter writer(reason_scope(request, progress, *progress.generation));
  for (AnswerItem& item : answer.items) item.reason = writer.sentence(item);
  // A language model goes on from here: word_reasons() reports.
  if (request.reasons == ReasonMode::kTemplate) progress.report(Stage::kReasons, StageOutcome::kOk);
}

// Items one after another, best first, until the time ends; the others keep the template's sentence. Nothing that happens here
// makes the list worse, so it is no degradation.
core::Task<core::Status> SearchService::word_reasons(const ListRequest& request, const Progress& progress,
                                                     SearchAnswer& answer) const {
  ReasonService& service = *use_.reasons;
  const core::SteadyTime began = progress.clock.steady_now();
  const core::Deadline answer_by = leave_reserve(request.deadline, progress.clock);
  const core::Deadline deadline = answer_by.within(service.options().budget, progress.clock);
  ReasonWriter writer(reason_scope(request, progress, *answer.generation));
  ReasonReport report{.model = service.info().model, .precision = service.info().precision};
  report.planned = std::min(answer.items.size(), kMaxInlineReasons);
  StageOutcome outcome = StageOutcome::kOk;
  for (std::size_t i = 0; i < report.planned; ++i) {
    AnswerItem& item = answer.items[i];
    const ReasonClaims claims = writer.claims(item);
    ReasonPrompt prompt = reason_prompt(claims, item.article, query_of(progress), answer.generation->info().currency);
    core::Result<WrittenReason> written = co_await service.write(std::move(prompt), service.options().max_tokens, deadline);
    if (!written) {
      if (written.error().code == core::ErrorCode::kCancelled) co_return std::unexpected(written.error());
      outcome = outcome_of(written.error());
      break;
    }
    if (written->text.empty()) {
      ++report.refused;
      continue;
    }
    item.reason = std::move(written->text);
    item.reason_source = ReasonSource::kLlm;
    ++report.written;
    if (written->cached) ++report.cached;
  }
  answer.reasons = std::move(report);
  const core::SteadyTime ended = progress.clock.steady_now();
  answer.stages.push_back({Stage::kReasons, outcome, ended - began, ended});
  answer.took = progress.elapsed();
  co_return core::Status();
}

core::Task<ReasonOutcome> SearchService::reason(ReasonRequest request) {
  Progress progress(use_.clock);
  const auto ticket = door_.enter();
  if (!ticket) co_return std::unexpected(refusal(progress));
  if (auto failure = prepare(request, progress)) co_return std::unexpected(std::move(*failure));
  auto id = catalog::ArticleId::parse(request.article_id);
  if (!id) {
    id.error().field = "article_id";
    co_return std::unexpected(progress.failure(std::move(id).error()));
  }
  const auto row = progress.generation->catalog().find(*id);
  if (!row) {
    const auto missing = core::fail(core::ErrorCode::kNotFound, "there is no article " + id->text(), "article_id");
    co_return std::unexpected(progress.failure(missing.error()));
  }
  begin_read(request, ListKind::kFound, progress);
  if (auto on_worker = co_await to_worker(progress); !on_worker) {
    co_return std::unexpected(progress.failure(std::move(on_worker).error(), progress.failure_reason));
  }
  if (!request.query.empty()) {
    progress.query = normalized_query(request.query, progress.generation->catalog());
    if (auto understood = read(request, progress); !understood) {
      co_return std::unexpected(progress.failure(std::move(understood).error()));
    }
    progress.reason_query = reason_query(progress.reading);
  }
  if (progress.pending != nullptr) static_cast<void>(co_await finish_read(progress));
  progress.list.rows = {*row};
  progress.list.scores = {1.0};
  SearchAnswer acted;
  const BentHead head = bend(progress, acted);
  AnswerItem item{progress.generation->catalog().row(*row), 1.0};
  personalizer_.credit(head, 0, item);
  ReasonWriter writer(reason_scope(request, progress, *progress.generation));
  const ReasonClaims claims = writer.claims(item);
  ArticleReason reason;
  reason.request_id = request.request_id;
  reason.article_id = id->text();
  reason.sentence = sentence_of(claims);
  reason.boosted_by = item.boosted_by;
  reason.prompt = reason_prompt(claims, item.article, query_of(progress), progress.generation->info().currency);
  reason.personalized = acted.personalized;
  reason.degradations = std::move(progress.degradations);
  co_return reason;
}

}  // namespace scalestyle::search
