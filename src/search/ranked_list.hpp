#pragma once
// RankedList: what a query finds, ranked for everybody: the part of a search that knows no subject, so that it can be kept
// and shared. Immutable: a deeper reranked one is another object.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"
#include "core/result.hpp"
#include "ranking/side_blend.hpp"
#include "search/answer.hpp"
#include "search/base_list.hpp"
#include "search/degradation.hpp"
#include "search/reason_text.hpp"
#include "search/reranker.hpp"

namespace scalestyle::search {

// What a list was made from, besides the request: lists of equal versions are equal.
struct ListVersion {
  std::string generation;
  std::uint64_t delta = 0;     // GenerationVersion::delta
  std::uint64_t synonyms = 0;  // SynonymFile::version()

  friend bool operator==(const ListVersion&, const ListVersion&) = default;
};

// Equal for equal versions only.
[[nodiscard]] std::string to_text(const ListVersion& version);

struct RankedList {
  static constexpr std::size_t kRememberedIds = 300;

  BaseList list{};  // as fused, all variants; rows of the generation that it was made from
  std::size_t pinned = 0;       // so many first rows are named by the query
  std::string corrected_query{};  // what a cross-encoder reads; empty: it is not asked
  std::vector<ranking::SideScores> sides{};  // of a hybrid search with both sides, one a row of `list`
  std::shared_ptr<const RerankOutcome> reranked{};  // the deepest so far; null: none
  std::shared_ptr<const catalog::Bitmap> eligible{};  // of the same rows; null: every row
  std::size_t eligible_count = 0;
  std::vector<Understood> understood{};
  std::shared_ptr<const ReasonQuery> reason_query{};  // null: none
  // The ids of its first rows, each ended by a line feed, and their scores, as last reranked: what is left of the list when its
  // generation is gone.
  std::string head_ids{};
  std::vector<double> head_scores{};

  // How many rows a cross-encoder has judged.
  [[nodiscard]] std::size_t depth() const { return reranked == nullptr ? 0 : reranked->depth(); }
  [[nodiscard]] std::size_t bytes() const;
};

// What those who wait for a list get: the list, or why there is none.
struct FoundList {
  std::shared_ptr<const RankedList> list{};  // null when `status` is an error
  core::Status status{};
  std::optional<DegradationReason> failure_reason{};
  std::vector<DegradationReason> degradations{};
  bool is_request_fault = false;
};

// Sets the head of `ranked` to the first kRememberedIds rows of `list`.
void remember_head(RankedList& ranked, const BaseList& list, const catalog::Catalog& articles);

// What of an older list can still be shown: the remembered articles that `articles` has and `eligible` (null: all) lets
// pass, in their order, with the scores that they had. `total` counts no more than these, as a lower bound where
// the older list had more.
[[nodiscard]] BaseList carried_over(const RankedList& older, const catalog::Catalog& articles, const catalog::Bitmap* eligible);

}  // namespace scalestyle::search
