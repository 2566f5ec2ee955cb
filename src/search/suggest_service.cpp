#include "search/suggest_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "text/english_stemmer.hpp"
#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::search {

namespace {

using retrieval::SuggestedPhrase;

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t position = 0; position < text.size(); ++count) static_cast<void>(text::next_code_point(text, position));
  return count;
}

core::Status validate(const SuggestRequest& request) {
  // A character has at most four bytes: what is far too long need not be read.
  const std::size_t count = request.prefix.size() > 4 * kMaxPrefixCharacters ? request.prefix.size() : characters(request.prefix);
  if (count < 1 || count > kMaxPrefixCharacters) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("prefix must have 1 to {} characters", kMaxPrefixCharacters), "prefix");
  }
  if (request.k < 1 || request.k > kMaxSuggestions) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("k must be 1 to {}, not {}", kMaxSuggestions, request.k), "k");
  }
  return {};
}

Suggestion from_catalog(const SuggestedPhrase& phrase) {
  return {std::string(phrase.text), SuggestionSource::kCatalog, retrieval::to_string(phrase.kind), phrase.products};
}

std::vector<Suggestion> from_queries(const FrequentQueries::Shown& shown, const ServingGeneration& generation,
                                     const retrieval::TypedPrefix& prefix, std::size_t k) {
  std::vector<Suggestion> found;
  for (const std::uint32_t place : shown.completion.complete(prefix, k)) {
    const std::string& query = shown.queries[place];
    if (!knows_words(generation.lexical().vocabulary(), query)) continue;
    const auto phrase = generation.suggestions().find(retrieval::phrase_key(query));
    if (phrase) {
      found.push_back({query, SuggestionSource::kQuery, retrieval::to_string(phrase->kind), phrase->products});
    } else {
      found.push_back({query, SuggestionSource::kQuery, "query", std::nullopt});
    }
  }
  return found;
}

// `queries` first, at most half where there are phrases enough; no two of the same words.
std::vector<Suggestion> merged(std::vector<Suggestion> queries, std::vector<Suggestion> phrases, std::size_t k) {
  std::vector<std::string> keys;
  const auto is_new = [&keys](const Suggestion& one) {
    std::string key = retrieval::phrase_key(one.text);
    if (std::ranges::find(keys, key) != keys.end()) return false;
    keys.push_back(std::move(key));
    return true;
  };
  std::erase_if(queries, [&](const Suggestion& one) { return !is_new(one); });
  std::erase_if(phrases, [&](const Suggestion& one) { return !is_new(one); });
  const std::size_t rest = k - std::min(k, phrases.size());
  queries.resize(std::min(queries.size(), std::max((k + 1) / 2, rest)));
  phrases.resize(std::min(phrases.size(), k - queries.size()));
  std::ranges::move(phrases, std::back_inserter(queries));
  return queries;
}

}  // namespace

std::string_view to_string(SuggestionSource source) { return source == SuggestionSource::kQuery ? "query" : "catalog"; }

bool knows_words(const retrieval::LexicalVocabulary& vocabulary, std::string_view query) {
  text::Words words;
  text::split_words(query, SIZE_MAX, words);
  auto stemmer = text::EnglishStemmer::create();
  const auto is_known = [&](std::string_view word) {
    if (vocabulary.find(word) || text::is_english_stop_word(word)) return true;
    return stemmer && vocabulary.find_stem(stemmer->stem(word)).has_value();
  };
  for (std::size_t i = 0; i < words.size();) {
    const std::size_t count = words.compound_length(i);
    bool parts_known = true;
    for (std::size_t part = i; part < i + count; ++part) parts_known = parts_known && is_known(words[part]);
    if (!parts_known && !is_known(words.joined(i, count))) return false;
    i += count;
  }
  return !words.empty();
}

core::Result<SuggestAnswer> SuggestService::suggest(const SuggestRequest& request) const {
  const core::SteadyTime began = clock_.steady_now();
  CORE_CHECK(validate(request));
  const auto generation = generations_.serving();
  if (generation == nullptr) return core::fail(core::ErrorCode::kUnavailable, "no catalogue is loaded yet; try again later");
  const auto prefix = retrieval::TypedPrefix::read(request.prefix);
  const retrieval::Suggestions& catalog = generation->suggestions();
  std::vector<Suggestion> queries;
  if (queries_ != nullptr) queries = from_queries(*queries_->shown(), *generation, prefix, request.k);
  std::vector<SuggestedPhrase> found = catalog.complete(prefix, request.k);
  SuggestAnswer answer{.request_id = request.request_id};
  if (found.empty() && queries.empty()) {
    found = catalog.complete_mistyped(prefix, request.k);
    answer.corrected = !found.empty();
  }
  std::vector<Suggestion> phrases;
  std::ranges::transform(found, std::back_inserter(phrases), from_catalog);
  answer.suggestions = merged(std::move(queries), std::move(phrases), request.k);
  answer.took = clock_.steady_now() - began;
  return answer;
}

void SuggestService::refresh() {
  if (queries_ == nullptr) return;
  const auto generation = generations_.serving();
  if (generation == nullptr) return;
  const std::string& id = generation->info().id.value();
  const auto& vocabulary = generation->lexical().vocabulary();
  queries_->refresh([&vocabulary](std::string_view query) { return knows_words(vocabulary, query); }, id != refreshed_for_);
  refreshed_for_ = id;
}

}  // namespace scalestyle::search
