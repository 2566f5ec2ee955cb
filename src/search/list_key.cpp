#include "search/list_key.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace scalestyle::search {

namespace {

// Texts are preceded by their length: no two lists of parts make the same key.
class KeyWriter {
 public:
  void add(std::uint64_t number) {
    do {
      key_ += static_cast<char>((number & 0x7F) | (number > 0x7F ? 0x80 : 0));
      number >>= 7;
    } while (number != 0);
  }
  void add(std::string_view text) {
    add(text.size());
    key_ += text;
  }
  void add(std::optional<double> number) {
    add(std::uint64_t{number.has_value()});
    if (number) add(std::bit_cast<std::uint64_t>(*number == 0 ? 0.0 : *number));  // one zero
  }
  void add_set(const std::vector<std::string>& values) {
    std::vector<std::string> sorted;
    sorted.reserve(values.size());
    for (const std::string& value : values) sorted.push_back(catalog::fold_value(value));
    std::ranges::sort(sorted);
    const auto repeated = std::ranges::unique(sorted);
    sorted.erase(repeated.begin(), repeated.end());
    add(sorted.size());
    for (const std::string& value : sorted) add(std::string_view(value));
  }
  [[nodiscard]] std::string take() { return std::move(key_); }

 private:
  std::string key_;
};

void add(const VisualQuery& visual, KeyWriter& key) {
  key.add(static_cast<std::uint64_t>(visual.mode));
  key.add(std::string_view(visual.image_hash));
  key.add(std::uint64_t{visual.article.has_value()});
  if (visual.article) key.add(std::string_view(visual.article->text()));
  key.add(std::string_view(visual.less_like));
  key.add(std::optional(visual.text_weight));
  key.add(std::optional(visual.image_weight));
}

}  // namespace

std::string list_key(const SearchRequest& request, std::string_view query) {
  KeyWriter key;
  key.add(query);
  key.add(std::uint64_t{request.legs.lexical} | std::uint64_t{request.legs.dense} << 1 | std::uint64_t{request.legs.image} << 2 |
          std::uint64_t{request.visual.has_value()} << 3);
  if (request.visual) add(*request.visual, key);
  key.add(std::uint64_t{request.understanding.understand});
  if (request.understanding.understand) {
    std::uint64_t kinds = 0;
    for (const retrieval::PieceKind kind : request.understanding.without_kinds) kinds |= std::uint64_t{1} << static_cast<unsigned>(kind);
    key.add(kinds);
    key.add_set(request.understanding.without_ids);
  }
  for (const catalog::FilterField field : catalog::all_filter_fields()) key.add_set(request.filter[field]);
  key.add(request.filter.price_min);
  key.add(request.filter.price_max);
  return key.take();
}

}  // namespace scalestyle::search
