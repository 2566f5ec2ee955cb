#include "catalog/sample_articles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "catalog/sample_random.hpp"
#include "catalog/sample_vocabulary.hpp"

namespace scalestyle::catalog {
namespace {

constexpr std::uint32_t kFirstProductCode = 110011;
constexpr std::uint32_t kLastProductCode = 989989;

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t bar = list.find('|');
    parts.push_back(list.substr(0, bar));
    if (bar == std::string_view::npos) return parts;
    list.remove_prefix(bar + 1);
  }
}

template <class Entry>
const Entry& pick_kind(SampleRandom& random, std::span<const Entry> entries, std::string_view kinds) {
  std::vector<const Entry*> fitting;
  for (const Entry& entry : entries) {
    if (kinds.find(entry.kind) != std::string_view::npos) fitting.push_back(&entry);
  }
  return *random.pick(fitting);
}

std::string capitalised(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z') result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

bool is_plural(std::string_view noun) { return noun.ends_with('s') && !noun.ends_with("ss"); }

struct Audience {
  char letter;
  std::string_view index;
  std::string_view possessive;
};
constexpr Audience kAudiences[] = {{'W', "Womenswear", "Women's"}, {'M', "Menswear", "Men's"}, {'K', "Kidswear", "Kids'"}};

// What all colour variants of one product share.
struct Product {
  std::size_t type_index = 0;
  const SampleType* type = nullptr;
  const Audience* audience = nullptr;
  char occasion = 'c';
  std::string name;
  std::string description;
  std::uint32_t price_cents = 0;
  std::uint32_t code = 0;
};

std::string describe(SampleRandom& random, const SampleType& type, const SampleMaterial& material,
                     const SampleOccasion& occasion, std::string_view adjective) {
  const auto cuts = split(type.cuts);
  auto details = split(type.details);
  for (std::size_t i = details.size() - 1; i > 0; --i) {
    std::swap(details[i], details[random.below(static_cast<std::uint32_t>(i + 1))]);
  }
  const bool plural = is_plural(type.noun);
  std::string text;
  switch (random.below(3)) {
    case 0:
      text = fmt::format("{} {} in {}, {}. It has {} and {}.", capitalised(adjective), type.noun, material.phrase,
                         random.pick(cuts), details[0], details[1]);
      break;
    case 1:
      text = fmt::format("{} in {} with {} and {}, {}.", capitalised(type.noun), material.phrase, details[0], details[1],
                         random.pick(cuts));
      break;
    default:
      text = fmt::format("Made from {}, {} {} {} {} with {}. Finished with {}.", material.phrase, plural ? "these" : "this",
                         adjective, type.noun, plural ? "come" : "comes", details[0], details[1]);
  }
  if (plural) {
    if (const std::size_t it_has = text.find(". It has "); it_has != std::string::npos) text.replace(it_has, 9, ". They have ");
  }
  if (random.chance(70)) text.append(" ").append(material.benefit);
  if (random.chance(75)) {
    std::string sentence(occasion.sentence);
    if (plural && sentence.starts_with("Wear it")) sentence.replace(0, 7, "Wear them");
    if (plural && sentence.starts_with("Pack it")) sentence.replace(0, 7, "Pack them");
    if (plural && sentence.starts_with("Layer it")) sentence.replace(0, 8, "Layer them");
    text.append(" ").append(sentence);
  }
  return text;
}

Product make_product(SampleRandom& random, std::uint32_t code) {
  const auto types = sample_types();
  Product product;
  product.code = code;
  product.type_index = random.below(static_cast<std::uint32_t>(types.size()));
  product.type = &types[product.type_index];
  const SampleType& type = *product.type;
  const char letter = random.pick(type.audiences);
  product.audience = std::find_if(std::begin(kAudiences), std::end(kAudiences), [&](const Audience& a) { return a.letter == letter; });
  const SampleMaterial& material = pick_kind(random, sample_materials(), type.materials);
  const SampleOccasion& occasion = pick_kind(random, sample_occasions(), type.occasions);
  product.occasion = occasion.kind;
  const auto adjectives = split(type.adjectives);
  const std::string_view adjective = random.pick(adjectives);
  const std::string_view start = random.pick(sample_name_starts());
  const std::string_view end = random.pick(sample_name_ends());
  product.name = fmt::format("{}{} {} {}", start, end, adjective, type.noun);
  product.description = describe(random, type, material, occasion, adjective);
  const std::uint32_t units = random.between(type.price_min, type.price_max);
  product.price_cents = (letter == 'K' ? (units * 7 + 9) / 10 : units) * 100 - (random.chance(80) ? 1 : 50);
  return product;
}

std::size_t pick_pattern(SampleRandom& random, const SampleType& type) {
  if (type.garment_group == "Denim") return 7;
  if (type.materials.find('k') != std::string_view::npos && random.chance(25)) return 6;
  if (!type.patterned || random.chance(50)) return 0;
  static constexpr std::size_t kPrinted[] = {1, 1, 2, 3, 3, 4, 5, 5, 8};
  if (type.garment_group == "Jersey tops" || type.garment_group == "Sweats") return random.chance(40) ? 9 : random.pick(kPrinted);
  return random.pick(kPrinted);
}

std::string_view section_of(char occasion) {
  switch (occasion) {
    case 'o': return "Work";
    case 'e': return "Occasion";
    case 's': return "Active";
    case 'b': return "Holiday";
    case 'w': return "Winter";
    case 't': return "Outdoor";
    default: return "Everyday";
  }
}

void set_attributes(Article& article, const Product& product, const NamedColour& colour, std::size_t colour_index,
                    const NamedPattern& pattern) {
  const SampleType& type = *product.type;
  article[Attribute::kProductType] = type.type;
  article[Attribute::kProductGroup] = type.group;
  article[Attribute::kAppearance] = pattern.name;
  article[Attribute::kColour] = colour.name;
  article[Attribute::kColourValue] = colour.value;
  article[Attribute::kColourFamily] = colour.family;
  article[Attribute::kDepartment] = fmt::format("{} {}", product.audience->possessive, type.garment_group);
  article[Attribute::kIndex] = product.audience->index;
  article[Attribute::kIndexGroup] = product.audience->letter == 'K' ? "Children" : "Adults";
  article[Attribute::kSection] = fmt::format("{} {}", product.audience->possessive, section_of(product.occasion));
  article[Attribute::kGarmentGroup] = type.garment_group;
  article[Attribute::kProductTypeNo] = fmt::format("{}", 100 + product.type_index);
  article[Attribute::kColourCode] = fmt::format("{:02}", colour_index + 1);
  article[Attribute::kAppearanceNo] = fmt::format("{}", 7001 + static_cast<unsigned>(pattern.pattern));
  article[Attribute::kIndexCode] = std::string(1, product.audience->letter);
}

// A colour that shows on the first one: another family, and light against dark.
const NamedColour& second_colour(SampleRandom& random, const NamedColour& first) {
  const auto level = [](SampleColour c) { return 3 * c.red + 6 * c.green + c.blue; };
  for (int attempt = 0; attempt < 40; ++attempt) {
    const NamedColour& other = random.pick(sample_colours());
    if (other.family != first.family && std::abs(level(other.rgb) - level(first.rgb)) > 700) return other;
  }
  return sample_colours()[level(first.rgb) > 1300 ? 0 : 2];
}

bool is_denim_colour(const NamedColour& colour) {
  return colour.family == "Blue" || colour.family == "Black" || colour.family == "White" || colour.family == "Grey";
}

void add_variants(SampleRandom& random, const Product& product, std::vector<SampleArticle>& articles) {
  const auto colours = sample_colours();
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < colours.size(); ++i) {
    if (product.type->garment_group != "Denim" || is_denim_colour(colours[i])) order.push_back(i);
  }
  for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[random.below(static_cast<std::uint32_t>(i + 1))]);
  static constexpr std::uint32_t kVariants[] = {1, 2, 2, 3, 3, 4, 5};
  const std::uint32_t variants = random.pick(kVariants);
  const std::uint32_t appeal = 1 + 4000 / (1 + random.below(400));  // few products sell much, most a little
  for (std::uint32_t variant = 0; variant < variants; ++variant) {
    const NamedColour& colour = colours[order[variant]];
    const NamedPattern& pattern = sample_patterns()[pick_pattern(random, *product.type)];
    SampleArticle sample{.article = {.id = ArticleId::parse(fmt::format("{:07}{:03}", product.code, variant + 1)).value()}, .picture = {}};
    sample.article.product_code = fmt::format("{}", product.code);
    sample.article.name = product.name;
    sample.article.description = product.description;
    if (!pattern.sentence.empty()) sample.article.description.append(" ").append(pattern.sentence);
    set_attributes(sample.article, product, colour, order[variant], pattern);
    sample.price_cents = product.price_cents;
    sample.article.price = product.price_cents / 100.0;
    sample.popularity = 1 + appeal / (1 + random.below(4));
    sample.picture = {product.type->shape, pattern.pattern, colour.rgb, second_colour(random, colour).rgb, random.next()};
    articles.push_back(std::move(sample));
  }
}

}  // namespace

std::vector<SampleArticle> make_sample_articles(const SampleOptions& options) {
  std::vector<SampleArticle> articles;
  const std::uint32_t gap = std::min<std::uint32_t>(1999, (kLastProductCode - kFirstProductCode) / options.products);
  SampleRandom codes(options.seed, 1);
  std::uint32_t code = kFirstProductCode;
  for (std::uint32_t i = 0; i < options.products; ++i) {
    SampleRandom random(options.seed, 1000 + i);  // a stream a product, so that more products leave the first ones alone
    add_variants(random, make_product(random, code), articles);
    code += codes.between(1, gap);
  }
  return articles;
}

}  // namespace scalestyle::catalog
