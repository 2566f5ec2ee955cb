#pragma once
// SuggestService: completes what a shopper begins to type, from the serving generation's phrases and from what shoppers
// ask (frequent_queries.hpp).
//
// Frequent queries come first, at most half of the places where the catalogue has phrases for the others; then phrases of the
// catalogue. Each text once: a query that is a phrase too has that phrase's kind and products. Only where neither has
// anything for the prefix, one typing error is forgiven (PhraseCompletion::complete_mistyped). A query is suggested only while
// the vocabulary of the generation has all its words.
//
// Thread safety: any thread. suggest() does not block and takes some microseconds, at most about a hundred: it may run
// on the I/O thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "retrieval/lexical_vocabulary.hpp"
#include "search/frequent_queries.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxPrefixCharacters = 100;
inline constexpr std::size_t kMaxSuggestions = 20;
inline constexpr std::size_t kDefaultSuggestions = 8;

struct SuggestRequest {
  core::RequestId request_id{};
  std::string prefix{};  // any bytes of 1 … kMaxPrefixCharacters characters
  std::size_t k = kDefaultSuggestions;
};

enum class SuggestionSource : std::uint8_t { kQuery, kCatalog };
[[nodiscard]] std::string_view to_string(SuggestionSource source);  // "query", "catalog"

struct Suggestion {
  std::string text{};
  SuggestionSource source = SuggestionSource::kCatalog;
  std::string_view kind{};                  // retrieval::to_string(PhraseKind), or "query" of what is no phrase of the catalogue
  std::optional<std::uint32_t> products{};  // behind the phrase; a query that is none has not been counted

  friend bool operator==(const Suggestion&, const Suggestion&) = default;
};

struct SuggestAnswer {
  core::RequestId request_id{};
  std::chrono::nanoseconds took{0};
  bool corrected = false;  // a typing error of the prefix was forgiven
  std::vector<Suggestion> suggestions{};
};

class SuggestService {
 public:
  // All must outlive this. `queries` is null where none are counted.
  SuggestService(const SnapshotHolder& generations, const core::Clock& clock, FrequentQueries* queries = nullptr)
      : generations_(generations), clock_(clock), queries_(queries) {}

  // Errors: kInvalidArgument with the field (prefix, k); kUnavailable (no generation yet).
  [[nodiscard]] core::Result<SuggestAnswer> suggest(const SuggestRequest& request) const;

  // Lets new counts, and a new generation, be seen in what is suggested. One caller at a time; milliseconds.
  void refresh();

 private:
  const SnapshotHolder& generations_;
  const core::Clock& clock_;
  FrequentQueries* const queries_;
  std::string refreshed_for_;  // the generation; touched by refresh() alone
};

// Whether every word of the query is one of the vocabulary in some form, or says nothing ("the").
[[nodiscard]] bool knows_words(const retrieval::LexicalVocabulary& vocabulary, std::string_view query);

}  // namespace scalestyle::search
