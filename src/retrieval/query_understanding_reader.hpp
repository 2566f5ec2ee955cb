#pragma once
// One reading of one query: from words to pieces. Internal to QueryUnderstanding.

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "retrieval/query_understanding.hpp"
#include "retrieval/query_understanding_lexicon.hpp"
#include "retrieval/query_understanding_prices.hpp"
#include "retrieval/query_understanding_words.hpp"

namespace scalestyle::retrieval {

class QueryReader {
 public:
  QueryReader(const UnderstandingLexicon& lexicon, const PriceUnit& unit, const UnderstandingOptions& options)
      : lexicon_(lexicon), unit_(unit), options_(options) {}

  // Pieces by span and notes; `removed` and `remaining` are left to the caller, who knows what is switched off.
  [[nodiscard]] UnderstoodQuery read(std::string_view query) &&;

 private:
  struct Found {  // a piece, and what decides whether it stays
    UnderstoodPiece piece;
    std::size_t phrase = 0;       // number of its noun phrase
    bool subordinate = false;     // after "with" or "for"
    const Sense* sense = nullptr;
    std::size_t first_word = 0;
    std::size_t end_word = 0;
  };

  // Each reads what starts at words_[first]; returns the word after it, or `first` when it is nothing of the kind.
  std::size_t read_price(std::size_t first);
  std::size_t read_negation(std::size_t first);
  std::size_t read_phrase(std::size_t first);

  [[nodiscard]] bool surely_means(const Sense& sense, std::size_t word) const;
  void follow_grammar(const QueryWord& word);
  void keep_what_names_the_thing();
  void keep_shades_before_colours();
  void keep_each_preference_once();
  void drop_contradicting_prices();
  void note(UnderstandingNote::Reason reason, TextSpan span, std::string text);
  [[nodiscard]] UnderstoodPiece piece_of(const Sense& sense, PieceEffect effect, TextSpan span) const;
  [[nodiscard]] double weight_of(const Sense& sense) const;

  const UnderstandingLexicon& lexicon_;
  const PriceUnit& unit_;
  const UnderstandingOptions& options_;
  std::vector<QueryWord> words_;
  std::vector<Found> found_;
  std::vector<UnderstandingNote> notes_;
  std::size_t phrase_ = 0;
  bool subordinate_ = false;
};

}  // namespace scalestyle::retrieval
