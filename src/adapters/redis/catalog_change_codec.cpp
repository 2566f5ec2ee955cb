#include "adapters/redis/catalog_change_codec.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/redis/store_errors.hpp"

namespace scalestyle::adapters::redis {

namespace json = boost::json;

namespace {

constexpr std::string_view kPrice = "price";
constexpr std::string_view kAvailable = "available";

json::string_view name_of(std::string_view name) { return {name.data(), name.size()}; }

// Calls visit(column name, value) for every text column of the change.
template <class Change, class Visit>
void for_each_text(Change& change, Visit&& visit) {
  visit(std::string_view("product_code"), change.product_code);
  visit(std::string_view("prod_name"), change.name);
  visit(std::string_view("detail_desc"), change.description);
  for (const catalog::Attribute attribute : catalog::all_attributes()) visit(catalog::column_name(attribute), change[attribute]);
}

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

// The price is text, so that it comes back bit for bit; null: none.
bool take_price(const json::value& value, catalog::ArticleChange& change) {
  change.sets_price = true;
  if (value.is_null()) return true;
  return value.is_string() && parse_number(std::string_view(value.get_string()), change.price.emplace());
}

bool take_columns(std::string_view text, catalog::ArticleChange& change) {
  boost::system::error_code error;
  const json::value value = json::parse(name_of(text), error);
  if (error || !value.is_object()) return false;
  const json::object& object = value.get_object();
  std::size_t taken = 0;
  if (const json::value* price = object.if_contains(name_of(kPrice))) {
    ++taken;
    if (!take_price(*price, change)) return false;
  }
  if (const json::value* available = object.if_contains(name_of(kAvailable))) {
    ++taken;
    if (!available->is_bool()) return false;
    change.available = available->get_bool();
  }
  bool right = true;
  for_each_text(change, [&](std::string_view name, std::optional<std::string>& column) {
    const json::value* found = object.if_contains(name_of(name));
    if (found == nullptr) return;
    ++taken;
    if (found->is_string()) column = std::string(found->get_string());
    else right = false;
  });
  return right && taken == object.size();
}

}  // namespace

std::string pack_change(const catalog::ArticleChange& change) {
  json::object object;
  if (change.sets_price) {
    if (change.price) object[name_of(kPrice)] = fmt::format("{}", *change.price);
    else object[name_of(kPrice)] = nullptr;
  }
  if (change.available) object[name_of(kAvailable)] = *change.available;
  for_each_text(change, [&](std::string_view name, const std::optional<std::string>& column) {
    if (column) object[name_of(name)] = *column;
  });
  return json::serialize(object);
}

core::Result<ports::LoggedChange> unpack_change(std::string_view member, std::string_view key) {
  std::array<std::string_view, 5> head;
  std::string_view rest = member;
  for (std::string_view& part : head) {
    const std::size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) return damaged_key(key, "a change has too few fields");
    part = rest.substr(0, blank);
    rest.remove_prefix(blank + 1);
  }
  const auto damaged = [&](std::string_view what) { return damaged_key(key, fmt::format("change {}: {}", head[0], what)); };
  std::int64_t sequence = 0;
  std::int64_t time_ms = 0;
  std::uint32_t kind = 0;
  std::uint32_t columns = 0;
  const bool numbers = parse_number(head[0], sequence) && parse_number(head[1], time_ms) && parse_number(head[2], kind) &&
                       parse_number(head[3], columns);
  if (!numbers || kind > static_cast<std::uint32_t>(catalog::ChangeKind::kDelete)) return damaged("its numbers cannot be");
  auto id = catalog::ArticleId::parse(head[4]);
  if (!id || id->text() != head[4]) return damaged("it has no valid article id");
  catalog::ArticleChange change{.kind = static_cast<catalog::ChangeKind>(kind), .id = std::move(*id)};
  if (!take_columns(rest, change)) return damaged("what it sets cannot be read");
  if (change.columns() != columns) return damaged("it does not set the columns that it says");
  if (const auto valid = change.validate(); !valid) return damaged(valid.error().message);
  return ports::LoggedChange{.sequence = sequence, .time_ms = time_ms, .change = std::move(change)};
}

std::string encoder_key(const ports::EncoderInfo& encoder) {
  return fmt::format("{} {} {} {} {} {}", encoder.model, encoder.weights_hash, encoder.precision, encoder.dimension,
                     encoder.max_tokens, catalog::kTextFormat);
}

// encoder, newline, text hash (16 bytes), f32 little-endian
std::string pack_vector(const ports::ArticleVector& vector, const ports::EncoderInfo& encoder) {
  std::string value = encoder_key(encoder) + "\n";
  value.append(reinterpret_cast<const char*>(vector.text.bytes.data()), vector.text.bytes.size());
  value.append(reinterpret_cast<const char*>(vector.values->data()), vector.values->size() * sizeof(float));
  return value;
}

core::Result<std::optional<ports::ArticleVector>> unpack_vector(std::string_view article, std::string_view value,
                                                                const ports::EncoderInfo& encoder, std::string_view key) {
  const std::string wanted = encoder_key(encoder) + "\n";
  if (!value.starts_with(wanted)) return std::optional<ports::ArticleVector>();
  value.remove_prefix(wanted.size());
  auto id = catalog::ArticleId::parse(article);
  constexpr std::size_t kHashBytes = sizeof(catalog::TextHash::bytes);
  if (!id || value.size() != kHashBytes + encoder.dimension * sizeof(float)) {
    return damaged_key(key, fmt::format("the vector kept for article \"{}\" cannot be one", article));
  }
  ports::ArticleVector vector{.article = std::move(*id)};
  std::memcpy(vector.text.bytes.data(), value.data(), kHashBytes);
  auto floats = std::make_shared<std::vector<float>>(encoder.dimension);
  std::memcpy(floats->data(), value.data() + kHashBytes, encoder.dimension * sizeof(float));
  vector.values = std::move(floats);
  return std::optional<ports::ArticleVector>(std::move(vector));
}

}  // namespace scalestyle::adapters::redis
