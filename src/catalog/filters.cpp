#include "catalog/filters.hpp"

#include <fmt/format.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "catalog/catalog.hpp"
#include "text/unicode.hpp"

namespace scalestyle::catalog {
namespace {

constexpr std::array<FilterField, kFilterFieldCount> kFields = {
    FilterField::kColour,     FilterField::kColourFamily, FilterField::kType,         FilterField::kGroup,
    FilterField::kDepartment, FilterField::kSection,      FilterField::kGarmentGroup, FilterField::kIndex};
constexpr std::array<std::string_view, kFilterFieldCount> kParameterNames = {
    "colour", "colour_family", "type", "group", "department", "section", "garment_group", "index"};
constexpr std::array<Attribute, kFilterFieldCount> kAttributes = {
    Attribute::kColour,     Attribute::kColourFamily, Attribute::kProductType,  Attribute::kProductGroup,
    Attribute::kDepartment, Attribute::kSection,      Attribute::kGarmentGroup, Attribute::kIndex};

core::Status check_bound(const std::optional<double>& bound, const char* parameter) {
  if (!bound || (std::isfinite(*bound) && *bound >= 0)) return {};
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("{} must be a finite number of at least 0", parameter), parameter);
}

// One bit a price, the first in the lowest bit. Bytes are compared first because that loop is vectorised.
std::uint64_t prices_within(const double* prices, double low, double high) {
  std::array<std::uint8_t, 64> within;
  for (std::size_t i = 0; i < 64; ++i) {
    within[i] = static_cast<std::uint8_t>(static_cast<unsigned>(prices[i] >= low) & static_cast<unsigned>(prices[i] <= high));
  }
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, within.data() + 8 * i, 8);
    word |= ((eight * 0x0102040810204080U) >> 56) << (8 * i);  // gathers the low bit of each byte, in order
  }
  return word;
}

void keep_prices(Bitmap& rows, std::span<const double> prices, double low, double high) {
  const auto words = rows.words();
  for (std::size_t w = 0; w < words.size(); ++w) {
    const std::uint64_t word = words[w];
    if (word == 0) continue;
    if (std::popcount(word) > 8 && (w + 1) * 64 <= prices.size()) {
      rows.set_word(w, word & prices_within(prices.data() + w * 64, low, high));
      continue;
    }
    std::uint64_t kept = 0;
    for (std::uint64_t rest = word; rest != 0; rest &= rest - 1) {
      const double price = prices[w * 64 + static_cast<std::size_t>(std::countr_zero(rest))];
      if (price >= low && price <= high) kept |= rest & (~rest + 1);
    }
    rows.set_word(w, kept);
  }
}

}  // namespace

const std::array<FilterField, kFilterFieldCount>& all_filter_fields() { return kFields; }

std::string_view parameter_name(FilterField field) { return kParameterNames[static_cast<std::size_t>(field)]; }

std::optional<FilterField> filter_field(std::string_view parameter_name) {
  const auto found = std::find(kParameterNames.begin(), kParameterNames.end(), parameter_name);
  if (found == kParameterNames.end()) return std::nullopt;
  return kFields[static_cast<std::size_t>(found - kParameterNames.begin())];
}

Attribute attribute_of(FilterField field) { return kAttributes[static_cast<std::size_t>(field)]; }

std::string fold_value(std::string_view value) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const std::size_t first = value.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  value = value.substr(first, value.find_last_not_of(kBlanks) - first + 1);
  std::string folded;
  folded.reserve(value.size());
  for (std::size_t position = 0; position < value.size();) {
    const char32_t code_point = text::next_code_point(value, position);
    text::append_utf8(static_cast<char32_t>(u_foldCase(static_cast<UChar32>(code_point), U_FOLD_CASE_DEFAULT)), folded);
  }
  return folded;
}

bool Filter::empty() const {
  return !price_min && !price_max &&
         std::all_of(values.begin(), values.end(), [](const auto& list) { return list.empty(); });
}

core::Status Filter::validate() const {
  for (const FilterField field : kFields) {
    for (const std::string& value : (*this)[field]) {
      if (!fold_value(value).empty()) continue;
      const std::string parameter(parameter_name(field));
      return core::fail(core::ErrorCode::kInvalidArgument, parameter + " must not be blank", parameter);
    }
  }
  CORE_CHECK(check_bound(price_min, "price_min"));
  CORE_CHECK(check_bound(price_max, "price_max"));
  if (price_min && price_max && *price_min > *price_max) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("price_min ({}) must not be above price_max ({})", *price_min, *price_max), "price_min");
  }
  return {};
}

Bitmap eligible(const Catalog& catalog, const Filter& filter) {
  Bitmap rows = catalog.available();
  for (const FilterField field : kFields) {
    if (filter[field].empty()) continue;
    Bitmap with_value(catalog.size());
    for (const std::string& value : filter[field]) {
      for (const std::uint32_t code : catalog.matching_codes(field, value)) {
        catalog.rows_by_value(field).add_to(with_value, code);
      }
    }
    rows &= with_value;
  }
  if (filter.price_min || filter.price_max) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    keep_prices(rows, catalog.prices(), filter.price_min.value_or(-kInfinity), filter.price_max.value_or(kInfinity));
  }
  return rows;
}

}  // namespace scalestyle::catalog
