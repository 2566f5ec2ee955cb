// Which part of an outfit an article is, and which parts go together.
#include "ranking/outfit_slots.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "ranking/look_samples.hpp"

namespace scalestyle::ranking {
namespace {

TEST(OutfitSlots, ReadsTypesInTheirGroups) {
  struct Case {
    std::string type, group;
    Slot slot;
  };
  const std::array cases{
      Case{"T-shirt", "Garment Upper body", Slot::kTop}, Case{"Vest top", "Garment Upper body", Slot::kTop},
      Case{"Sweater", "Garment Upper body", Slot::kTop}, Case{"Hoodie", "Garment Upper body", Slot::kTop},
      Case{"Blazer", "Garment Upper body", Slot::kOuterwear}, Case{"Outdoor Waistcoat", "Garment Upper body", Slot::kOuterwear},
      Case{"Outdoor trousers", "Garment Lower body", Slot::kBottom}, Case{"Leggings/Tights", "Garment Lower body", Slot::kBottom},
      Case{"Jumpsuit/Playsuit", "Garment Full body", Slot::kFullBody}, Case{"Garment Set", "Garment Full body", Slot::kFullBody},
      Case{"Heeled sandals", "Shoes", Slot::kShoes}, Case{"Other shoe", "Shoes", Slot::kShoes}, Case{"Flip flop", "Shoes", Slot::kShoes},
      Case{"Bag", "Accessories", Slot::kBag}, Case{"Hair/alice band", "Accessories", Slot::kHair}, Case{"Cap/peaked", "Accessories", Slot::kHat},
      Case{"Other accessories", "Accessories", Slot::kAccessory}, Case{"Tie", "Accessories", Slot::kAccessory},
      Case{"Earring", "Accessories", Slot::kJewellery}, Case{"Sunglasses", "Accessories", Slot::kEyewear},
      Case{"Socks", "Socks & Tights", Slot::kHosiery}, Case{"Underwear Tights", "Socks & Tights", Slot::kHosiery},
      Case{"Bra", "Underwear", Slot::kUnderwearTop}, Case{"Kids Underwear top", "Underwear", Slot::kUnderwearTop},
      Case{"Underwear bottom", "Underwear", Slot::kUnderwearBottom}, Case{"Underwear body", "Underwear", Slot::kUnderwear},
      Case{"Robe", "Underwear", Slot::kNightwear}, Case{"Pyjama bottom", "Nightwear", Slot::kNightwear},
      Case{"Night gown", "Nightwear", Slot::kNightwear}, Case{"Bikini top", "Swimwear", Slot::kSwimTop},
      Case{"Swimwear bottom", "Swimwear", Slot::kSwimBottom}, Case{"Swimsuit", "Swimwear", Slot::kSwimwear},
      Case{"Sarong", "Swimwear", Slot::kBeachwear}, Case{"Dog Wear", "Accessories", Slot::kOther},
      Case{"Fine cosmetics", "Cosmetic", Slot::kOther}, Case{"Unknown", "Unknown", Slot::kOther}, Case{"", "", Slot::kOther},
      Case{"DRESS", "", Slot::kFullBody}, Case{"", "Shoes", Slot::kShoes}, Case{"Topping", "Cake", Slot::kOther}};
  for (const Case& one : cases) EXPECT_EQ(slot_of(one.type, one.group), one.slot) << one.type << " in " << one.group;
}

TEST(OutfitSlots, GroupsWithoutAKnownWordAreSlotsOfTheirOwn) {
  const auto articles = look_catalog({{"Lamp", "Lighting"}, {"Dress", "Garments"}, {"Sofa", "Armchairs & more"}, {"Bulb", "Lighting"}, {"", ""},
                                    {"Unknown", "Unknown"}});
  const OutfitSlots slots(articles);
  ASSERT_EQ(slots.count(), kKnownSlots + 2U);
  EXPECT_EQ(slots.name(slots.of({0})), "Lighting");
  EXPECT_EQ(slots.of({0}), slots.of({3}));
  EXPECT_EQ(slots.name(slots.of({2})), "Armchairs & more");
  EXPECT_EQ(slots.name(slots.of({1})), "full_body");
  EXPECT_EQ(slots.name(slots.of({4})), "other");
  EXPECT_EQ(slots.of({5}), id_of(Slot::kOther));
  EXPECT_TRUE(slots.go_together(slots.of({0}), slots.of({2})));
  EXPECT_FALSE(slots.go_together(slots.of({0}), slots.of({3})));
  EXPECT_TRUE(slots.go_together(slots.of({4}), slots.of({5})));
  EXPECT_TRUE(slots.go_together(slots.of({0}), slots.of({1})));
}

TEST(OutfitSlots, WhatGoesTogether) {
  const auto articles = look_catalog({{"Dress"}});
  const OutfitSlots slots(articles);
  const auto go = [&](Slot a, Slot b) { return slots.go_together(id_of(a), id_of(b)); };
  for (SlotId a = 0; a < kKnownSlots; ++a) {
    for (SlotId b = 0; b < kKnownSlots; ++b) EXPECT_EQ(slots.go_together(a, b), slots.go_together(b, a));
    EXPECT_EQ(slots.go_together(a, a), a == id_of(Slot::kOther));
  }
  EXPECT_TRUE(go(Slot::kTop, Slot::kBottom));
  EXPECT_FALSE(go(Slot::kFullBody, Slot::kTop));
  EXPECT_FALSE(go(Slot::kFullBody, Slot::kBottom));
  EXPECT_TRUE(go(Slot::kFullBody, Slot::kShoes));
  EXPECT_TRUE(go(Slot::kSwimTop, Slot::kSwimBottom));
  EXPECT_FALSE(go(Slot::kSwimwear, Slot::kSwimBottom));
  EXPECT_TRUE(go(Slot::kSwimwear, Slot::kBeachwear));
  EXPECT_TRUE(go(Slot::kSwimwear, Slot::kHat));
  EXPECT_FALSE(go(Slot::kSwimTop, Slot::kBottom));
  EXPECT_FALSE(go(Slot::kUnderwearTop, Slot::kTop));
  EXPECT_TRUE(go(Slot::kUnderwearTop, Slot::kUnderwearBottom));
  EXPECT_TRUE(go(Slot::kUnderwear, Slot::kHosiery));
  EXPECT_FALSE(go(Slot::kNightwear, Slot::kShoes));
  EXPECT_FALSE(go(Slot::kNightwear, Slot::kSwimTop));
}

TEST(OutfitSlots, RowsOfASlotRise) {
  const auto articles = look_catalog({{"Top"}, {"Skirt"}, {"Top"}, {"Vest top"}, {"Skirt"}});
  const OutfitSlots slots(articles);
  const auto tops = slots.rows(id_of(Slot::kTop));
  EXPECT_EQ(std::vector<catalog::RowIndex>(tops.begin(), tops.end()), (std::vector<catalog::RowIndex>{{0}, {2}, {3}}));
  EXPECT_TRUE(slots.rows(id_of(Slot::kBag)).empty());
  std::size_t all = 0;
  for (SlotId slot = 0; slot < slots.count(); ++slot) all += slots.rows(slot).size();
  EXPECT_EQ(all, articles.size());
}

TEST(OutfitSlots, PeopleAreToldApart) {
  const auto articles = look_catalog({{"Top", "", "", "Ladies"}, {"Skirt", "", "", "Ladies"}, {"Skirt", "", "", "Divided"}, {"Skirt", "", "", "Kids"}});
  const std::array audiences{Audience{1, 8}, Audience{1, 8}, Audience{}, Audience{2, 8}};
  const OutfitSlots slots(articles, audiences);
  EXPECT_TRUE(slots.suit_same({0}, {1}));
  EXPECT_TRUE(slots.may_suit_same({0}, {2}));
  EXPECT_FALSE(slots.suit_same({0}, {2}));
  EXPECT_FALSE(slots.may_suit_same({0}, {3}));
  const OutfitSlots of_nobody(articles);
  EXPECT_TRUE(of_nobody.may_suit_same({0}, {3}));
  EXPECT_FALSE(of_nobody.suit_same({0}, {3}));
  EXPECT_TRUE(of_nobody.suit_same({0}, {1}));
}

}  // namespace
}  // namespace scalestyle::ranking
