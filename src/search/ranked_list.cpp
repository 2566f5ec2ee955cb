#include "search/ranked_list.hpp"

#include <algorithm>
#include <utility>

namespace scalestyle::search {

std::string to_text(const ListVersion& version) { return version.generation + '\0' + std::to_string(version.delta) + '\0' + std::to_string(version.synonyms); }

std::size_t RankedList::bytes() const {
  std::size_t total = sizeof(RankedList) + head_ids.capacity() + head_scores.capacity() * sizeof(double) + corrected_query.capacity();
  if (reranked != nullptr) total += reranked->memory_bytes();
  total += list.rows.capacity() * sizeof(list.rows[0]) + list.scores.capacity() * sizeof(double);
  total += sides.capacity() * sizeof(ranking::SideScores);
  if (eligible != nullptr) total += eligible->words().size_bytes();
  if (reason_query != nullptr) total += reason_query->bytes();
  for (const Understood& piece : understood) {
    total += sizeof(Understood) + piece.field.capacity() + piece.value.capacity() + piece.origin.capacity();
  }
  return total;
}

void remember_head(RankedList& ranked, const BaseList& list, const catalog::Catalog& articles) {
  std::string ids;
  const std::size_t count = std::min(list.rows.size(), RankedList::kRememberedIds);
  for (std::size_t i = 0; i < count; ++i) {
    ids += articles.row(list.rows[i]).id();
    ids += '\n';
  }
  ranked.head_ids = std::move(ids);
  ranked.head_scores.assign(list.scores.begin(), list.scores.begin() + static_cast<std::ptrdiff_t>(count));
}

BaseList carried_over(const RankedList& older, const catalog::Catalog& articles, const catalog::Bitmap* eligible) {
  BaseList list;
  const std::string_view ids = older.head_ids;
  std::size_t place = 0;
  for (std::size_t begin = 0; begin < ids.size(); ++place) {
    const std::size_t end = ids.find('\n', begin);
    const auto row = articles.find(ids.substr(begin, end - begin));
    begin = end + 1;
    if (!row || (eligible != nullptr && !eligible->test(*row))) continue;
    list.rows.push_back(*row);
    list.scores.push_back(older.head_scores[place]);
  }
  list.total = list.rows.size();
  list.total_relation = older.list.rows.size() == place ? older.list.total_relation : TotalRelation::kAtLeast;
  return list;
}

}  // namespace scalestyle::search
