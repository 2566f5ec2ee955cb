#pragma once
// The bodies of the routes that change articles, and the changes that they mean. Members are named as in the answer of
// GET /api/articles/{id}; the numbers and codes of the articles file, which that answer leaves out, as in the file.

#include <string>
#include <string_view>
#include <vector>

#include "catalog/article_change.hpp"
#include "core/result.hpp"
#include "http/json_body.hpp"

namespace scalestyle::http {

[[nodiscard]] const BodySpec& article_body();        // PUT: {product_name, …}
[[nodiscard]] const BodySpec& article_patch_body();  // PATCH: any of these
[[nodiscard]] const BodySpec& changes_body();        // {operations: [{operation, article_id, …}]}

// Of bodies that were read by these descriptions.
[[nodiscard]] catalog::ArticleChange to_change(catalog::ChangeKind kind, catalog::ArticleId id, const Body& body);
// kInvalidArgument with the member as field: an article id that is none.
[[nodiscard]] core::Result<std::vector<catalog::ArticleChange>> to_changes(const Body& body);

// The body's member that is `column` of the articles file; the column itself where there is none.
[[nodiscard]] std::string_view member_of(std::string_view column);

}  // namespace scalestyle::http
