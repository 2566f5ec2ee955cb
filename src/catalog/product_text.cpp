#include "catalog/product_text.hpp"

#include <algorithm>
#include <initializer_list>

#include "core/hash.hpp"

namespace scalestyle::catalog {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Appends "<label>: a<separator>b." of the parts that are not empty, or nothing when all are.
void append_segment(std::string& text, std::string_view label, std::string_view separator,
                    std::initializer_list<std::string_view> parts) {
  bool started = false;
  for (const std::string_view part : parts) {
    const std::string_view value = trim(part);
    if (value.empty()) continue;
    if (started) {
      text += separator;
    } else {
      if (!text.empty()) text += ' ';
      text.append(label).append(": ");
      started = true;
    }
    text += value;
  }
  if (started) text += '.';
}

}  // namespace

std::string product_text_v1(const Article& article) {
  std::string text;
  const std::string_view name = trim(article.name);
  append_segment(text, "Product", "", {name.empty() ? std::string_view("Unknown Product") : name});
  append_segment(text, "Type", " / ", {article[Attribute::kProductType], article[Attribute::kProductGroup]});
  append_segment(text, "Colour", " / ", {article[Attribute::kColour], article[Attribute::kColourValue]});
  append_segment(text, "Appearance", "", {article[Attribute::kAppearance]});
  append_segment(text, "Category", ", ",
                 {article[Attribute::kDepartment], article[Attribute::kSection], article[Attribute::kGarmentGroup],
                  article[Attribute::kIndex]});
  const std::string_view description = trim(article.description);
  if (!description.empty()) text.append(" Description: ").append(description);
  return text;
}

std::string TextHash::hex() const { return core::to_hex(bytes); }

TextHash hash_text(std::string_view text) {
  const core::Sha256Digest digest = core::sha256(text);
  TextHash hash;
  std::copy_n(digest.begin(), hash.bytes.size(), hash.bytes.begin());
  return hash;
}

}  // namespace scalestyle::catalog
