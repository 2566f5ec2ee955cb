#pragma once
// Blend: one list of the two sides of a search by text and picture.
//
// Each side's scores are scaled to [0, 1] over its own rows: (score − least) / (greatest − least), 1 where all are equal
// (min-max, Fox & Shaw 1994 CombSUM). A row's score is Σ_sides w · scaled / Σ w over the sides that found something; a row that a
// side did not find gets 0 from it. Order: score descending, row ascending (rows are in the order of article ids).
// Pinned rows, which the query names, come first with score 1, and do not count in their side's scale.
// Pure; same input, same bits. Thread safety: free functions.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "catalog/article_id.hpp"

namespace scalestyle::ranking {

// Of finite scores: each scaled to [0, 1].
[[nodiscard]] std::vector<double> scale_to_one(std::span<const double> scores);

// Distinct rows and their finite scores, one a row, in any order.
struct Side {
  std::span<const catalog::RowIndex> rows{};
  std::span<const double> scores{};
  double weight = 0.5;     // at least 0
  std::size_t pinned = 0;  // so many first rows
};

struct SideScores {
  double text = 0;
  double image = 0;
};

struct BlendedList {
  static constexpr std::uint32_t kNowhere = 0xFFFF'FFFF;

  std::vector<catalog::RowIndex> rows{};
  std::vector<double> scores{};             // (0, 1], never rising
  std::vector<SideScores> sides{};          // one a row, scaled; 0 where the side did not find it
  std::vector<std::uint32_t> text_places{};   // one a row: where it is in the side; kNowhere: it is not
  std::vector<std::uint32_t> image_places{};
};

// Only the text's side may have pinned rows.
[[nodiscard]] BlendedList blend(const Side& text, const Side& image);

}  // namespace scalestyle::ranking
