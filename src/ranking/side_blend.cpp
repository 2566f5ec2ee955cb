#include "ranking/side_blend.hpp"

#include <algorithm>
#include <utility>

#include "ranking/behavior_boost.hpp"

namespace scalestyle::ranking {

namespace {

constexpr double kLeastScore = 1e-6;
constexpr auto kNowhere = BlendedList::kNowhere;

// A row with its place in each side, by row.
struct Found {
  catalog::RowIndex row;
  std::uint32_t text = kNowhere;
  std::uint32_t image = kNowhere;
};

std::vector<Found> unite(const Side& text, const Side& image) {
  std::vector<Found> all;
  all.reserve(text.rows.size() + image.rows.size());
  for (std::size_t i = 0; i < text.rows.size(); ++i) all.push_back({text.rows[i], static_cast<std::uint32_t>(i), kNowhere});
  for (std::size_t i = 0; i < image.rows.size(); ++i) all.push_back({image.rows[i], kNowhere, static_cast<std::uint32_t>(i)});
  std::ranges::sort(all, [](const Found& a, const Found& b) { return a.row != b.row ? a.row < b.row : a.text < b.text; });
  std::vector<Found> united;
  united.reserve(all.size());
  for (const Found& one : all) {
    if (united.empty() || united.back().row != one.row) united.push_back(one);
    else united.back().image = one.image;  // the text's comes first
  }
  return united;
}

// One entry a row of the side; 1 for pinned rows.
std::vector<double> scaled(const Side& side) {
  std::vector<double> scores = scale_to_one(side.scores.subspan(side.pinned));
  scores.insert(scores.begin(), side.pinned, 1.0);
  return scores;
}

void append(const Found& found, double score, const SideScores& sides, BlendedList& list) {
  list.rows.push_back(found.row);
  list.scores.push_back(std::clamp(score, kLeastScore, 1.0));
  list.sides.push_back(sides);
  list.text_places.push_back(found.text);
  list.image_places.push_back(found.image);
}

}  // namespace

std::vector<double> scale_to_one(std::span<const double> scores) {
  std::vector<double> scaled(scores.size(), 1.0);
  if (scores.empty()) return scaled;
  const auto [least, greatest] = std::ranges::minmax(scores);
  const double range = greatest - least;
  if (range <= 0) return scaled;
  for (std::size_t i = 0; i < scores.size(); ++i) scaled[i] = (scores[i] - least) / range;
  return scaled;
}

BlendedList blend(const Side& text, const Side& image) {
  const std::vector<Found> all = unite(text, image);
  const std::vector<double> text_scores = scaled(text);
  const std::vector<double> image_scores = scaled(image);
  double text_weight = text.rows.empty() ? 0 : text.weight;
  double image_weight = image.rows.empty() ? 0 : image.weight;
  const double sum = text_weight + image_weight;
  if (sum > 0) {
    text_weight /= sum;
    image_weight /= sum;
  } else {  // a side that found something alone decides, whatever its weight is
    text_weight = text.rows.empty() ? 0 : 1;
    image_weight = 1 - text_weight;
  }

  std::vector<catalog::RowIndex> rows;
  std::vector<double> scores;
  std::vector<SideScores> sides;
  for (const Found& found : all) {
    const SideScores of_row{.text = found.text == kNowhere ? 0 : text_scores[found.text],
                            .image = found.image == kNowhere ? 0 : image_scores[found.image]};
    rows.push_back(found.row);
    sides.push_back(of_row);
    scores.push_back(text_weight * of_row.text + image_weight * of_row.image);
  }
  std::vector<std::uint32_t> order;
  order_by_score(scores, rows, order);

  BlendedList list;
  for (std::size_t i = 0; i < text.pinned; ++i) {
    const auto at = static_cast<std::size_t>(std::ranges::lower_bound(rows, text.rows[i]) - rows.begin());
    append(all[at], 1, sides[at], list);
  }
  for (const std::uint32_t at : order) {
    if (all[at].text < text.pinned) continue;
    append(all[at], scores[at], sides[at], list);
  }
  return list;
}

}  // namespace scalestyle::ranking
