#pragma once
// From the words of a query to a plan. One planner a query; not thread-safe.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retrieval/lexical_options.hpp"
#include "retrieval/lexical_plan.hpp"
#include "retrieval/lexical_vocabulary.hpp"
#include "retrieval/product_lookup.hpp"
#include "retrieval/synonyms.hpp"
#include "text/english_stemmer.hpp"
#include "text/words.hpp"

namespace scalestyle::retrieval {

// What a planner reads; all must outlive it. `synonyms` may be null.
struct PlannerInput {
  const LexicalVocabulary& vocabulary;
  const ProductLookup& products;
  std::size_t article_count;
  double idf_exponent;
  const SynonymTable* synonyms;
  const LexicalQueryOptions& options;
};

class LexicalPlanner {
 public:
  LexicalPlanner(const PlannerInput& input, text::EnglishStemmer stemmer) : in_(input), stemmer_(std::move(stemmer)) {}

  [[nodiscard]] LexicalPlan run(std::string_view query);

 private:
  // A plain word or a compound of the query.
  struct Unit {
    std::size_t first;
    std::size_t count;
  };

  void take_named_rows(std::string& query);
  void split_units();
  void plan_synonyms();
  void plan_pairs();
  void plan_unit(const Unit& unit);
  void add_clause(PlannedClause clause);
  void add_alternative(PlannedClause& clause, PlannedPhrase phrase, float weight) const;

  [[nodiscard]] bool is_last(std::size_t word) const { return word + 1 == words_.size(); }
  [[nodiscard]] std::string text_of(std::size_t first, std::size_t count) const;
  [[nodiscard]] double idf(std::uint32_t articles) const;
  [[nodiscard]] std::uint32_t articles_of(std::string_view word);
  // The word as it stands, by its stem; nothing when no article has it.
  [[nodiscard]] std::optional<PlannedList> look_up(std::string_view word, MatchKind kind, float factor);
  [[nodiscard]] PlannedList list_of(WordId word, MatchKind kind, double weight) const;
  // The word with corrections and completions where it is rare; no lists when there is nothing at all.
  [[nodiscard]] PlannedWord plan_word(std::size_t word);
  void add_corrections(PlannedWord& planned, std::string_view word, std::uint32_t articles);
  void add_completions(PlannedWord& planned, std::string_view word);
  // Two known words that `word` is made of, the more frequent pair first; nothing when there are none.
  [[nodiscard]] std::optional<PlannedPhrase> split_in_two(std::string_view word);
  [[nodiscard]] PlannedPhrase plan_phrase(std::string_view phrase, MatchKind kind);

  PlannerInput in_;
  text::EnglishStemmer stemmer_;
  LexicalPlan plan_;
  text::Words words_;
  std::vector<bool> is_done_;  // by word of the query: it belongs to a clause, or is a stop word
  std::vector<Unit> units_;
  std::size_t list_count_ = 0;
  std::size_t corrected_words_ = 0;
};

}  // namespace scalestyle::retrieval
