#include "retrieval/block_max_search.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>

namespace scalestyle::retrieval {

namespace {

using WindowScores = std::array<std::int32_t, kWindowRows>;

// What one list has in one window.
struct WindowSlice {
  std::uint32_t begin = 0;
  std::uint16_t count = 0;
  std::uint16_t max_impact = 0;
};

// Whether any score reaches `least`; without a branch inside a group, so that the compiler compares many at once.
bool any_reaches(const WindowScores& scores, std::int32_t least) {
  for (std::size_t begin = 0; begin < kWindowRows; begin += 64) {
    std::int32_t reached = 0;
    for (std::size_t i = begin; i < begin + 64; ++i) reached |= scores[i] >= least ? 1 : 0;
    if (reached != 0) return true;
  }
  return false;
}

// Four scores to begin with, by four bits of the eligible rows: a row that is not eligible starts so low that no sum
// lifts it to 0.
constexpr std::array<std::array<std::int32_t, 4>, 16> make_first_scores() {
  std::array<std::array<std::int32_t, 4>, 16> scores{};
  for (std::uint32_t bits = 0; bits < 16; ++bits) {
    for (std::uint32_t i = 0; i < 4; ++i) scores[bits][i] = (bits >> i & 1U) != 0 ? 0 : std::numeric_limits<std::int32_t>::min();
  }
  return scores;
}
constexpr auto kFirstScores = make_first_scores();

void add_to(WindowScores& sum, const WindowScores& scores) {
  for (std::size_t i = 0; i < kWindowRows; ++i) sum[i] += scores[i];
}

void raise_to(WindowScores& best, const WindowScores& scores) {
  for (std::size_t i = 0; i < kWindowRows; ++i) best[i] = std::max(best[i], scores[i]);
}

class Search {
 public:
  Search(const PostingLists& lists, std::size_t row_count, const std::vector<PlannedClause>& clauses,
         const catalog::Bitmap* eligible, std::size_t k)
      : lists_(lists), clauses_(clauses), eligible_(eligible), windows_((row_count + kWindowRows - 1) / kWindowRows),
        top_(k) {}

  BlockMaxAnswer run() {
    spread_lists();
    bound_clauses();
    for (const std::uint64_t key : ordered_windows()) {
      if (static_cast<std::int32_t>(key >> 32U) < top_.least_score()) break;
      search_window(UINT32_MAX - static_cast<std::uint32_t>(key));
    }
    work_.rows_collected = top_.collected();
    return {top_.take(), work_};
  }

 private:
  // The blocks of every list by window, list after list in the order of the plan.
  void spread_lists() {
    std::size_t count = 0;
    for (const PlannedClause& clause : clauses_) {
      first_list_.push_back(count);
      for (const PlannedPhrase& phrase : clause.phrases) {
        for (const PlannedWord& word : phrase.words) count += word.lists.size();
      }
    }
    slices_.resize(count * windows_);
    std::size_t at = 0;
    for (const PlannedClause& clause : clauses_) {
      for (const PlannedPhrase& phrase : clause.phrases) {
        for (const PlannedWord& word : phrase.words) {
          for (const PlannedList& list : word.lists) spread_list(list, at++ * windows_);
        }
      }
    }
  }

  void spread_list(const PlannedList& list, std::size_t first) {
    for (const PostingBlock& block : lists_.blocks_of(list.term)) {
      const std::uint32_t count = (&block + 1)->begin - block.begin;
      slices_[first + block.window] = {block.begin, static_cast<std::uint16_t>(count), block.max_impact};
      work_.postings_in_lists += count;
    }
  }

  void bound_clauses() {
    bounds_.resize(clauses_.size() * windows_);
    totals_.resize(windows_);
    for (std::size_t c = 0; c < clauses_.size(); ++c) {
      for (std::size_t window = 0; window < windows_; ++window) {
        const std::int32_t bound = clause_bound(c, window);
        bounds_[c * windows_ + window] = bound;
        totals_[window] += bound;
      }
    }
  }

  [[nodiscard]] std::int32_t clause_bound(std::size_t c, std::size_t window) const {
    const PlannedClause& clause = clauses_[c];
    std::size_t at = first_list_[c] * windows_ + window;
    std::int32_t best = 0;
    for (const PlannedPhrase& phrase : clause.phrases) {
      std::int32_t sum = 0;
      bool has_all = true;
      for (const PlannedWord& word : phrase.words) {
        std::int32_t best_list = 0;
        for (const PlannedList& list : word.lists) {
          best_list = std::max(best_list, contribution(slices_[at].max_impact, std::max(list.weight, list.stem_weight)));
          at += windows_;
        }
        sum += best_list;
        has_all = has_all && best_list > 0;
      }
      if (has_all || !phrase.needs_all) best = std::max(best, sum);
    }
    return best;
  }

  // Windows worth a look, best bound first: bound in the upper half of the key, UINT32_MAX − window in the lower.
  std::vector<std::uint64_t> ordered_windows() {
    std::vector<std::uint64_t> keys;
    for (std::size_t window = 0; window < windows_; ++window) {
      if (totals_[window] <= 0 || !has_eligible(window)) continue;
      keys.push_back(static_cast<std::uint64_t>(totals_[window]) << 32U | (UINT32_MAX - window));
    }
    std::ranges::sort(keys, std::greater<>());
    work_.windows = keys.size();
    return keys;
  }

  [[nodiscard]] std::uint64_t eligible_word(std::size_t index) const {
    if (eligible_ == nullptr) return ~std::uint64_t{0};
    const auto words = eligible_->words();
    return index < words.size() ? words[index] : 0;
  }

  [[nodiscard]] bool has_eligible(std::size_t window) const {
    constexpr std::size_t kWords = kWindowRows / 64;
    std::uint64_t any = 0;
    for (std::size_t i = 0; i < kWords; ++i) any |= eligible_word(window * kWords + i);
    return any != 0;
  }

  void search_window(std::size_t window) {
    ++work_.windows_searched;
    order_.clear();
    for (std::uint32_t c = 0; c < clauses_.size(); ++c) {
      if (bounds_[c * windows_ + window] > 0) order_.push_back(c);
    }
    std::ranges::sort(order_, [&](std::uint32_t a, std::uint32_t b) {
      return bounds_[a * windows_ + window] > bounds_[b * windows_ + window];
    });
    start_scores(window);
    std::int32_t rest = totals_[window];  // of the clauses not yet added
    for (const std::uint32_t c : order_) {
      if (rest < top_.least_score() && !any_reaches(scores_, top_.least_score() - rest)) return;
      add_clause(c, window);
      rest -= bounds_[c * windows_ + window];
    }
    collect(window);
  }

  void start_scores(std::size_t window) {
    if (eligible_ == nullptr) {
      scores_.fill(0);
      return;
    }
    for (std::size_t group = 0; group < kWindowRows / 64; ++group) {
      std::uint64_t bits = eligible_word(window * (kWindowRows / 64) + group);
      for (std::size_t i = 0; i < 64; i += 4, bits >>= 4U) {
        std::ranges::copy(kFirstScores[bits & 15U], scores_.begin() + static_cast<std::ptrdiff_t>(group * 64 + i));
      }
    }
  }

  void add_clause(std::size_t c, std::size_t window) {
    const PlannedClause& clause = clauses_[c];
    std::size_t at = first_list_[c] * windows_ + window;
    if (clause.is_single_list()) {
      const PlannedList& list = clause.phrases[0].words[0].lists[0];
      visit_postings(at, list, [this](std::size_t local, std::int32_t value) { scores_[local] += value; });
      return;
    }
    clause_.fill(0);
    for (const PlannedPhrase& phrase : clause.phrases) {
      phrase_.fill(0);
      matched_.fill(0);
      for (const PlannedWord& word : phrase.words) {
        word_.fill(0);
        for (const PlannedList& list : word.lists) {
          visit_postings(at, list, [this](std::size_t local, std::int32_t value) { word_[local] = std::max(word_[local], value); });
          at += windows_;
        }
        add_to(phrase_, word_);
        for (std::size_t i = 0; i < kWindowRows; ++i) matched_[i] += word_[i] > 0 ? 1 : 0;
      }
      if (phrase.needs_all) {
        const auto all = static_cast<std::int32_t>(phrase.words.size());
        for (std::size_t i = 0; i < kWindowRows; ++i) phrase_[i] = matched_[i] == all ? phrase_[i] : 0;
      }
      raise_to(clause_, phrase_);
    }
    add_to(scores_, clause_);
  }

  template <class Visit>
  void visit_postings(std::size_t slice_index, const PlannedList& list, Visit&& visit) {
    const WindowSlice& slice = slices_[slice_index];
    const std::array<std::uint32_t, 2> weights{list.stem_weight, list.weight};
    const Posting* const end = lists_.postings.data() + slice.begin + slice.count;
    for (const Posting* posting = end - slice.count; posting != end; ++posting) {
      visit(posting->local, contribution(posting->impact, weights[(posting->forms & list.forms) != 0 ? 1 : 0]));
    }
    work_.postings_scored += slice.count;
  }

  void collect(std::size_t window) {
    constexpr std::size_t kGroup = 16;
    for (std::size_t begin = 0; begin < kWindowRows; begin += kGroup) {
      const std::int32_t* const scores = scores_.data() + begin;
      const std::int32_t least = std::max(1, top_.least_score());
      std::int32_t reached = 0;
      for (std::size_t i = 0; i < kGroup; ++i) reached |= scores[i] >= least ? 1 : 0;
      if (reached == 0) continue;
      const auto first_row = static_cast<std::uint32_t>(window * kWindowRows + begin);
      for (std::uint32_t i = 0; i < kGroup; ++i) {
        if (scores[i] >= least) top_.add({first_row + i, scores[i]});
      }
    }
  }

  const PostingLists& lists_;
  const std::vector<PlannedClause>& clauses_;
  const catalog::Bitmap* eligible_;
  std::size_t windows_;
  TopRows top_;
  LexicalWork work_;
  std::vector<std::size_t> first_list_;  // by clause
  std::vector<WindowSlice> slices_;      // by list, then window
  std::vector<std::int32_t> bounds_;     // by clause, then window
  std::vector<std::int32_t> totals_;     // by window
  std::vector<std::uint32_t> order_;
  WindowScores scores_{};
  WindowScores clause_{};
  WindowScores phrase_{};
  WindowScores word_{};
  WindowScores matched_{};
};

}  // namespace

BlockMaxAnswer search_block_max(const PostingLists& lists, std::size_t row_count, const std::vector<PlannedClause>& clauses,
                                const catalog::Bitmap* eligible, std::size_t k) {
  if (k == 0 || row_count == 0 || clauses.empty()) return {};
  return Search(lists, row_count, clauses, eligible, k).run();
}

std::int32_t score_list(const PostingLists& lists, const PlannedList& list, std::uint32_t row) {
  const Posting* const posting = lists.find(list.term, row);
  if (posting == nullptr) return 0;
  return contribution(posting->impact, (posting->forms & list.forms) != 0 ? list.weight : list.stem_weight);
}

std::int32_t score_phrase(const PostingLists& lists, const PlannedPhrase& phrase, std::uint32_t row) {
  std::int32_t sum = 0;
  for (const PlannedWord& word : phrase.words) {
    std::int32_t best = 0;
    for (const PlannedList& list : word.lists) best = std::max(best, score_list(lists, list, row));
    if (best == 0 && phrase.needs_all) return 0;
    sum += best;
  }
  return sum;
}

std::int32_t score_row(const PostingLists& lists, const std::vector<PlannedClause>& clauses, std::uint32_t row) {
  std::int32_t sum = 0;
  for (const PlannedClause& clause : clauses) {
    std::int32_t best = 0;
    for (const PlannedPhrase& phrase : clause.phrases) best = std::max(best, score_phrase(lists, phrase, row));
    sum += best;
  }
  return sum;
}

}  // namespace scalestyle::retrieval
