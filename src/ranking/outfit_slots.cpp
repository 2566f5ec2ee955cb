#include "ranking/outfit_slots.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "catalog/filters.hpp"

namespace scalestyle::ranking {

namespace {

using catalog::Attribute;

enum class Scene : std::uint8_t { kDay, kUnder, kNight, kSwim, kFree };

struct KnownSlot {
  std::string_view name;
  Scene scene;
};

constexpr std::array<KnownSlot, kKnownSlots> kSlots{{{"top", Scene::kDay},          {"bottom", Scene::kDay},
                                                     {"full_body", Scene::kDay},    {"outerwear", Scene::kDay},
                                                     {"shoes", Scene::kDay},        {"bag", Scene::kDay},
                                                     {"hat", Scene::kDay},          {"scarf", Scene::kDay},
                                                     {"gloves", Scene::kDay},       {"belt", Scene::kDay},
                                                     {"jewellery", Scene::kDay},    {"eyewear", Scene::kDay},
                                                     {"hair", Scene::kDay},         {"accessory", Scene::kDay},
                                                     {"hosiery", Scene::kDay},      {"underwear_top", Scene::kUnder},
                                                     {"underwear_bottom", Scene::kUnder}, {"underwear", Scene::kUnder},
                                                     {"nightwear", Scene::kNight},  {"swim_top", Scene::kSwim},
                                                     {"swim_bottom", Scene::kSwim}, {"swimwear", Scene::kSwim},
                                                     {"beachwear", Scene::kSwim},   {"other", Scene::kFree}}};

struct WordSlot {
  std::string_view word;
  Slot slot;
};

// Any of these words in type or group decides which of the tables below the type is read with.
constexpr std::array<std::string_view, 12> kSwimWords{"swimwear", "swim",   "swimming", "swimsuit", "swimsuits", "bikini",
                                                      "bikinis",  "sarong", "pareo",    "tankini",  "beachwear", "trunks"};
constexpr std::array<std::string_view, 14> kNightWords{"nightwear", "night",     "nightgown", "nightdress", "nightshirt", "pyjama", "pyjamas",
                                                       "pajama",    "pajamas",   "sleepwear", "sleep",      "robe",       "robes",  "bathrobe"};
constexpr std::array<std::string_view, 6> kUnderWords{"underwear", "lingerie", "undergarment", "undergarments", "underdress", "shapewear"};
// Not worn by the shopper, whatever group they are filed under.
constexpr std::array<std::string_view, 10> kNotWorn{"toy", "toys", "dog", "cat", "pet", "giftbox", "gift", "stationery", "furniture", "care"};

constexpr std::array kSwimParts{WordSlot{"sarong", Slot::kBeachwear}, WordSlot{"pareo", Slot::kBeachwear},
                                WordSlot{"beachwear", Slot::kBeachwear}, WordSlot{"top", Slot::kSwimTop},
                                WordSlot{"bottom", Slot::kSwimBottom},   WordSlot{"bottoms", Slot::kSwimBottom},
                                WordSlot{"briefs", Slot::kSwimBottom},   WordSlot{"trunks", Slot::kSwimBottom},
                                WordSlot{"shorts", Slot::kSwimBottom}};
constexpr std::array kUnderParts{WordSlot{"tights", Slot::kHosiery},          WordSlot{"socks", Slot::kHosiery},
                                 WordSlot{"top", Slot::kUnderwearTop},        WordSlot{"bra", Slot::kUnderwearTop},
                                 WordSlot{"bras", Slot::kUnderwearTop},       WordSlot{"bottom", Slot::kUnderwearBottom},
                                 WordSlot{"bottoms", Slot::kUnderwearBottom}, WordSlot{"briefs", Slot::kUnderwearBottom},
                                 WordSlot{"boxers", Slot::kUnderwearBottom},  WordSlot{"thong", Slot::kUnderwearBottom},
                                 WordSlot{"panties", Slot::kUnderwearBottom}};

// Of types and groups alike; the first that a text has, in this order, decides: "Outdoor trousers" is a bottom, "Leggings/Tights"
// too, a "Swimwear top" was taken before.
constexpr std::array kParts{
    WordSlot{"accessories", Slot::kAccessory}, WordSlot{"accessory", Slot::kAccessory},
    WordSlot{"bra", Slot::kUnderwearTop}, WordSlot{"bras", Slot::kUnderwearTop}, WordSlot{"boxers", Slot::kUnderwearBottom},
    WordSlot{"dress", Slot::kFullBody}, WordSlot{"dresses", Slot::kFullBody}, WordSlot{"jumpsuit", Slot::kFullBody},
    WordSlot{"playsuit", Slot::kFullBody}, WordSlot{"overall", Slot::kFullBody}, WordSlot{"overalls", Slot::kFullBody},
    WordSlot{"dungarees", Slot::kFullBody}, WordSlot{"costumes", Slot::kFullBody}, WordSlot{"costume", Slot::kFullBody},
    WordSlot{"romper", Slot::kFullBody}, WordSlot{"suit", Slot::kFullBody}, WordSlot{"set", Slot::kFullBody}, WordSlot{"kaftan", Slot::kFullBody},
    WordSlot{"leggings", Slot::kBottom}, WordSlot{"trousers", Slot::kBottom}, WordSlot{"trouser", Slot::kBottom}, WordSlot{"pants", Slot::kBottom},
    WordSlot{"jeans", Slot::kBottom}, WordSlot{"shorts", Slot::kBottom}, WordSlot{"skirt", Slot::kBottom}, WordSlot{"skirts", Slot::kBottom},
    WordSlot{"chinos", Slot::kBottom}, WordSlot{"joggers", Slot::kBottom},
    WordSlot{"socks", Slot::kHosiery}, WordSlot{"sock", Slot::kHosiery}, WordSlot{"tights", Slot::kHosiery},
    WordSlot{"stockings", Slot::kHosiery}, WordSlot{"hosiery", Slot::kHosiery}, WordSlot{"leg", Slot::kHosiery},
    WordSlot{"coat", Slot::kOuterwear}, WordSlot{"coats", Slot::kOuterwear}, WordSlot{"jacket", Slot::kOuterwear},
    WordSlot{"jackets", Slot::kOuterwear}, WordSlot{"blazer", Slot::kOuterwear}, WordSlot{"waistcoat", Slot::kOuterwear},
    WordSlot{"cardigan", Slot::kOuterwear}, WordSlot{"parka", Slot::kOuterwear}, WordSlot{"outerwear", Slot::kOuterwear},
    WordSlot{"poncho", Slot::kOuterwear}, WordSlot{"cape", Slot::kOuterwear},
    WordSlot{"shoe", Slot::kShoes}, WordSlot{"shoes", Slot::kShoes}, WordSlot{"sneakers", Slot::kShoes}, WordSlot{"sneaker", Slot::kShoes},
    WordSlot{"boots", Slot::kShoes}, WordSlot{"boot", Slot::kShoes}, WordSlot{"bootie", Slot::kShoes}, WordSlot{"sandals", Slot::kShoes},
    WordSlot{"sandal", Slot::kShoes}, WordSlot{"pumps", Slot::kShoes}, WordSlot{"heels", Slot::kShoes}, WordSlot{"wedge", Slot::kShoes},
    WordSlot{"ballerinas", Slot::kShoes}, WordSlot{"loafers", Slot::kShoes}, WordSlot{"slippers", Slot::kShoes}, WordSlot{"flop", Slot::kShoes},
    WordSlot{"flops", Slot::kShoes}, WordSlot{"moccasins", Slot::kShoes}, WordSlot{"trainers", Slot::kShoes}, WordSlot{"footwear", Slot::kShoes},
    WordSlot{"bag", Slot::kBag}, WordSlot{"bags", Slot::kBag}, WordSlot{"backpack", Slot::kBag}, WordSlot{"handbag", Slot::kBag},
    WordSlot{"tote", Slot::kBag}, WordSlot{"clutch", Slot::kBag},
    WordSlot{"hair", Slot::kHair}, WordSlot{"alice", Slot::kHair}, WordSlot{"headband", Slot::kHair},
    WordSlot{"hairband", Slot::kHair},
    WordSlot{"hat", Slot::kHat}, WordSlot{"hats", Slot::kHat}, WordSlot{"beanie", Slot::kHat}, WordSlot{"cap", Slot::kHat},
    WordSlot{"caps", Slot::kHat}, WordSlot{"beret", Slot::kHat},
    WordSlot{"scarf", Slot::kScarf}, WordSlot{"scarves", Slot::kScarf}, WordSlot{"shawl", Slot::kScarf},
    WordSlot{"gloves", Slot::kGloves}, WordSlot{"glove", Slot::kGloves}, WordSlot{"mittens", Slot::kGloves},
    WordSlot{"belt", Slot::kBelt}, WordSlot{"belts", Slot::kBelt}, WordSlot{"braces", Slot::kBelt},
    WordSlot{"earring", Slot::kJewellery}, WordSlot{"earrings", Slot::kJewellery}, WordSlot{"necklace", Slot::kJewellery},
    WordSlot{"bracelet", Slot::kJewellery}, WordSlot{"ring", Slot::kJewellery}, WordSlot{"rings", Slot::kJewellery},
    WordSlot{"watch", Slot::kJewellery}, WordSlot{"jewellery", Slot::kJewellery}, WordSlot{"jewelry", Slot::kJewellery},
    WordSlot{"brooch", Slot::kJewellery}, WordSlot{"cufflinks", Slot::kJewellery},
    WordSlot{"sunglasses", Slot::kEyewear}, WordSlot{"eyeglasses", Slot::kEyewear}, WordSlot{"glasses", Slot::kEyewear},
    WordSlot{"eyewear", Slot::kEyewear},
    WordSlot{"shirt", Slot::kTop}, WordSlot{"shirts", Slot::kTop}, WordSlot{"top", Slot::kTop}, WordSlot{"tops", Slot::kTop},
    WordSlot{"blouse", Slot::kTop}, WordSlot{"blouses", Slot::kTop}, WordSlot{"sweater", Slot::kTop}, WordSlot{"sweaters", Slot::kTop},
    WordSlot{"jumper", Slot::kTop}, WordSlot{"hoodie", Slot::kTop}, WordSlot{"hoodies", Slot::kTop}, WordSlot{"sweatshirt", Slot::kTop},
    WordSlot{"tshirt", Slot::kTop}, WordSlot{"polo", Slot::kTop}, WordSlot{"vest", Slot::kTop}, WordSlot{"bodysuit", Slot::kTop},
    WordSlot{"knitwear", Slot::kTop}, WordSlot{"tunic", Slot::kTop},
    WordSlot{"tie", Slot::kAccessory}, WordSlot{"wallet", Slot::kAccessory}, WordSlot{"umbrella", Slot::kAccessory},
    WordSlot{"upper", Slot::kTop}, WordSlot{"lower", Slot::kBottom}, WordSlot{"full", Slot::kFullBody}};

using Words = std::vector<std::string>;

// Runs of letters and digits, folded; what is not ASCII is part of a word.
Words words_of(std::string_view text) {
  Words words;
  const std::string folded = catalog::fold_value(text);
  std::string word;
  for (const char c : folded) {
    const bool is_part = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (static_cast<unsigned char>(c) & 0x80U) != 0;
    if (is_part) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

bool has(const Words& words, std::string_view word) { return std::ranges::find(words, word) != words.end(); }

bool has_any(const Words& words, std::span<const std::string_view> wanted) {
  return std::ranges::any_of(wanted, [&](std::string_view word) { return has(words, word); });
}

std::optional<Slot> first_of(std::span<const WordSlot> table, const Words& words) {
  const auto found = std::ranges::find_if(table, [&](const WordSlot& entry) { return has(words, entry.word); });
  return found == table.end() ? std::nullopt : std::optional(found->slot);
}

bool is_exclusive(Slot a, Slot b) {
  const auto is = [&](Slot one, Slot other) { return (a == one && b == other) || (a == other && b == one); };
  return is(Slot::kFullBody, Slot::kTop) || is(Slot::kFullBody, Slot::kBottom) || is(Slot::kUnderwear, Slot::kUnderwearTop) ||
         is(Slot::kUnderwear, Slot::kUnderwearBottom) || is(Slot::kSwimwear, Slot::kSwimTop) || is(Slot::kSwimwear, Slot::kSwimBottom);
}

constexpr std::uint32_t kMostIndexGroups = std::numeric_limits<std::uint8_t>::max();

Scene scene_of(SlotId slot) { return slot < kKnownSlots ? kSlots[slot].scene : Scene::kFree; }

bool is_worn_to_swim(Slot slot) { return slot == Slot::kHat || slot == Slot::kEyewear || slot == Slot::kBag; }

// Says nothing of what is filed under it.
bool is_no_group(const Words& words) { return words.empty() || has(words, "unknown") || has(words, "undefined"); }

}  // namespace

Slot slot_of(std::string_view product_type, std::string_view product_group) {
  const Words type = words_of(product_type);
  const Words group = words_of(product_group);
  if (has_any(type, kNotWorn) || has_any(group, kNotWorn)) return Slot::kOther;
  const auto either = [&](std::span<const std::string_view> wanted) { return has_any(type, wanted) || has_any(group, wanted); };
  if (either(kSwimWords)) return first_of(kSwimParts, type).value_or(Slot::kSwimwear);
  const auto part = first_of(kParts, type);
  if (either(kNightWords) && !(has_any(group, kUnderWords) && first_of(kUnderParts, type))) return Slot::kNightwear;
  if (part == Slot::kHosiery && !has(type, "leg")) return Slot::kHosiery;
  if (either(kUnderWords)) return first_of(kUnderParts, type).value_or(Slot::kUnderwear);
  if (part) return *part;
  return first_of(kParts, group).value_or(Slot::kOther);
}

OutfitSlots::OutfitSlots(const catalog::Catalog& articles, std::span<const Audience> audiences)
    : slots_(articles.size()), audiences_(audiences.begin(), audiences.end()), index_groups_(articles.size()) {
  assert(audiences.empty() || audiences.size() == articles.size());
  for (const KnownSlot& slot : kSlots) names_.emplace_back(slot.name);
  const auto types = articles.codes(Attribute::kProductType);
  const auto groups = articles.codes(Attribute::kProductGroup);
  const auto index_groups = articles.codes(Attribute::kIndexGroup);
  // A group without a known word: its slot, from kKnownSlots on. More than fit are told apart no further.
  std::map<std::uint32_t, SlotId> own;
  const auto slot_of_group = [&](std::uint32_t group) {
    const std::string_view name = articles.value_of(Attribute::kProductGroup, group);
    if (is_no_group(words_of(name))) return id_of(Slot::kOther);
    if (const auto found = own.find(group); found != own.end()) return found->second;
    return id_of(Slot::kOther);
  };
  std::map<std::pair<std::uint32_t, std::uint32_t>, Slot> known;
  for (std::size_t row = 0; row < slots_.size(); ++row) known.try_emplace({types[row], groups[row]}, Slot::kOther);
  for (auto& [codes, slot] : known) {
    slot = ranking::slot_of(articles.value_of(Attribute::kProductType, codes.first),
                            articles.value_of(Attribute::kProductGroup, codes.second));
  }
  std::vector<std::uint32_t> own_groups;
  for (const auto& [codes, slot] : known) {
    if (slot == Slot::kOther) own_groups.push_back(codes.second);
  }
  std::ranges::sort(own_groups);  // codes are ordered as their texts are
  own_groups.erase(std::ranges::unique(own_groups).begin(), own_groups.end());
  for (const std::uint32_t group : own_groups) {
    const std::string_view name = articles.value_of(Attribute::kProductGroup, group);
    if (is_no_group(words_of(name)) || names_.size() >= std::numeric_limits<SlotId>::max()) continue;
    own.emplace(group, static_cast<SlotId>(names_.size()));
    names_.emplace_back(name);
  }
  begins_.assign(names_.size() + 1, 0);
  for (std::size_t row = 0; row < slots_.size(); ++row) {
    const Slot slot = known.at({types[row], groups[row]});
    slots_[row] = slot == Slot::kOther ? slot_of_group(groups[row]) : id_of(slot);
    const bool has_index_group = !articles.value_of(Attribute::kIndexGroup, index_groups[row]).empty();
    index_groups_[row] = has_index_group ? static_cast<std::uint8_t>(std::min(index_groups[row] + 1, kMostIndexGroups)) : 0;
    ++begins_[slots_[row] + 1U];
  }
  for (std::size_t slot = 1; slot < begins_.size(); ++slot) begins_[slot] += begins_[slot - 1];
  rows_.resize(slots_.size());
  auto next = begins_;
  for (std::uint32_t row = 0; row < slots_.size(); ++row) rows_[next[slots_[row]]++] = {row};
}

std::span<const catalog::RowIndex> OutfitSlots::rows(SlotId slot) const {
  return std::span(rows_).subspan(begins_[slot], begins_[slot + 1U] - begins_[slot]);
}

bool OutfitSlots::go_together(SlotId a, SlotId b) const {
  if (a == b) return a == id_of(Slot::kOther);
  const Scene one = scene_of(a);
  const Scene other = scene_of(b);
  if (one == Scene::kFree || other == Scene::kFree) return true;
  const auto first = static_cast<Slot>(a);
  const auto second = static_cast<Slot>(b);
  if (one == other) return !is_exclusive(first, second);
  const auto is = [&](Scene x, Scene y) { return (one == x && other == y) || (one == y && other == x); };
  const bool has_hosiery = first == Slot::kHosiery || second == Slot::kHosiery;
  if (is(Scene::kUnder, Scene::kNight)) return true;
  if (is(Scene::kUnder, Scene::kDay) || is(Scene::kNight, Scene::kDay)) return has_hosiery;
  return is(Scene::kSwim, Scene::kDay) && is_worn_to_swim(one == Scene::kDay ? first : second);
}

bool OutfitSlots::may_suit_same(catalog::RowIndex a, catalog::RowIndex b) const {
  if (audiences_.empty()) return true;
  const auto agree = [](std::uint8_t one, std::uint8_t other) { return one == 0 || other == 0 || (one & other) != 0; };
  const Audience& one = audiences_[a.value];
  const Audience& other = audiences_[b.value];
  return agree(one.ages, other.ages) && agree(one.genders, other.genders);
}

bool OutfitSlots::suit_same(catalog::RowIndex a, catalog::RowIndex b) const {
  if (!may_suit_same(a, b)) return false;
  const auto is_known = [&](catalog::RowIndex row) { return !audiences_.empty() && audiences_[row.value].is_known(); };
  if (is_known(a) && is_known(b)) return true;
  const bool is_same_group = index_groups_[a.value] == index_groups_[b.value];
  return is_same_group && (is_known(a) == is_known(b) || index_groups_[a.value] != 0);
}

std::size_t OutfitSlots::memory_bytes() const {
  return slots_.capacity() * sizeof(SlotId) + audiences_.capacity() * sizeof(Audience) + rows_.capacity() * sizeof(catalog::RowIndex) +
         index_groups_.capacity() + begins_.capacity() * sizeof(std::uint32_t);
}

}  // namespace scalestyle::ranking
