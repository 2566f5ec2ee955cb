#include "adapters/milvus/milvus_filter.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <set>

#include "adapters/milvus/milvus_fields.hpp"

namespace scalestyle::adapters::milvus {

namespace {

// Always with a point or an exponent: a number of digits alone is an integer to Milvus, with an integer's bounds.
std::string number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Nothing where some value cannot be said, or none is left: then the field must not restrict.
std::optional<std::string> any_of(std::string_view field, const std::vector<std::string>& values) {
  std::set<std::string> literals;  // in an order of their own: equal filters make equal expressions
  for (const std::string& value : values) {
    auto literal = quoted_text(catalog::fold_value(value));
    if (!literal) return std::nullopt;
    literals.insert(std::move(*literal));
  }
  if (literals.empty()) return std::nullopt;
  return fmt::format("{} in [{}]", field, fmt::join(literals, ", "));
}

class Conjunction {
 public:
  void add(const std::string& part) {
    constexpr std::string_view kAnd = " and ";
    if (text_.size() + kAnd.size() + part.size() > kMaxExpressionBytes) return;
    if (!text_.empty()) text_ += kAnd;
    text_ += part;
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::optional<std::string> quoted_text(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return std::nullopt;
    if (c == '"' || c == '\\') literal += '\\';
    literal += c;
  }
  literal += '"';
  return literal;
}

std::string filter_expression(const catalog::Filter& filter, bool only_available) {
  Conjunction all;
  if (only_available) all.add(fmt::format("{} == true", kAvailableField));
  // Prices first: short, so that a long list of values never takes their place.
  if (filter.price_min || filter.price_max) {
    // Zero keeps out what has no price.
    const double low = filter.price_min.value_or(0);
    if (std::isfinite(low)) all.add(fmt::format("{} >= {}", kPriceField, number(low)));
    if (filter.price_max && std::isfinite(*filter.price_max)) {
      all.add(fmt::format("{} <= {}", kPriceField, number(*filter.price_max)));
    }
  }
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    if (const auto part = any_of(value_field(field), filter[field])) all.add(*part);
  }
  return all.take();
}

}  // namespace scalestyle::adapters::milvus
