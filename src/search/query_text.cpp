#include "search/query_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "text/words.hpp"

namespace scalestyle::search {

namespace {

bool is_around_words(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || std::string_view(",.;:!?\"()[]").find(c) != std::string_view::npos; }

}  // namespace

std::string corrected_text(std::string_view query, const std::vector<retrieval::QueryNote>& notes) {
  const auto correction_of = [&](std::string_view word) {
    const std::string folded = text::fold_for_search(word);
    return std::ranges::find_if(notes, [&](const retrieval::QueryNote& note) {
      return note.kind == retrieval::MatchKind::kCorrection && note.from == folded;
    });
  };
  const bool any = std::ranges::any_of(notes, [](const auto& note) { return note.kind == retrieval::MatchKind::kCorrection; });
  if (!any) return std::string(query);
  std::string corrected;
  for (std::size_t at = 0; at < query.size();) {
    std::size_t end = at;
    while (end < query.size() && !is_around_words(query[end])) ++end;
    if (end == at) {
      corrected += query[at++];
      continue;
    }
    const std::string_view word = query.substr(at, end - at);
    const auto note = correction_of(word);
    corrected += note == notes.end() ? word : std::string_view(note->to);
    at = end;
  }
  return corrected;
}

std::vector<Understood> understood_words(const std::vector<retrieval::QueryNote>& notes) {
  std::vector<Understood> understood;
  for (const retrieval::QueryNote& note : notes) {
    understood.push_back({std::string(retrieval::to_string(note.kind)), fmt::format("{} → {}", note.from, note.to), "query"});
  }
  return understood;
}

}  // namespace scalestyle::search
