#pragma once
// What one subject is shown without a query: candidates from several sources, each with its own score, and their blend.
//
// The caller brings what only it can know (what the subject did, lists of popular, new and similar rows); collect() adds what
// follows from the catalogue (other colours, neighbours), unites it and scales each source to (0, 1]; blend() makes one score.
// The same code serves and is evaluated: src/search fills ForYouInputs from features and boards, src/evaluation from purchases.
//
// Scales: of the subject's own items and their colours a / (a + 1) of the decayed weight a, so that what was done long ago fades
// out, in the end wholly. Neighbours, which add up over items weighed by a / (a + 1), and lists: divided by their greatest score.
//
// Pure; ties end with the row, which is the article id's order. Thread safety: free functions.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"
#include "core/result.hpp"
#include "ranking/item_neighbours.hpp"

namespace scalestyle::ranking {

enum class Source : std::uint8_t { kOwn, kVariant, kNeighbour, kSection, kContent, kPicture, kNew, kPopular };
inline constexpr std::size_t kSourceCount = 8;
// "own", "variant", "bought_together", "section", "similar_text", "similar_picture", "new", "popular"
[[nodiscard]] std::string_view to_string(Source source);

using SourceScores = std::array<float, kSourceCount>;  // by Source; 0: this source does not have it, else (0, 1]

// An article that the subject touched, once each, newest first.
struct SubjectItem {
  catalog::RowIndex row{};
  float age_days = 0;   // since the newest event with it, ≥ 0
  float weight = 1;     // of that event's type (click 1, add_to_cart 3, purchase 5 …), > 0
  bool bought = false;  // that event was a purchase
  std::uint32_t times = 1;  // how many of the events known are with it, ≥ 1
};

struct ScoredRow {
  catalog::RowIndex row{};
  float score = 0;  // > 0
};

struct ForYouInputs {
  const catalog::Catalog* articles = nullptr;    // not null
  const catalog::Bitmap* eligible = nullptr;     // null: every row; nothing else becomes a candidate
  std::span<const SubjectItem> items{};          // at most 100; empty for a stranger
  const ItemNeighbours* neighbours = nullptr;    // by row; null: none are known
  std::span<const ScoredRow> live_neighbours{};  // of the subject's items, from the newest events; may repeat rows: they add up
  // Lists, best first; any may be empty. `sections`: popular rows of the subject's own sections, scores comparable with each other.
  std::span<const ScoredRow> sections{};
  std::span<const ScoredRow> content{};
  std::span<const ScoredRow> pictures{};
  std::span<const ScoredRow> newest{};
  std::span<const ScoredRow> popular{};
};

// Whether what the subject has is shown again, by what was done with it last.
struct OwnItemRule {
  bool show_bought = true;  // a third of returning buyers buy the same again
  bool show_seen = true;    // clicked, viewed, put into the basket
};

struct ForYouOptions {
  SourceScores weights = default_weights();  // each ≥ 0, not all 0
  double item_half_life_days = 3; // how fast the subject's own items lose weight
  std::size_t neighbour_items = 20;  // newest items whose neighbours are candidates
  std::size_t max_candidates = 1'000;
  OwnItemRule own{};

  [[nodiscard]] static SourceScores default_weights();  // for what is bought next, mostly again or in another colour
  [[nodiscard]] static SourceScores basket_weights();   // for what else belongs to a basket: its own articles are not shown
  [[nodiscard]] core::Status validate() const;  // kInvalidArgument with the setting as field
};

// One entry a candidate, by row.
struct Candidates {
  std::vector<catalog::RowIndex> rows{};
  std::vector<SourceScores> scores{};
};

// All that any source has and `eligible` lets pass, at most max_candidates (those of the best blend stay).
[[nodiscard]] Candidates collect(const ForYouInputs& inputs, const ForYouOptions& options);

// Σ weight · score, divided by the sum of the weights: in (0, 1], or 0 where all sources that have the candidate weigh nothing.
// One a candidate.
[[nodiscard]] std::vector<double> blend(std::span<const SourceScores> scores, const SourceScores& weights);

// What each source adds to the blend of one candidate; they sum up to it, but for the rounding of floats.
[[nodiscard]] SourceScores blend_parts(const SourceScores& scores, const SourceScores& weights);

}  // namespace scalestyle::ranking
