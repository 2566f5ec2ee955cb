#pragma once
// The slots of a catalogue, with whom its articles are for. Pure; some milliseconds for 10⁵ articles.

#include <memory>

#include "catalog/catalog.hpp"
#include "ranking/outfit_slots.hpp"

namespace scalestyle::search {

[[nodiscard]] std::shared_ptr<const ranking::OutfitSlots> outfit_slots(const catalog::Catalog& articles);

}  // namespace scalestyle::search
