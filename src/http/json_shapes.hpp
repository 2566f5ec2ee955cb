#pragma once
// The API's answers as JSON. openapi_schemas.cpp describes the same shapes; a test compares them.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "search/answer.hpp"
#include "search/suggest_service.hpp"

namespace scalestyle::http {

class JsonWriter;

// `configuration`: the named one that the request asked for; empty: none.
[[nodiscard]] std::string search_answer_json(const search::SearchAnswer& answer, std::string_view configuration = {});

[[nodiscard]] std::string suggest_answer_json(const search::SuggestAnswer& answer);

[[nodiscard]] std::string article_answer_json(const catalog::ArticleView& article, std::string_view request_id,
                                              std::chrono::nanoseconds took);

// The member "stages" of an object.
void write_stages(JsonWriter& json, const std::vector<search::StageReport>& stages);

}  // namespace scalestyle::http
