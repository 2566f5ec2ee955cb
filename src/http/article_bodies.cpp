#include "http/article_bodies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "catalog/table_reader.hpp"
#include "search/live_catalog.hpp"

namespace scalestyle::http {

namespace {

using catalog::Attribute;

constexpr double kMaxTextCharacters = catalog::kMaxFieldBytes;
constexpr double kMaxPrice = 1e12;

constexpr std::array<std::string_view, 3> kOperations{"upsert", "patch", "delete"};

// In the order of catalog::Attribute.
constexpr std::array<std::string_view, catalog::kAttributeCount> kAttributeMembers{
    "product_type",   "product_group",           "appearance",        "colour",
    "colour_value",   "colour_family",           "department",        "index",
    "index_group",    "section",                 "garment_group",     "product_type_no",
    "graphical_appearance_no", "colour_group_code", "perceived_colour_value_id", "perceived_colour_master_id",
    "department_no",  "index_code",              "index_group_no",    "section_no",
    "garment_group_no"};

constexpr BodyField text_field(std::string_view name, std::string_view description, double maximum = kMaxTextCharacters) {
  return {.name = name, .description = description, .maximum = maximum, .may_be_blank = true};
}

constexpr BodyField name_field(bool required) {
  return {.name = "product_name", .description = "Not blank.", .minimum = 1, .maximum = kMaxTextCharacters, .required = required};
}

// What all bodies have, behind `own`.
template <std::size_t Count>
constexpr auto with_columns(const std::array<BodyField, Count>& own) {
  constexpr std::size_t kOthers = 4;
  std::array<BodyField, Count + kOthers + catalog::kAttributeCount> all{};
  auto next = std::ranges::copy(own, all.begin()).out;
  *next++ = text_field("product_code", "Shared by the colour variants of one product; the article's id when empty.");
  *next++ = text_field("description", "What the article is like.", static_cast<double>(catalog::kMaxDescriptionBytes));
  *next++ = {.name = "price", .kind = BodyKind::kNumber, .description = "In the catalogue's currency. null: it has no price.",
             .maximum = kMaxPrice, .nullable = true};
  *next++ = {.name = "available", .kind = BodyKind::kBoolean, .description = "false: no list shows it."};
  for (const std::string_view member : kAttributeMembers) *next++ = text_field(member, "An attribute; empty when not known.");
  return all;
}

constexpr auto kArticleFields = with_columns(std::array{name_field(true)});
constexpr auto kPatchFields = with_columns(std::array{name_field(false)});
constexpr auto kOperationFields = with_columns(
    std::array{BodyField{.name = "operation",
                         .description = "upsert: the article is what this says. patch: what this leaves out stays. "
                                        "delete: it goes.",
                         .minimum = 1,
                         .maximum = 20,
                         .required = true,
                         .choices = kOperations},
               BodyField{.name = "article_id",
                         .description = "The article.",
                         .minimum = 1,
                         .maximum = catalog::ArticleId::kMaxBytes,
                         .required = true},
               name_field(false)});

constexpr BodySpec kArticle{.schema = "ArticleBody",
                            .description = "A whole article: what it leaves out is empty, without a price, and available. Its "
                                           "picture and its purchases stay.",
                            .fields = kArticleFields};
constexpr BodySpec kPatch{.schema = "ArticlePatchBody",
                          .description = "What is to change of an article; at least one member.",
                          .fields = kPatchFields};
constexpr BodySpec kOperation{.schema = "ArticleOperation",
                              .description = "One change of one article. An upsert needs product_name; a delete has no "
                                             "other member.",
                              .fields = kOperationFields};
constexpr std::array kChangesFields{BodyField{.name = "operations",
                                              .kind = BodyKind::kObjects,
                                              .description = "Kept all or none, in this order.",
                                              .minimum = 1,
                                              .maximum = search::kMaxChanges,
                                              .required = true,
                                              .entries = &kOperation}};
constexpr BodySpec kChanges{.schema = "ArticleChangesBody", .description = "Changes of any articles.", .fields = kChangesFields};

std::optional<std::string> optional_text(const Body& body, std::string_view name) {
  const std::string* value = body.text(name);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

}  // namespace

const BodySpec& article_body() { return kArticle; }
const BodySpec& article_patch_body() { return kPatch; }
const BodySpec& changes_body() { return kChanges; }

catalog::ArticleChange to_change(catalog::ChangeKind kind, catalog::ArticleId id, const Body& body) {
  catalog::ArticleChange change{.kind = kind, .id = std::move(id)};
  change.product_code = optional_text(body, "product_code");
  change.name = optional_text(body, "product_name");
  change.description = optional_text(body, "description");
  for (const Attribute attribute : catalog::all_attributes()) {
    change[attribute] = optional_text(body, kAttributeMembers[static_cast<std::size_t>(attribute)]);
  }
  change.sets_price = body.has("price");
  change.price = body.number("price");
  change.available = body.boolean("available");
  return change;
}

core::Result<std::vector<catalog::ArticleChange>> to_changes(const Body& body) {
  std::vector<catalog::ArticleChange> changes;
  changes.reserve(body.objects("operations").size());
  for (const Body& entry : body.objects("operations")) {
    auto id = catalog::ArticleId::parse(*entry.text("article_id"));
    if (!id) {
      return core::fail(core::ErrorCode::kInvalidArgument, id.error().message,
                        fmt::format("operations[{}].article_id", changes.size()));
    }
    changes.push_back(to_change(*catalog::change_kind(*entry.text("operation")), std::move(*id), entry));
  }
  return changes;
}

std::string_view member_of(std::string_view column) {
  if (column == "prod_name") return "product_name";
  if (column == "detail_desc") return "description";
  for (const Attribute attribute : catalog::all_attributes()) {
    if (catalog::column_name(attribute) == column) return kAttributeMembers[static_cast<std::size_t>(attribute)];
  }
  return column;
}

}  // namespace scalestyle::http
