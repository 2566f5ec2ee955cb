#include "search/answer_impression.hpp"

#include <string>
#include <utility>

namespace scalestyle::search {

namespace {

void note(const ImpressionRecorder& recorder, const ListRequest& request, const SearchAnswer& answer,
          events::Impression impression) {
  impression.request_id = request.request_id.value();
  if (request.user_id && !request.user_id->empty()) impression.user_id = request.user_id;
  if (request.session_id && !request.session_id->empty()) impression.session_id = request.session_id;
  impression.generation = answer.generation->info().id.value();
  impression.personalized = answer.personalized;
  impression.degraded = !answer.degradations.empty();
  impression.arms = answer.experiments;
  impression.items.reserve(answer.items.size());
  for (const AnswerItem& item : answer.items) {
    impression.items.push_back({std::string(item.article.id()), static_cast<std::uint32_t>(item.rank), item.exploration});
  }
  recorder.note(std::move(impression));
}

bool is_wanted(const ImpressionRecorder& recorder, const ListRequest& request) {
  return !request.request_id.empty() && recorder.wants(request.request_id.value());
}

}  // namespace

void note_impression(const ImpressionRecorder& recorder, const SearchRequest& request, const SearchAnswer& answer,
                     events::EpochMs now_ms) {
  if (!is_wanted(recorder, request)) return;
  note(recorder, request, answer,
       {.time_ms = now_ms, .source = events::EventSource::kSearch, .query = request.query});
}

void note_impression(const ImpressionRecorder& recorder, const BrowseRequest& request, const SearchAnswer& answer,
                     events::EpochMs now_ms) {
  if (!is_wanted(recorder, request)) return;
  note(recorder, request, answer, {.time_ms = now_ms, .source = events::EventSource::kBrowse});
}

void note_impression(const ImpressionRecorder& recorder, const TrendingRequest& request, const SearchAnswer& answer,
                     events::EpochMs now_ms) {
  if (!is_wanted(recorder, request)) return;
  note(recorder, request, answer, {.time_ms = now_ms, .source = events::EventSource::kRecommendation});
}

void note_impression(const ImpressionRecorder& recorder, const ForYouRequest& request, const SearchAnswer& answer,
                     events::EpochMs now_ms) {
  if (!is_wanted(recorder, request)) return;
  note(recorder, request, answer, {.time_ms = now_ms, .source = events::EventSource::kRecommendation});
}

void note_impression(const ImpressionRecorder& recorder, const SimilarRequest& request, const SearchAnswer& answer,
                     events::EpochMs now_ms) {
  if (!is_wanted(recorder, request)) return;
  note(recorder, request, answer, {.time_ms = now_ms, .source = events::EventSource::kRecommendation});
}

}  // namespace scalestyle::search
