#pragma once
// The first part of an ingest: articles with prices, purchases and pictures, checked, in memory, sorted by id.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/embedded/generation_manifest.hpp"
#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"
#include "ingest/ingest.hpp"
#include "ingest/rejects.hpp"
#include "ranking/item_neighbours.hpp"

namespace scalestyle::ingest {

// By row of the catalogue, and what they were made of.
struct StagedNeighbours {
  ranking::ItemNeighbours neighbours{};
  adapters::embedded::NeighbourFacts facts{};
};

struct StagedCatalog {
  catalog::Catalog catalog;
  std::string price_source = "none";  // "articles", "transactions"
  std::string image_folder{};         // absolute; empty without
  std::string purchases_from{};       // first and last day of the purchases; empty when not known
  std::string purchases_to{};
  std::vector<adapters::embedded::FileRecord> sources{};
  // Set by lay_changes_over(); the first two as in ports::GenerationInfo.
  std::int64_t changes_through = 0;
  std::int64_t changes_overruled_ms = 0;
  catalog::Bitmap new_texts{};  // rows whose texts are not those of the files; of size 0: none
  std::optional<StagedNeighbours> neighbours{};  // set by find_neighbours()
};

// Reads what `options` names. An article's own price column wins over transactions, for all articles: two sources may
// have two units. Fills the counts and notes of `summary`. Errors: those of the readers; kInvalidArgument when no row
// can be used; kCancelled on a stop signal.
[[nodiscard]] core::Result<StagedCatalog> stage_catalog(const IngestOptions& options, const IngestContext& context,
                                                        RejectsFile& rejects, IngestSummary& summary);

// Size and SHA-256 of an input; of a folder, over its *.parquet files in name order.
[[nodiscard]] core::Result<adapters::embedded::FileRecord> describe_source(const std::filesystem::path& path,
                                                                           std::string_view role);

// kCancelled, saying which signal, when one asks to stop.
[[nodiscard]] core::Status check_stop(const IngestContext& context);

}  // namespace scalestyle::ingest
