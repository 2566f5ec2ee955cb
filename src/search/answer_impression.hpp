#pragma once
// The impression record of an answer: which items it showed to whom, and in which arms of experiments.

#include "search/answer.hpp"
#include "search/impression_recorder.hpp"
#include "search/recommendation.hpp"

namespace scalestyle::search {

// Notes the answer when it is in the recorder's sample and its request has an id. Never waits.
void note_impression(const ImpressionRecorder& recorder, const SearchRequest& request, const SearchAnswer& answer,
                     events::EpochMs now_ms);
void note_impression(const ImpressionRecorder& recorder, const BrowseRequest& request, const SearchAnswer& answer,
                     events::EpochMs now_ms);
void note_impression(const ImpressionRecorder& recorder, const TrendingRequest& request, const SearchAnswer& answer,
                     events::EpochMs now_ms);
void note_impression(const ImpressionRecorder& recorder, const ForYouRequest& request, const SearchAnswer& answer,
                     events::EpochMs now_ms);
void note_impression(const ImpressionRecorder& recorder, const SimilarRequest& request, const SearchAnswer& answer,
                     events::EpochMs now_ms);

}  // namespace scalestyle::search
