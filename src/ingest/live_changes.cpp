#include "ingest/live_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <memory>
#include <system_error>
#include <utility>

#include "adapters/embedded/catalog_change_log.hpp"
#include "catalog/changed_articles.hpp"
#include "core/files.hpp"
#include "core/task.hpp"

namespace scalestyle::ingest {

namespace {

// When the newest file of the articles was last written; milliseconds since 1970.
core::Result<std::int64_t> written_at(const std::filesystem::path& articles) {
  std::error_code error;
  auto newest = std::filesystem::last_write_time(articles, error);
  if (!error && std::filesystem::is_directory(articles, error)) {
    newest = std::filesystem::file_time_type::min();
    std::filesystem::directory_iterator entries(articles, error);
    while (!error && entries != std::filesystem::directory_iterator()) {
      if (entries->path().extension() == ".parquet") newest = std::max(newest, std::filesystem::last_write_time(entries->path(), error));
      if (!error) entries.increment(error);
    }
  }
  if (error) return std::unexpected(core::system_error("read", articles, error.value()));
  const auto time = std::chrono::file_clock::to_sys(newest);
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// The rows of `changed` whose texts are not those that the files gave.
catalog::Bitmap rows_with_new_texts(const catalog::Catalog& changed, const catalog::ChangedArticles& changes) {
  catalog::Bitmap rows(changed.size());
  for (const auto& [id, entry] : changes.entries()) {
    if (!entry.article) continue;
    if (const auto row = changed.find(id)) rows.set(*row);
  }
  return rows;
}

void count(const catalog::Catalog& articles, IngestSummary& summary) {
  summary.with_price = summary.with_image = 0;
  for (std::uint32_t row = 0; row < articles.size(); ++row) {
    if (articles.row({row}).price()) ++summary.with_price;
    if (!articles.row({row}).image_path().empty()) ++summary.with_image;
  }
}

constexpr std::size_t kReadSlice = 10'000;

core::Result<adapters::embedded::KeptChanges> read_changes(const IngestOptions& options, ports::CatalogChanges* shared) {
  CORE_TRY(auto kept, adapters::embedded::read_kept_changes(options.data_dir));
  if (shared == nullptr) return kept;
  if (!kept.changes.empty()) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("{} has {} live changes of a server that kept them there: the changes of these stores have an order "
                                  "of their own; ingest without stores first, or put the file away",
                                  (options.data_dir / "changes.db").string(), kept.changes.size()));
  }
  kept = {};
  while (true) {
    CORE_TRY(auto some, core::sync_wait(shared->read(kept.last_sequence, kReadSlice, core::Deadline::never())));
    const bool last = some.size() < kReadSlice;
    if (!some.empty()) kept.last_sequence = some.back().sequence;
    std::ranges::move(some, std::back_inserter(kept.changes));
    if (last) return kept;
  }
}

}  // namespace

std::optional<LiveChanges> live_changes(std::string_view name) {
  if (name == "newer") return LiveChanges::kNewer;
  if (name == "all") return LiveChanges::kAll;
  if (name == "none") return LiveChanges::kNone;
  return std::nullopt;
}

core::Status lay_changes_over(const IngestOptions& options, ports::CatalogChanges* shared, StagedCatalog& staged,
                              IngestSummary& summary) {
  CORE_TRY(const auto kept, read_changes(options, shared));
  staged.changes_through = kept.last_sequence;
  if (kept.changes.empty()) return {};
  std::int64_t overruled_ms = 0;  // kAll: none
  if (options.live_changes == LiveChanges::kNewer) {
    CORE_TRY(overruled_ms, written_at(options.articles));
  } else if (options.live_changes == LiveChanges::kNone) {
    overruled_ms = std::ranges::max(kept.changes, {}, &ports::LoggedChange::time_ms).time_ms;
  }
  staged.changes_overruled_ms = overruled_ms;
  const auto base = std::make_shared<catalog::Catalog>(std::move(staged.catalog));
  catalog::ChangedArticles changes(base);
  std::uint64_t without_article = 0;
  for (const ports::LoggedChange& logged : kept.changes) {
    if (logged.time_ms <= overruled_ms) {
      ++summary.overruled_changes;
      continue;
    }
    // A patch of an article that the files do not have any more has nothing to act on.
    const bool applied = changes.apply(logged.change, logged.sequence).has_value();
    ++(applied ? summary.carried_changes : without_article);
  }
  if (changes.size() == 0) {
    staged.catalog = std::move(*base);
  } else {
    CORE_TRY(auto changed, changes.build());
    staged.new_texts = rows_with_new_texts(changed, changes);
    staged.catalog = std::move(changed);
    count(staged.catalog, summary);
  }
  if (summary.overruled_changes > 0) {
    summary.notes.push_back(fmt::format("{} live changes are overruled by the files{}", summary.overruled_changes,
                                        options.live_changes == LiveChanges::kNewer ? ", which were written after them" : ""));
  }
  if (without_article > 0) {
    summary.notes.push_back(fmt::format("{} live changes are of articles that the files do not have", without_article));
  }
  return {};
}

}  // namespace scalestyle::ingest
