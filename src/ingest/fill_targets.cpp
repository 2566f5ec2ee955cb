#include "ingest/fill_targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "adapters/embedded/generation_files.hpp"
#include "adapters/embedded/neighbour_file.hpp"
#include "core/task.hpp"
#include "ingest/staged_catalog.hpp"

namespace scalestyle::ingest {

namespace {

constexpr std::size_t kRowsASlice = 2'048;
constexpr std::chrono::seconds kLookDeadline{15};

// Empty when a store counts what it was given; what it does not keep is not compared.
std::string difference(const ports::TargetGeneration& given, const ports::TargetCounts& counts) {
  std::string text;
  const auto compare = [&](std::string_view what, std::size_t wanted, const std::optional<std::size_t>& found) {
    if (!found || *found == wanted) return;
    text += fmt::format("{}{} of {} {}", text.empty() ? "" : ", ", *found, wanted, what);
  };
  const auto& neighbours = given.snapshot->neighbours;
  compare("articles", given.snapshot->catalog->size(), counts.articles);
  compare("vectors of texts", given.text_vectors, counts.text_vectors);
  compare("vectors of photos", given.image_vectors, counts.image_vectors);
  compare("neighbours", neighbours == nullptr ? 0 : neighbours->all().size(), counts.neighbours);
  compare("popular articles", given.popular->all_time.size(), counts.popular);
  return text;
}

}  // namespace

struct TargetFiller::Files {
  ports::TargetGeneration generation{};
  adapters::embedded::MappedVectors texts;
  std::optional<adapters::embedded::MappedImageVectors> photos{};
};

core::Deadline TargetFiller::deadline() const { return core::Deadline::after(options_.target_deadline, context_.clock); }

void TargetFiller::step(std::string_view verb, const ports::CatalogTarget& target) const {
  const std::string name = fmt::format("{} {}", verb, target.name());
  context_.before_step(name);
}

core::Status TargetFiller::look() {
  served_.clear();
  const auto soon = core::Deadline::after(kLookDeadline, context_.clock);
  for (ports::CatalogTarget* target : context_.stores.targets) {
    CORE_TRY(auto served, core::sync_wait(target->current(soon)));
    served_.push_back(std::move(served));
  }
  if (context_.stores.use != nullptr) {
    CORE_TRY(used_, core::sync_wait(context_.stores.use->used(soon)));
  }
  return {};
}

bool TargetFiller::is_served(const core::GenerationId& id) const {
  return used_.contains(id) || std::ranges::find(served_, std::optional(id)) != served_.end();
}

core::Status TargetFiller::fill(const std::filesystem::path& folder, ports::PopularitySeeds popular, IngestSummary& summary) {
  using namespace adapters::embedded;
  if (empty()) return {};
  CORE_TRY(auto manifest, read_manifest(folder));
  auto snapshot = std::make_shared<ports::CatalogSnapshot>();
  CORE_TRY(snapshot->catalog, read_catalog_file(folder / kCatalogFile, manifest.info.articles));
  if (manifest.neighbours) {
    CORE_TRY(auto neighbours, read_neighbours(folder / kNeighboursFile, manifest.info.articles));
    snapshot->neighbours = std::make_shared<const ranking::ItemNeighbours>(std::move(neighbours));
  }
  CORE_TRY(auto texts, map_vectors(folder, manifest, FileCheck::kSizes));
  Files files{.texts = std::move(texts)};
  if (manifest.info.image_encoder) {
    CORE_TRY(auto photos, map_image_vectors(folder, manifest, FileCheck::kSizes));
    files.photos.emplace(std::move(photos));
  }
  snapshot->info = manifest.info;
  id_ = manifest.info.id;
  files.generation = {.snapshot = std::move(snapshot),
                      .popular = std::make_shared<const ports::PopularitySeeds>(std::move(popular)),
                      .text_vectors = manifest.info.articles,
                      .image_vectors = files.photos ? files.photos->rows.size() : 0};
  for (ports::CatalogTarget* target : context_.stores.targets) {
    if (auto filled = fill_one(*target, files, summary); !filled) {
      give_up();
      auto error = std::move(filled).error();
      error.message = fmt::format("{} was not filled, what it serves is as before: {}", target->name(), error.message);
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

core::Status TargetFiller::fill_one(ports::CatalogTarget& target, const Files& files, IngestSummary& summary) {
  const auto begun_at = context_.clock.steady_now();
  step("fill", target);
  CORE_CHECK(core::sync_wait(target.begin(files.generation, deadline())));
  begun_.push_back(&target);
  CORE_CHECK(core::sync_wait(target.write_articles(deadline())));
  CORE_CHECK(check_stop(context_));
  CORE_CHECK(write_vectors(target, files));
  step("verify", target);
  CORE_TRY(const auto counts, core::sync_wait(target.finish(deadline())));
  if (const std::string wrong = difference(files.generation, counts); !wrong.empty()) {
    return core::fail(core::ErrorCode::kDataLoss, fmt::format("it has {}; ingest again", wrong));
  }
  const double seconds = std::chrono::duration<double>(context_.clock.steady_now() - begun_at).count();
  summary.filled.push_back({.name = std::string(target.name()), .counts = counts, .seconds = seconds});
  context_.progress.note(fmt::format("filled {} in {:.1f} s", target.name(), seconds));
  return check_stop(context_);
}

core::Status TargetFiller::write_vectors(ports::CatalogTarget& target, const Files& files) {
  const auto write = [&](ports::VectorsOf kind, std::span<const std::uint32_t> rows,
                         const retrieval::ExactVectors& vectors) -> core::Status {
    for (std::size_t first = 0; first < rows.size(); first += kRowsASlice) {
      CORE_CHECK(check_stop(context_));
      const std::size_t count = std::min(kRowsASlice, rows.size() - first);
      const ports::VectorSlice slice{.kind = kind,
                                     .rows = rows.subspan(first, count),
                                     .dimension = vectors.dimension,
                                     .values = vectors.values.subspan(first * vectors.dimension, count * vectors.dimension)};
      CORE_CHECK(core::sync_wait(target.write_vectors(slice, deadline())));
    }
    return {};
  };
  std::vector<std::uint32_t> rows(files.generation.text_vectors);
  std::iota(rows.begin(), rows.end(), 0U);
  CORE_CHECK(write(ports::VectorsOf::kTexts, rows, files.texts.exact));
  if (!files.photos) return {};
  rows.clear();
  for (const adapters::embedded::ImageRow& photo : files.photos->rows) rows.push_back(photo.row.value);
  return write(ports::VectorsOf::kPhotos, rows, files.photos->vectors.exact);
}

void TargetFiller::give_up() {
  for (ports::CatalogTarget* target : begun_) {
    const auto soon = core::Deadline::after(kLookDeadline, context_.clock);
    if (const auto gone = core::sync_wait(target->abort(soon)); !gone) {
      context_.progress.note(fmt::format("what was begun in {} goes by itself or with the next fill: {}", target->name(),
                                         gone.error().message));
    }
  }
  begun_.clear();
}

core::Status TargetFiller::switch_over() {
  for (ports::CatalogTarget* target : context_.stores.targets) {
    step("switch", *target);
    if (auto switched = core::sync_wait(target->switch_to(deadline())); !switched) {
      auto error = std::move(switched).error();
      error.message = fmt::format("{} was filled, but not switched to: {}; ingest again", target->name(), error.message);
      return std::unexpected(std::move(error));
    }
  }
  return {};
}

void TargetFiller::tidy(IngestSummary& summary) {
  const auto& targets = context_.stores.targets;
  if (targets.empty()) return;
  std::set<core::GenerationId> keep{id_};
  if (context_.stores.use != nullptr) {
    const auto used = core::sync_wait(context_.stores.use->used(deadline()));
    if (!used) {
      summary.notes.push_back("old generations stay in the stores, since it is not known which are in use: " +
                              used.error().message);
      return;
    }
    keep.insert(used->begin(), used->end());
  }
  for (const auto& before : served_) {
    if (before) keep.insert(*before);
  }
  for (ports::CatalogTarget* target : targets) {
    context_.before_step("remove old generations of stores");
    const auto removed = core::sync_wait(target->remove_others(keep, deadline()));
    if (!removed) summary.notes.push_back(fmt::format("old generations stay in {}: {}", target->name(), removed.error().message));
  }
}

}  // namespace scalestyle::ingest
