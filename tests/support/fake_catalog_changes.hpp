#pragma once
// Changes of articles in memory, of one process or of several. Thread-safe.

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "ports/catalog_changes.hpp"

namespace scalestyle::support {

class FakeCatalogChanges final : public ports::CatalogChanges {
 public:
  explicit FakeCatalogChanges(bool is_shared = false) : is_shared_(is_shared) {}

  [[nodiscard]] bool shared() const override { return is_shared_; }
  [[nodiscard]] core::Task<std::expected<std::int64_t, ports::AppendFailure>> append(ports::ChangeBatch batch,
                                                                                     core::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (fault_) co_return std::unexpected(*fault_);
    if (batch.only_after && !log_.empty() && log_.back().sequence > *batch.only_after) {
      const auto error = core::fail(core::ErrorCode::kFailedPrecondition, "there are later changes",
                                    std::string(ports::kOnlyAfterField));
      co_return std::unexpected(ports::AppendFailure{ports::AppendOutcome::kNotKept, error.error()});
    }
    ++appends_;
    const std::int64_t first = next_;
    for (auto& change : batch.changes) {
      if (change.kind == catalog::ChangeKind::kDelete) vectors_.erase(change.id);
      log_.push_back({next_++, batch.time_ms, std::move(change)});
    }
    for (auto& vector : batch.vectors) {
      const auto id = vector.article;
      vectors_.insert_or_assign(id, Kept{std::move(vector), batch.encoder, next_ - 1});
    }
    co_return first;
  }

  [[nodiscard]] core::Task<core::Result<std::vector<ports::LoggedChange>>> read(std::int64_t after, std::size_t limit,
                                                                               core::Deadline) override {
    const std::lock_guard lock(mutex_);
    std::vector<ports::LoggedChange> found;
    for (const auto& logged : log_) {
      if (logged.sequence > after && found.size() < limit) found.push_back(logged);
    }
    co_return found;
  }

  [[nodiscard]] core::Task<core::Result<std::vector<ports::ArticleVector>>> vectors(ports::EncoderInfo encoder,
                                                                                    core::Deadline) override {
    const std::lock_guard lock(mutex_);
    std::vector<ports::ArticleVector> found;
    for (const auto& [id, kept] : vectors_) {
      if (kept.encoder == encoder) found.push_back(kept.vector);
    }
    co_return found;
  }

  [[nodiscard]] core::Task<core::Status> settle(std::int64_t sequence, std::int64_t until_ms, core::Deadline) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(log_, [&](const auto& logged) { return logged.sequence <= sequence && logged.time_ms <= until_ms; });
    std::erase_if(vectors_, [sequence](const auto& kept) { return kept.second.sequence <= sequence; });
    next_ = std::max(next_, sequence + 1);
    co_return core::Status();
  }

  void fail_append_with(std::optional<ports::AppendFailure> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  [[nodiscard]] std::size_t kept() const {
    const std::lock_guard lock(mutex_);
    return log_.size();
  }
  [[nodiscard]] std::size_t appends() const {
    const std::lock_guard lock(mutex_);
    return appends_;
  }

 private:
  const bool is_shared_;
  struct Kept {
    ports::ArticleVector vector;
    ports::EncoderInfo encoder;
    std::int64_t sequence = 0;
  };

  mutable std::mutex mutex_;
  std::vector<ports::LoggedChange> log_;  // guarded by mutex_, as all below
  std::map<catalog::ArticleId, Kept> vectors_;
  std::int64_t next_ = 1;
  std::size_t appends_ = 0;
  std::optional<ports::AppendFailure> fault_;
};

}  // namespace scalestyle::support
