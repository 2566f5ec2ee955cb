#pragma once
// CatalogChanges: what was changed of articles since the catalogue was ingested, durable and in order. Embedded: SQLite
// in the data folder. Distributed: Redis, shared by all gateways.
//
// Sequences ascend by one from 1 and are never used twice. What a later change of the same article makes of no effect may
// be left out, so what is read has gaps; its end result does not.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article_change.hpp"
#include "catalog/product_text.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "ports/event_log.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::ports {

struct LoggedChange {
  std::int64_t sequence = 0;
  std::int64_t time_ms = 0;  // when it was accepted; milliseconds since 1970
  catalog::ArticleChange change;
};

// The vector of an article's new text, so that it need not be embedded again after a restart. One is kept for an article.
struct ArticleVector {
  catalog::ArticleId article;
  catalog::TextHash text{};
  std::shared_ptr<const std::vector<float>> values{};  // not null
};

struct ChangeBatch {
  std::vector<catalog::ArticleChange> changes{};  // valid, in order
  std::vector<ArticleVector> vectors{};           // of the texts that articles have after them
  EncoderInfo encoder{};                          // that made the vectors
  std::int64_t time_ms = 0;
  // The batch was decided knowing all changes up to here: it is kept only while there is no later one. Nothing: in any case.
  std::optional<std::int64_t> only_after{};
};

// The field of the error where there is a later one.
inline constexpr std::string_view kOnlyAfterField = "only_after";

// Thread safety: every method may be called from any thread; calls wait for each other.
class CatalogChanges {
 public:
  virtual ~CatalogChanges() = default;

  // Whether other processes append too: then read() is to be asked from time to time for what they did.
  [[nodiscard]] virtual bool shared() const { return false; }

  // Keeps the whole batch or nothing, and completes once it is on disk; gives the sequence of the first change (of the
  // next one, for a batch of vectors alone). An embedded one blocks the caller on the disk.
  // Errors, each with its outcome: kFailedPrecondition with kOnlyAfterField (not kept: read(), and decide anew),
  // kResourceExhausted (the limit of kept changes is reached, or the disk is full),
  // kUnavailable (a write failed, or writes are refused since one did), kDeadlineExceeded.
  [[nodiscard]] virtual core::Task<std::expected<std::int64_t, AppendFailure>> append(ChangeBatch batch,
                                                                                      core::Deadline deadline) = 0;

  // The changes with a sequence above `after`, at most `limit` (1 … 100,000), in order.
  // Errors: kDataLoss (names the damaged place), kUnavailable, kDeadlineExceeded.
  [[nodiscard]] virtual core::Task<core::Result<std::vector<LoggedChange>>> read(std::int64_t after, std::size_t limit,
                                                                                core::Deadline deadline) = 0;

  // The kept vectors that `encoder` made. Errors: as read().
  [[nodiscard]] virtual core::Task<core::Result<std::vector<ArticleVector>>> vectors(EncoderInfo encoder,
                                                                                     core::Deadline deadline) = 0;

  // An ingested catalogue holds what became of the changes up to and including `sequence`. Removes those of them that
  // were made up to `until_ms`, which its files overruled; later ones stay for the next ingest, which may read the same
  // files again. Removes the vectors of all up to `sequence`. Later changes get greater sequences, also when nothing was
  // kept. May be repeated.
  // Errors: kUnavailable, kResourceExhausted, kDeadlineExceeded.
  [[nodiscard]] virtual core::Task<core::Status> settle(std::int64_t sequence, std::int64_t until_ms, core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
