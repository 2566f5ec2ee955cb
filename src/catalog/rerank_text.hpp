#pragma once
// The text of an article that a cross-encoder reads beside the query.

#include <cstddef>
#include <string>

#include "catalog/catalog.hpp"

namespace scalestyle::catalog {

// A cross-encoder's time is its tokens, and a longer pair is cut at its end: what tells articles apart comes first, the
// description last and only as far as there is room. About four bytes are a token.
inline constexpr std::size_t kRerankTextBytes = 240;

// "name. product type, colour, appearance. department, section. description", each part left out when empty, values
// trimmed. The description is cut behind a whole word so that all are at most kRerankTextBytes; the parts before it are
// never cut. Valid UTF-8 stays valid. Articles with equal parts have equal texts.
[[nodiscard]] std::string rerank_text_v1(const ArticleView& article);

// Whether both rows surely have the same text: all its parts are the same.
[[nodiscard]] bool have_same_rerank_text(const Catalog& articles, RowIndex a, RowIndex b);

}  // namespace scalestyle::catalog
