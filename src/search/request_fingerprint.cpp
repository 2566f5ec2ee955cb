#include "search/request_fingerprint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "catalog/filters.hpp"
#include "search/list_key.hpp"

namespace scalestyle::search {

namespace {

// Parts carry their length, so that no two lists of parts run together.
class Fingerprint {
 public:
  explicit Fingerprint(std::string_view kind) { add("kind", kind); }

  void add(std::string_view name, std::string_view value) { text_ += fmt::format("{}:{}:{};", name, value.size(), value); }
  void add(std::string_view name, std::optional<double> value) {
    if (value) add(name, fmt::format("{}", *value));
  }
  void add(std::string_view name, std::optional<std::size_t> value) {
    if (value) add(name, fmt::format("{}", *value));
  }
  void add(const ListRequest& request) {
    for (const catalog::FilterField field : catalog::all_filter_fields()) {
      std::vector<std::string> values;
      for (const std::string& value : request.filter[field]) values.push_back(catalog::fold_value(value));
      std::ranges::sort(values);
      values.erase(std::ranges::unique(values).begin(), values.end());
      for (const std::string& value : values) add(catalog::parameter_name(field), value);
    }
    add("price_min", request.filter.price_min);
    add("price_max", request.filter.price_max);
    add("collapse", request.collapse ? "1" : "0");
    add("max_per_type", request.max_per_type);
    add("max_per_section", request.max_per_section);
    add("diversity_window", request.diversity_window);
  }
  [[nodiscard]] std::string take() && { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string request_fingerprint(const SearchRequest& request) {
  Fingerprint print("search");
  print.add("list", list_key(request, request.query));
  print.add("rerank", request.rerank.enabled ? "1" : "0");
  print.add("rerank_depth", request.rerank.depth);
  print.add("sort", to_string(request.sort));
  print.add(request);
  return std::move(print).take();
}

std::string request_fingerprint(const BrowseRequest& request) {
  Fingerprint print("browse");
  print.add("sort", to_string(request.sort));
  print.add(request);
  return std::move(print).take();
}

std::string request_fingerprint(const TrendingRequest& request) {
  Fingerprint print("trending");
  print.add("window", std::optional(static_cast<std::size_t>(request.window)));
  print.add(request);
  return std::move(print).take();
}

std::string request_fingerprint(const ForYouRequest& request) {
  Fingerprint print("for_you");
  const auto add = [&](std::string_view name, std::optional<bool> wish) {
    if (wish) print.add(name, *wish ? "1" : "0");
  };
  add("show_bought", request.show_bought);
  add("show_seen", request.show_seen);
  print.add(request);
  return std::move(print).take();
}

std::string request_fingerprint(const SimilarRequest& request) {
  Fingerprint print("similar");
  const auto id = catalog::ArticleId::parse(request.article_id);
  print.add("id", id ? id->text() : request.article_id);
  print.add("variants", request.variants ? "1" : "0");
  print.add("by", fmt::format("{}{}{}", int{request.by.text}, int{request.by.picture}, int{request.by.bought}));
  print.add(request);
  return std::move(print).take();
}

}  // namespace scalestyle::search
