#pragma once
// OutfitSlots: which part of an outfit each article of a catalogue is, and which parts make an outfit together.
//
// The part is read from the words of the product type, then of the product group (whole words, without regard to case), by one
// small table. A group of which no word is known is a slot of its own, so that
// any shop's catalogue has slots.
//
// A dress takes no top and no bottom; what is worn for swimming goes with what is worn there, and with hat, sunglasses and bag;
// underwear goes with underwear, nightwear and socks; everything else that is worn by day goes together, one of each slot. A slot
// by group goes with every other one: nothing is known against it.
//
// Pure. Immutable once made: safe to read from any thread. 9 bytes a row.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/catalog.hpp"

namespace scalestyle::ranking {

// Numbers from kKnownSlots on are product groups of the catalogue, in the order of their names.
using SlotId = std::uint16_t;

enum class Slot : SlotId {
  kTop,
  kBottom,
  kFullBody,
  kOuterwear,
  kShoes,
  kBag,
  kHat,
  kScarf,
  kGloves,
  kBelt,
  kJewellery,
  kEyewear,
  kHair,
  kAccessory,
  kHosiery,
  kUnderwearTop,
  kUnderwearBottom,
  kUnderwear,
  kNightwear,
  kSwimTop,
  kSwimBottom,
  kSwimwear,
  kBeachwear,
  kOther,  // neither type nor group says anything
};
inline constexpr SlotId kKnownSlots = 24;
[[nodiscard]] constexpr SlotId id_of(Slot slot) { return static_cast<SlotId>(slot); }

// Whom an article is for, as sets of bits of the caller's choice; 0: not known.
struct Audience {
  std::uint8_t ages = 0;
  std::uint8_t genders = 0;

  [[nodiscard]] constexpr bool is_known() const { return (ages | genders) != 0; }
  friend bool operator==(const Audience&, const Audience&) = default;
};

// What a product type and its group say; kOther where neither has a word of the table.
[[nodiscard]] Slot slot_of(std::string_view product_type, std::string_view product_group);

class OutfitSlots {
 public:
  // `audiences` has one entry a row, or none: then nothing is known of anybody.
  explicit OutfitSlots(const catalog::Catalog& articles, std::span<const Audience> audiences = {});

  [[nodiscard]] std::size_t size() const { return slots_.size(); }  // rows
  [[nodiscard]] std::size_t count() const { return names_.size(); }
  [[nodiscard]] SlotId of(catalog::RowIndex row) const { return slots_[row.value]; }
  // "top", "full_body", …; of a group its name, as the catalogue has it. `slot` must be below count(); lives as long as this object.
  [[nodiscard]] std::string_view name(SlotId slot) const { return names_[slot]; }
  [[nodiscard]] std::span<const catalog::RowIndex> rows(SlotId slot) const;  // rising

  // Whether one outfit may have both. Symmetric; a slot goes with itself only where nothing is known of it (kOther).
  [[nodiscard]] bool go_together(SlotId a, SlotId b) const;

  // Whether nothing says that they are for different people.
  [[nodiscard]] bool may_suit_same(catalog::RowIndex a, catalog::RowIndex b) const;
  // The same, and where the people of one are not known, both are of the same index group; where those of neither are, perhaps of none.
  [[nodiscard]] bool suit_same(catalog::RowIndex a, catalog::RowIndex b) const;

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  std::vector<std::string> names_;
  std::vector<SlotId> slots_;
  std::vector<Audience> audiences_;           // empty: of nobody
  std::vector<std::uint32_t> begins_;         // of each slot's rows, and the end
  std::vector<catalog::RowIndex> rows_;
  std::vector<std::uint8_t> index_groups_;    // by row; 0: none; those beyond 254 count as one
};

}  // namespace scalestyle::ranking
