#include "search/query_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/article_id.hpp"
#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::search {

namespace {

bool is_around_words(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || std::string_view(",.;:!?\"()[]").find(c) != std::string_view::npos; }

void append_lower(std::string_view word, std::string& out) {
  for (std::size_t at = 0; at < word.size();) text::append_utf8(text::to_lower(text::next_code_point(word, at)), out);
}

bool keeps_its_letters(std::string_view word, const catalog::Catalog& articles) {
  if (std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; })) return true;
  const auto id = catalog::ArticleId::parse(word);
  return id && articles.find(*id);
}

}  // namespace

std::string normalized_query(std::string_view query, const catalog::Catalog& articles) {
  std::string normalized;
  for (std::size_t at = 0; at < query.size();) {
    std::size_t begin = at;
    const char32_t first = text::next_code_point(query, at);
    if (text::is_bert_whitespace(first) || text::is_bert_control(first)) continue;
    std::size_t end = at;
    while (at < query.size()) {
      const char32_t next = text::next_code_point(query, at);
      if (text::is_bert_whitespace(next) || text::is_bert_control(next)) break;
      end = at;
    }
    const std::string_view word = query.substr(begin, end - begin);
    if (!normalized.empty()) normalized += ' ';
    if (keeps_its_letters(word, articles)) {
      normalized += word;
    } else {
      append_lower(word, normalized);
    }
  }
  return normalized;
}

retrieval::TextSpan CorrectedText::in_query(retrieval::TextSpan span) const {
  // What follows a change is as far behind its end as before.
  const auto moved = [&](std::size_t at, bool is_end) {
    std::size_t was = at;
    for (const Change& change : changes) {
      if (at <= change.is.begin) break;
      if (at < change.is.end) return is_end ? change.was.end : change.was.begin;
      was = change.was.end + (at - change.is.end);
    }
    return was;
  };
  return {moved(span.begin, false), moved(span.end, true)};
}

CorrectedText corrected_text(std::string_view query, std::span<const retrieval::QueryNote> notes,
                             std::span<const retrieval::TextSpan> kept) {
  const auto correction_of = [&](std::string_view word) {
    const std::string folded = text::fold_for_search(word);
    return std::ranges::find_if(notes, [&](const retrieval::QueryNote& note) {
      return note.kind == retrieval::MatchKind::kCorrection && note.from == folded;
    });
  };
  const bool any = std::ranges::any_of(notes, [](const auto& note) { return note.kind == retrieval::MatchKind::kCorrection; });
  CorrectedText corrected;
  if (!any) {
    corrected.text = query;
    return corrected;
  }
  for (std::size_t at = 0; at < query.size();) {
    std::size_t end = at;
    while (end < query.size() && !is_around_words(query[end])) ++end;
    if (end == at) {
      corrected.text += query[at++];
      continue;
    }
    const std::string_view word = query.substr(at, end - at);
    const auto note = correction_of(word);
    const bool stays = note == notes.end() || std::ranges::any_of(kept, [&](retrieval::TextSpan span) {
      return span.begin < end && at < span.end;
    });
    const std::size_t begin = corrected.text.size();
    corrected.text += stays ? word : std::string_view(note->to);
    if (!stays) corrected.changes.push_back({{at, end}, {begin, corrected.text.size()}});
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
