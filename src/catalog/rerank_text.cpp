#include "catalog/rerank_text.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

namespace scalestyle::catalog {

namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

void append_sentence(std::string& text, std::initializer_list<std::string_view> parts) {
  bool started = false;
  for (const std::string_view part : parts) {
    const std::string_view value = trim(part);
    if (value.empty()) continue;
    if (started) {
      text += ", ";
    } else if (!text.empty()) {
      text += ' ';
    }
    text += value;
    started = true;
  }
  if (started && text.back() != '.') text += '.';
}

// The longest beginning of at most `most` bytes that ends behind a whole word; empty where the first word is longer.
std::string_view whole_words(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  const std::size_t blank = text.find_last_of(kBlanks, most);
  if (blank == std::string_view::npos) return {};
  return trim(text.substr(0, blank));
}

}  // namespace

std::string rerank_text_v1(const ArticleView& article) {
  std::string text;
  text.reserve(kRerankTextBytes);
  append_sentence(text, {article.name()});
  append_sentence(text, {article[Attribute::kProductType], article[Attribute::kColour], article[Attribute::kAppearance]});
  append_sentence(text, {article[Attribute::kDepartment], article[Attribute::kSection]});
  const std::size_t room = kRerankTextBytes > text.size() + 1 ? kRerankTextBytes - text.size() - 1 : 0;
  const std::string_view description = whole_words(trim(article.description()), room);
  if (description.empty()) return text;
  if (!text.empty()) text += ' ';
  text += description;
  return text;
}

bool have_same_rerank_text(const Catalog& articles, RowIndex a, RowIndex b) {
  if (articles.name_codes()[a.value] != articles.name_codes()[b.value]) return false;
  if (articles.description_codes()[a.value] != articles.description_codes()[b.value]) return false;
  constexpr std::array kParts{Attribute::kProductType, Attribute::kColour, Attribute::kAppearance, Attribute::kDepartment,
                              Attribute::kSection};
  return std::ranges::all_of(kParts, [&](Attribute part) {
    const auto codes = articles.codes(part);
    return codes[a.value] == codes[b.value];
  });
}

}  // namespace scalestyle::catalog
