#pragma once
// LiveState: what is known of one ingested catalogue (the base) and of everything that was changed since: the articles
// as they are now, the vectors of their new texts, and what a served state of the catalogue does not show yet.
//
// Rows of the served catalogue are kept while changes can be shown as states of them (price, availability, removal);
// new articles and new texts need a catalogue and an index built anew, build_live().
// Not thread-safe; jobs and catalogues are shared and never changed.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/changed_articles.hpp"
#include "catalog/product_text.hpp"
#include "core/result.hpp"
#include "ports/catalog_changes.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::search {

struct SideVector {
  catalog::TextHash text{};
  std::shared_ptr<const std::vector<float>> values{};
};
using SideTable = std::map<catalog::ArticleId, SideVector>;

struct NewText {
  catalog::TextHash hash{};
  std::string text{};
};

// Changes that are being considered: articles as they would be; nothing: gone.
using Draft = std::map<catalog::ArticleId, std::optional<catalog::Article>>;

// Everything that a catalogue with changes is built from, as of one moment.
struct BuildJob {
  std::shared_ptr<const ports::CatalogSnapshot> base{};
  catalog::ChangedArticles::Entries entries{};
  SideTable side{};
  std::int64_t through = 0;  // the last change that is in it
  std::uint64_t epoch = 0;
};

class LiveState {
 public:
  LiveState(std::shared_ptr<const ports::CatalogSnapshot> base, std::int64_t through)
      : base_(std::move(base)), changed_(base_->catalog), last_sequence_(through) {}

  [[nodiscard]] const ports::CatalogSnapshot& base() const { return *base_; }
  [[nodiscard]] const catalog::ChangedArticles& changed() const { return changed_; }
  [[nodiscard]] std::int64_t last_sequence() const { return last_sequence_; }
  [[nodiscard]] const SideTable& side() const { return side_; }

  // Adds to `draft` what valid changes make of the articles. Errors: kNotFound; `at` tells the change.
  [[nodiscard]] core::Status consider(std::span<const catalog::ArticleChange> changes, Draft& draft, std::size_t& at) const;

  // The text of `article` when the base has no vector of it: it is new, or its text is.
  [[nodiscard]] std::optional<NewText> new_text(const catalog::Article& article) const;

  // What was kept. `vector` is that of new_text(), where there is one.
  void accept(const catalog::ArticleId& id, const std::optional<catalog::Article>& now, std::int64_t sequence,
              std::optional<SideVector> vector);
  // A change that has no effect.
  void pass_over(std::int64_t sequence) { last_sequence_ = std::max(last_sequence_, sequence); }

  // What `served` lacks of these articles.
  struct Gap {
    std::vector<catalog::Catalog::RowState> states{};  // ascending rows: bring it up to date so far
    std::vector<catalog::ArticleId> unshown{};         // need a catalogue built anew
  };
  [[nodiscard]] Gap gap(const catalog::Catalog& served, std::span<const catalog::ArticleId> articles) const;
  // The articles changed after `sequence`.
  [[nodiscard]] std::vector<catalog::ArticleId> changed_after(std::int64_t sequence) const;

  [[nodiscard]] BuildJob job(std::uint64_t epoch) const { return {base_, changed_.entries(), side_, last_sequence_, epoch}; }

 private:
  std::shared_ptr<const ports::CatalogSnapshot> base_;
  catalog::ChangedArticles changed_;
  SideTable side_;
  std::int64_t last_sequence_;
};

// The served parts of the job's catalogue; its delta is `through`. Takes about a second for 10⁵ articles.
// Errors: those of SnapshotHolder::prepare; kResourceExhausted beyond a catalogue's limits.
[[nodiscard]] core::Task<core::Result<ServingGeneration::Parts>> build_live(std::shared_ptr<const BuildJob> job,
                                                                            SnapshotHolder& generations, core::Deadline deadline);

// The same rows with other states of some, ascending. Takes milliseconds.
[[nodiscard]] ServingGeneration::Parts with_states(ServingGeneration::Parts parts,
                                                   const std::vector<catalog::Catalog::RowState>& states);

}  // namespace scalestyle::search
