#pragma once
// What a search by picture asks for, brought to its simplest form, so that requests for the same list are equal. Pure.

#include "core/result.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

// Whether the query is looked for by words and meaning: in searches without a picture and in hybrid ones.
[[nodiscard]] bool has_text_side(const SearchRequest& request);

// Which sides a search by picture has whose scores are told; neither in other searches. Before it is simplified.
struct SidesOf {
  bool text = false;
  bool image = false;
};
[[nodiscard]] SidesOf sides_of(const SearchRequest& request);

// kInvalidArgument with the parameter as field, of what goes together with request.visual, which is there. Blank is a query
// of no words.
[[nodiscard]] core::Status validate_visual(const SearchRequest& request, bool is_query_blank);

// Of a valid request: weights are scaled to sum 1, a side of weight 0 is gone with all that belongs to it (a hybrid search for its
// text alone is a search without a picture), and what does not act has its default.
void simplify(SearchRequest& request);

}  // namespace scalestyle::search
