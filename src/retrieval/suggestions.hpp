#pragma once
// Suggestions: phrases of one catalogue that shoppers would type, to complete what they begin: product types, colours and
// types that go together ("light blue jacket"), audiences and types ("ladies dress", where the index group is
// "Ladieswear"), sections, departments, names of products. All words come from the catalogue's own values.
//
// A phrase that is several of these is one, of the first kind of this list. The more its products were bought the better;
// then the more products, then the text: a total order.
// Immutable: safe to read from any thread; the catalogue is not needed once it is built.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/string_pool.hpp"
#include "retrieval/phrase_completion.hpp"

namespace scalestyle::retrieval {

enum class PhraseKind : std::uint8_t { kType, kColourType, kAudienceType, kSection, kDepartment, kName };
inline constexpr std::size_t kPhraseKindCount = 6;
// "type", "colour_type", "audience_type", "section", "department", "name"
[[nodiscard]] std::string_view to_string(PhraseKind kind);

struct SuggestedPhrase {
  std::string_view text;       // lower case, single blanks; lives as long as the Suggestions
  PhraseKind kind = PhraseKind::kName;
  std::uint32_t products = 0;  // that the phrase was made from
};

class Suggestions {
 public:
  static constexpr std::size_t kMaxPhrases = 400'000;   // the best are kept
  static constexpr std::size_t kMaxPhraseBytes = 100;   // longer ones are no suggestion

  Suggestions() = default;
  explicit Suggestions(const catalog::Catalog& catalog, std::size_t max_phrases = kMaxPhrases);

  // At most k phrases for the prefix, in the order of PhraseCompletion; mistyped: one error in it is forgiven.
  [[nodiscard]] std::vector<SuggestedPhrase> complete(const TypedPrefix& prefix, std::size_t k) const;
  [[nodiscard]] std::vector<SuggestedPhrase> complete_mistyped(const TypedPrefix& prefix, std::size_t k) const;

  // The phrase with these words (phrase_key()).
  [[nodiscard]] std::optional<SuggestedPhrase> find(std::string_view key) const;

  // By place in the order of popularity, for tests and measurements.
  [[nodiscard]] std::size_t size() const { return facts_.size(); }
  [[nodiscard]] SuggestedPhrase phrase(std::size_t place) const;

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Facts {
    std::uint32_t products = 0;
    PhraseKind kind = PhraseKind::kName;
  };
  [[nodiscard]] std::vector<SuggestedPhrase> phrases(const std::vector<std::uint32_t>& places) const;

  catalog::StringPool texts_;  // by place
  std::vector<Facts> facts_;
  PhraseCompletion completion_;
};

}  // namespace scalestyle::retrieval
