#include "text/english_stemmer.hpp"

#include <libstemmer.h>

#include <algorithm>
#include <array>
#include <utility>

namespace scalestyle::text {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// From the stem that Snowball gives to the stem of the singular.
constexpr std::array<Pair, 7> kIrregular = {{
    {"children", "child"},
    {"feet", "foot"},
    {"knive", "knife"},
    {"men", "man"},
    {"scarv", "scarf"},
    {"teeth", "tooth"},
    {"women", "woman"},
}};

constexpr std::array<std::string_view, 37> kStopWords = {
    "a",  "an", "and", "are", "as", "at", "be", "but", "by",   "for",  "from",  "has",  "in", "into", "is",  "it",   "its",
    "my", "no", "not", "of",  "on", "one", "or", "some", "something", "that", "the", "their", "this", "to", "with", "you", "your",
    "clothes", "clothing", "wear"};  // what everything in a shop for clothes is

}  // namespace

void EnglishStemmer::Free::operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }

core::Result<EnglishStemmer> EnglishStemmer::create() {
  sb_stemmer* const stemmer = sb_stemmer_new("english", "UTF_8");
  if (stemmer == nullptr) return core::fail(core::ErrorCode::kInternal, "libstemmer has no English algorithm");
  return EnglishStemmer(stemmer);
}

std::string_view EnglishStemmer::stem(std::string_view word) {
  const auto* const bytes = reinterpret_cast<const sb_symbol*>(word.data());
  const sb_symbol* const stem = sb_stemmer_stem(stemmer_.get(), bytes, static_cast<int>(word.size()));
  if (stem == nullptr) return word;  // out of memory: the word stands for itself
  const std::string_view found(reinterpret_cast<const char*>(stem), static_cast<std::size_t>(sb_stemmer_length(stemmer_.get())));
  const auto irregular = std::ranges::find(kIrregular, found, &Pair::first);
  return irregular == kIrregular.end() ? found : irregular->second;
}

std::string_view wearer_of(std::string_view word) {
  constexpr std::string_view kWear = "wear";
  constexpr std::size_t kLeastLetters = 3;
  if (!word.ends_with(kWear) || word.size() < kWear.size() + kLeastLetters) return {};
  return word.substr(0, word.size() - kWear.size());
}

bool is_english_stop_word(std::string_view word) { return std::ranges::find(kStopWords, word) != kStopWords.end(); }

}  // namespace scalestyle::text
