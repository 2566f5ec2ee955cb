#pragma once
// What completes an outfit with one article: what was bought with it or chosen in the same session, one article a slot
// (outfit_slots.hpp), in colours that go with it (colour_match.hpp); where nobody bought anything for a slot, what is popular there.
//
//   score = colour · (1 − share + share · together)   of what was bought or chosen with it
//   score = colour · share · popularity               of the others
// with share = popular_share; together and popularity are in (0, 1], each divided by the greatest of its kind: in equal colours
// what people did comes before what is only popular while the share is at most one half. An item of a slot without evidence
// never replaces one with. The article's own product is never part of it.
//
// Pure; ties end with the row. Thread safety: free functions.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"
#include "core/result.hpp"
#include "ranking/colour_match.hpp"
#include "ranking/for_you.hpp"
#include "ranking/item_neighbours.hpp"
#include "ranking/outfit_slots.hpp"

namespace scalestyle::ranking {

// What brought an article into the look; the first three are evidence.
enum class LookSource : std::uint8_t { kBought, kVariantBought, kChosen, kPopular };
inline constexpr std::size_t kLookSourceCount = 4;
// "bought_together", "variant_bought_together", "chosen_together", "popular_in_slot"
[[nodiscard]] std::string_view to_string(LookSource source);

struct LookItem {
  catalog::RowIndex row{};
  SlotId slot = 0;
  LookSource source = LookSource::kPopular;
  float together = 0;  // (0, 1]: together or popularity as above
  float colour = 0;    // (0, 1]
  double score = 0;    // (0, 1]
  friend bool operator==(const LookItem&, const LookItem&) = default;
};

struct LookInputs {
  const catalog::Catalog* articles = nullptr;  // not null, as are the next two; all of the same rows
  const OutfitSlots* slots = nullptr;
  const RowHues* hues = nullptr;
  const catalog::Bitmap* eligible = nullptr;   // null: every row; nothing else becomes a candidate
  catalog::RowIndex article{};
  const ItemNeighbours* neighbours = nullptr;  // by row; null: none are known
  std::span<const ScoredRow> live{};           // chosen together now; may repeat rows: they add up
  std::span<const ScoredRow> popular{};        // of any slots; scores comparable with each other
};

struct LookOptions {
  double variant_discount = 0.6;  // of what was bought with another variant of the product; [0, 1]
  double popular_share = 0.3;     // (0, 1)
  std::size_t per_slot = 1;       // 1 … kMaxPerSlot
  std::size_t max_items = 48;     // 1 … 1,000

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};
inline constexpr std::size_t kMaxPerSlot = 4;

// All eligible rows of the sources whose slot goes with the article's and that may be for the same people; popular ones only
// where suit_same() says so. Best first, one entry a row.
[[nodiscard]] std::vector<LookItem> look_candidates(const LookInputs& inputs, const LookOptions& options);

// The look: at most per_slot candidates of each slot, all slots going together, at most one article a product. Evidence is taken
// first; a slot that has any takes no popular article. Best first. `candidates` as look_candidates() gives them.
[[nodiscard]] std::vector<LookItem> choose_look(std::span<const LookItem> candidates, const LookInputs& inputs,
                                                const LookOptions& options);

// The slots to be filled with what is popular: those that go with the article's and that no candidate is in. Slots by group and
// "other" only where the article's own is one: of a garment nothing says that they are part of its look.
[[nodiscard]] std::vector<SlotId> empty_slots(std::span<const LookItem> candidates, const LookInputs& inputs);

}  // namespace scalestyle::ranking
