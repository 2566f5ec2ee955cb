#include <fmt/format.h>

#include <string>
#include <string_view>

#include "ranking/diversity.hpp"
#include "search/answer.hpp"
#include "search/page_cursor.hpp"
#include "search/reason_request.hpp"
#include "search/recommendation.hpp"
#include "search/request_words.hpp"
#include "search/search_service.hpp"
#include "search/visual_request.hpp"

namespace scalestyle::search {

namespace {

core::Status wrong(std::string message, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

core::Status check_subject(const std::string& value, const char* field) {
  if (count_characters(value) <= kMaxSubjectCharacters) return {};
  return wrong(fmt::format("{} must have at most {} characters", field, kMaxSubjectCharacters), field);
}

core::Status validate_list(const ListRequest& request) {
  if (request.k < 1 || request.k > kMaxK) return wrong(fmt::format("k must be 1 to {}, not {}", kMaxK, request.k), "k");
  if (request.offset > kMaxOffset) {
    return wrong(fmt::format("offset must be at most {}, not {}", kMaxOffset, request.offset), "offset");
  }
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    if (request.filter[field].size() <= kMaxFilterValues) continue;
    const std::string name(catalog::parameter_name(field));
    return wrong(fmt::format("{} must have at most {} values", name, kMaxFilterValues), name);
  }
  if (!request.cursor.empty() && request.offset > 0) {
    return wrong("offset does not go together with cursor, which already says where the page begins", "offset");
  }
  if (request.cursor.size() > kMaxCursorCharacters) {
    return wrong(fmt::format("cursor must have at most {} characters", kMaxCursorCharacters), "cursor");
  }
  const ranking::DiversityLimits limits{.max_per_type = request.max_per_type.value_or(0),
                                        .max_per_section = request.max_per_section.value_or(0),
                                        .window = request.diversity_window.value_or(1)};
  CORE_CHECK(limits.validate());
  if (request.user_id) CORE_CHECK(check_subject(request.user_id->value(), "userId"));
  if (request.session_id) CORE_CHECK(check_subject(request.session_id->value(), "sessionId"));
  return request.filter.validate();
}

}  // namespace

core::Status validate(const SearchRequest& request) {
  CORE_CHECK(check_text(request.query, "query", kMaxQueryCharacters));
  const bool is_query_blank = is_blank(request.query);
  if (request.visual) {
    CORE_CHECK(validate_visual(request, is_query_blank));
  } else if (is_query_blank) {
    return wrong("query must not be blank", "query");
  }
  const retrieval::UnderstandingSwitches& switches = request.understanding;
  if (switches.without_kinds.size() + switches.without_ids.size() > kMaxSwitchedOff) {
    return wrong(fmt::format("understand_without must have at most {} values", kMaxSwitchedOff), "understand_without");
  }
  if (!request.visual && request.legs.empty()) return wrong("legs must name at least one", "legs");
  return validate_list(request);
}

core::Status validate(const BrowseRequest& request) { return validate_list(request); }

core::Status validate(const TrendingRequest& request) { return validate_list(request); }

core::Status validate(const ForYouRequest& request) { return validate_list(request); }

core::Status validate(const SimilarRequest& request) {
  auto id = catalog::ArticleId::parse(request.article_id);
  if (!id) return wrong(std::move(id).error().message, "id");
  if (request.by.empty()) return wrong("by must name at least one of text, picture, bought", "by");
  return validate_list(request);
}

core::Status validate(const ReasonRequest& request) {
  return request.query.empty() ? validate_list(request) : validate(static_cast<const SearchRequest&>(request));
}

}  // namespace scalestyle::search
