#include "ranking/rerank_order.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

namespace scalestyle::ranking {

namespace {

enum class Standing : std::uint8_t { kJudged, kSibling, kNotJudged };

struct Entry {
  double score = 0;
  float logit = 0;  // of judged ones
  Standing standing = Standing::kNotJudged;
};

// The judgements by place in the list; null where there is none.
std::vector<const JudgedRow*> by_place(const ListToRerank& list, std::span<const JudgedRow> judged) {
  std::unordered_map<std::uint32_t, const JudgedRow*> of_row;
  of_row.reserve(judged.size());
  for (const JudgedRow& judgement : judged) of_row.emplace(judgement.row.value, &judgement);
  std::vector<const JudgedRow*> places(list.rows.size(), nullptr);
  for (std::size_t place = list.pinned; place < places.size(); ++place) {
    if (const auto found = of_row.find(list.rows[place].value); found != of_row.end()) places[place] = found->second;
  }
  return places;
}

void score_siblings(const ListToRerank& list, std::vector<Entry>& entries) {
  std::unordered_map<std::uint32_t, std::size_t> first_judged;  // of a product
  for (std::size_t place = list.pinned; place < entries.size(); ++place) {
    if (entries[place].standing == Standing::kJudged) first_judged.emplace(list.products[place], place);
  }
  for (std::size_t place = list.pinned; place < entries.size(); ++place) {
    Entry& entry = entries[place];
    if (entry.standing == Standing::kJudged) continue;
    const auto found = first_judged.find(list.products[place]);
    if (found == first_judged.end()) continue;
    entry.standing = Standing::kSibling;
    entry.score = entries[found->second].score * std::min(1.0, list.scores[place] / list.scores[found->second]);
  }
}

void score_others(const ListToRerank& list, std::vector<Entry>& entries) {
  double least = 1;
  double first = 0;  // the list's score of the first of them
  for (std::size_t place = list.pinned; place < entries.size(); ++place) {
    if (entries[place].standing != Standing::kNotJudged) least = std::min(least, entries[place].score);
    else if (first == 0) first = list.scores[place];
  }
  for (std::size_t place = list.pinned; place < entries.size(); ++place) {
    if (entries[place].standing == Standing::kNotJudged) entries[place].score = least * (list.scores[place] / first);
  }
}

}  // namespace

std::vector<std::uint32_t> rerank_sequence(const ListToRerank& list, std::size_t most) {
  assert(list.rows.size() == list.products.size() && list.rows.size() == list.scores.size());
  std::vector<std::uint32_t> sequence;
  std::vector<std::uint32_t> siblings;
  std::unordered_set<std::uint32_t> seen;
  for (std::size_t place = list.pinned; place < list.rows.size() && sequence.size() < most; ++place) {
    const bool is_first = seen.insert(list.products[place]).second;
    (is_first ? sequence : siblings).push_back(static_cast<std::uint32_t>(place));
  }
  const std::size_t room = most - sequence.size();
  siblings.resize(std::min(siblings.size(), room));
  sequence.insert(sequence.end(), siblings.begin(), siblings.end());
  return sequence;
}

RerankedOrder rerank_order(const ListToRerank& list, std::span<const JudgedRow> judged) {
  assert(list.rows.size() == list.products.size() && list.rows.size() == list.scores.size());
  const std::size_t size = list.rows.size();
  std::vector<Entry> entries(size);
  const auto judgements = by_place(list, judged);
  bool is_any_judged = false;
  for (std::size_t place = 0; place < size; ++place) {
    if (judgements[place] == nullptr) continue;
    entries[place] = {judgements[place]->score, judgements[place]->logit, Standing::kJudged};
    is_any_judged = true;
  }
  RerankedOrder order;
  order.places.resize(size);
  std::iota(order.places.begin(), order.places.end(), 0U);
  if (!is_any_judged) {
    order.scores.assign(list.scores.begin(), list.scores.end());
    return order;
  }
  score_siblings(list, entries);
  score_others(list, entries);
  for (std::size_t place = 0; place < list.pinned; ++place) entries[place].score = list.scores[place];
  const auto comes_first = [&entries](std::uint32_t a, std::uint32_t b) {
    const Entry& first = entries[a];
    const Entry& second = entries[b];
    if (first.score != second.score) return first.score > second.score;
    if (first.standing != second.standing) return first.standing < second.standing;
    if (first.logit != second.logit) return first.logit > second.logit;
    return a < b;
  };
  std::sort(order.places.begin() + static_cast<std::ptrdiff_t>(std::min(list.pinned, size)), order.places.end(), comes_first);
  order.scores.reserve(size);
  for (const std::uint32_t place : order.places) order.scores.push_back(entries[place].score);
  return order;
}

}  // namespace scalestyle::ranking
