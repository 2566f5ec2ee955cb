#pragma once
// Search by words over one catalogue: BM25F with exact top-k, typo tolerance, completion of the last word, synonyms,
// and look-up of article ids and product codes.
//
//   auto index = LexicalIndex::build(catalog, {});
//   auto plan = index->plan("black strapy top", synonyms, {});       // what is searched, and what was done to the words
//   auto result = index->search(*plan, &eligible_rows, 100);
//
// Immutable once built: every method is const and safe to call from any thread. The catalogue must outlive the index.
// A plan belongs to the index that made it. Same catalogue, options, query and filter: same answer, on every machine.

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"
#include "core/result.hpp"
#include "retrieval/block_max_search.hpp"
#include "retrieval/lexical_options.hpp"
#include "retrieval/lexical_plan.hpp"
#include "retrieval/lexical_vocabulary.hpp"
#include "retrieval/synonyms.hpp"

namespace scalestyle::retrieval {

struct LexicalHit {
  catalog::RowIndex row;
  float score = 0;         // BM25F; for a named row one more than any words could reach
  bool is_named = false;   // its id or product code is in the query

  friend bool operator==(const LexicalHit&, const LexicalHit&) = default;
};

struct LexicalResult {
  std::vector<LexicalHit> hits;  // named rows in the order of the query, then score descending, article id ascending
  LexicalWork work;
};

// What one list of a plan gave to one article.
struct TermExplanation {
  struct Field {
    LexicalField field = LexicalField::kName;
    std::size_t count = 0;  // occurrences of the term
    float share = 0;        // of the term's weighted frequency; the shares add up to 1
  };
  std::string query_text;  // the words of the query that the clause stands for
  std::string word;        // as looked up
  MatchKind kind = MatchKind::kWord;
  bool is_exact_form = false;  // the article has this very form of the word
  float score = 0;
  std::vector<Field> fields;
};

struct LexicalExplanation {
  bool is_named = false;
  float score = 0;  // the sum of the terms' scores
  std::vector<TermExplanation> terms;
};

class LexicalIndex {
 public:
  // Errors: those of LexicalOptions::validate; kResourceExhausted beyond 16,777,216 articles or 2^32 − 2 postings.
  // With `statistics` the rarity of words and the average lengths are those of that index (which is not needed
  // afterwards): scores of a small index, of changed articles say, can then be merged with those of the large one.
  [[nodiscard]] static core::Result<LexicalIndex> build(const catalog::Catalog& catalog, const LexicalOptions& options,
                                                        const LexicalIndex* statistics = nullptr);
  LexicalIndex(LexicalIndex&&) noexcept;
  LexicalIndex& operator=(LexicalIndex&&) noexcept;
  ~LexicalIndex();

  // Any bytes are a query; what is beyond kMaxQueryBytes and kMaxQueryWords is left out and said. `synonyms` may be
  // null and is not needed afterwards. Errors: those of LexicalQueryOptions::validate.
  [[nodiscard]] core::Result<LexicalPlan> plan(std::string_view query, const SynonymTable* synonyms,
                                               const LexicalQueryOptions& options) const;

  // The best k rows that match at least one word, of those in `eligible` (null: all; else one bit a row).
  [[nodiscard]] LexicalResult search(const LexicalPlan& plan, const catalog::Bitmap* eligible, std::size_t k) const;

  // The score that search gives to `row`, and where it comes from. `row` must be a row of the catalogue.
  [[nodiscard]] float score(const LexicalPlan& plan, catalog::RowIndex row) const;
  [[nodiscard]] LexicalExplanation explain(const LexicalPlan& plan, catalog::RowIndex row) const;

  // Every folded word of the catalogue's texts with its number of articles, sorted.
  [[nodiscard]] const LexicalVocabulary& vocabulary() const;
  [[nodiscard]] std::size_t posting_count() const;
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct State;
  explicit LexicalIndex(std::unique_ptr<const State> state);

  std::unique_ptr<const State> state_;
};

}  // namespace scalestyle::retrieval
