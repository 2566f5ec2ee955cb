#include "search/search_metrics.hpp"

#include <gmock/gmock.h>

#include <string>

namespace scalestyle::search {
namespace {

using testing::HasSubstr;

SearchOutcome failure(core::ErrorCode code, std::optional<DegradationReason> reason = {}) {
  SearchFailure failed;
  failed.error.code = code;
  failed.reason = reason;
  return std::unexpected(failed);
}

TEST(StatusOf, TellsWhatWasServed) {
  SearchAnswer answer;
  EXPECT_EQ(status_of(answer), AnswerStatus::kSuccess);
  answer.fallback_source = FallbackSource::kPopular7d;  // of a trending list: nothing failed
  EXPECT_EQ(status_of(answer), AnswerStatus::kSuccess);
  answer.degradations = {DegradationReason::kInferenceTimeout};
  EXPECT_EQ(status_of(answer), AnswerStatus::kFallback);
  answer.fallback_source.reset();
  EXPECT_EQ(status_of(answer), AnswerStatus::kDegraded);
}

TEST(StatusOf, TellsWhoseFaultItWasThatNothingWas) {
  using enum core::ErrorCode;
  EXPECT_EQ(status_of(failure(kInvalidArgument)), AnswerStatus::kInvalid);
  EXPECT_EQ(status_of(failure(kNotFound)), AnswerStatus::kInvalid);
  EXPECT_EQ(status_of(failure(kCancelled)), AnswerStatus::kGone);
  EXPECT_EQ(status_of(failure(kResourceExhausted, DegradationReason::kDownstreamCapacityRejected)), AnswerStatus::kRefused);
  EXPECT_EQ(status_of(failure(kUnavailable)), AnswerStatus::kFailed);
  EXPECT_EQ(status_of(failure(kInvalidArgument, DegradationReason::kInferenceTimeout)), AnswerStatus::kFailed);
  SearchFailure expired;
  expired.error.code = kFailedPrecondition;
  expired.expired = true;
  EXPECT_EQ(status_of(std::unexpected(expired)), AnswerStatus::kInvalid);
}

TEST(SearchMetrics, CountsByWhatWasAskedForAndHowItEnded) {
  telemetry::Metrics all;
  const SearchMetrics metrics(all);
  SearchAnswer answer;
  metrics.record(answer, {.asked_for = AskedFor::kHybrid, .took = std::chrono::milliseconds(20), .eligible = 70});
  answer.degradations = {DegradationReason::kRerankPartial};
  answer.rerank = RerankReport{.scored = 12, .planned = 50};
  metrics.record(answer, {.asked_for = AskedFor::kHybrid, .took = std::chrono::milliseconds(300)});
  metrics.record(failure(core::ErrorCode::kInvalidArgument), {.asked_for = AskedFor::kLook, .took = {}});
  const std::string text = all.render();
  const std::string hybrid = R"(recommendation_requests_total{flow="hybrid",intent="search",status=)";
  EXPECT_THAT(text, HasSubstr(hybrid + "\"success\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(hybrid + "\"degraded\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(R"(recommendation_requests_total{flow="list",intent="look",status="invalid"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(recommendation_request_duration_seconds_count{flow="hybrid",intent="search"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(recommendation_request_duration_seconds_bucket{flow="hybrid",intent="search",le="0.2"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(recommendation_request_duration_seconds_count{flow="list",intent="look"} 0)"));
  EXPECT_THAT(text, HasSubstr("recommendation_degraded_total 1\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_search_eligible_rows_sum 70\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_search_eligible_rows_count 1\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_rerank_depth_rows_sum 12\n"));
  EXPECT_THAT(text, HasSubstr("scalestyle_rerank_planned_rows_sum 50\n"));
}

}  // namespace
}  // namespace scalestyle::search
