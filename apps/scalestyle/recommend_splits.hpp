#pragma once
// Which purchases are known and which are judged, and the catalogue they are of, as the settings of `evaluate recommend` say.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "evaluation/held_out_purchases.hpp"
#include "ports/catalog_store.hpp"

namespace scalestyle::app {

struct JudgedSplit {
  std::string name;  // the days that are judged
  evaluation::HeldOutPurchases purchases;
};

// One, or several with `rolling`; their purchases are those of `task`. Says on standard error which rows were left out.
// Errors: settings that do not go together, with the field; those of read_purchases(); parts without a purchase.
[[nodiscard]] core::Result<std::vector<JudgedSplit>> read_splits(const core::Settings& settings);

struct JudgedCatalog {
  std::shared_ptr<const catalog::Catalog> articles;          // null: none was named
  std::shared_ptr<const ports::CatalogSnapshot> generation;  // of `data`; else null
};

// Of `data` or `articles`. The purchase counts of a generation must not know days after `last_known` (kFailedPrecondition).
[[nodiscard]] core::Result<JudgedCatalog> read_catalog(const core::Settings& settings, std::chrono::sys_days last_known);

}  // namespace scalestyle::app
