#include "ingest/embed_texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "catalog/product_text.hpp"
#include "core/task.hpp"
#include "ingest/staged_catalog.hpp"

namespace scalestyle::ingest {

namespace {

constexpr std::chrono::milliseconds kPollInterval{200};
// Finished batches that may wait for an earlier one, as a multiple of those in flight.
constexpr std::size_t kReorderFactor = 4;

using EncodeResult = core::Result<ports::EmbeddingBatch>;

// Finished batches on their way from the encoder's threads to the writer.
class Mailbox {
 public:
  void put(std::size_t batch, EncodeResult result) {
    const std::lock_guard lock(mutex_);
    arrived_.emplace_back(batch, std::move(result));
    wake_.notify_one();
  }
  // What has arrived; waits for the first, but not longer than kPollInterval.
  std::vector<std::pair<std::size_t, EncodeResult>> take() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kPollInterval, [this] { return !arrived_.empty(); });
    return std::exchange(arrived_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::pair<std::size_t, EncodeResult>> arrived_;  // guarded by mutex_
};

class EmbeddingRun {
 public:
  EmbeddingRun(const catalog::Catalog& catalog, const EmbeddingPlan& plan, const IngestOptions& options,
               const IngestContext& context, WorkFolder& work)
      : catalog_(catalog), plan_(plan), options_(options), context_(context), work_(work), first_text_(work.texts_done()) {}

  core::Status run(IngestSummary& summary) {
    last_checkpoint_ = context_.clock.steady_now();
    report();
    while (next_to_write_ < batches()) {
      if (status_) status_ = check_stop(context_);
      if (status_) submit();
      if (in_flight_.empty()) break;
      receive();
      if (status_) write();
      if (status_) checkpoint_when_due();
      report();
    }
    summary.embedded_texts = work_.texts_done() - first_text_;
    summary.embedded_tokens = tokens_;
    // What is whole is kept, whatever ended the run.
    const auto kept = work_.checkpoint();
    return status_ ? kept : std::move(status_);
  }

 private:
  [[nodiscard]] std::size_t batches() const {
    const std::size_t texts = plan_.texts.size() - first_text_;
    return (texts + options_.batch_texts - 1) / options_.batch_texts;
  }
  [[nodiscard]] std::span<const catalog::RowIndex> texts_of(std::size_t batch) const {
    const std::size_t begin = first_text_ + batch * options_.batch_texts;
    return std::span(plan_.texts).subspan(begin, std::min(options_.batch_texts, plan_.texts.size() - begin));
  }

  void submit() {
    while (next_to_submit_ < batches() && in_flight_.size() < options_.batches_in_flight &&
           next_to_submit_ - next_to_write_ < kReorderFactor * options_.batches_in_flight) {
      const std::size_t batch = next_to_submit_++;
      std::vector<std::string> texts;
      for (const catalog::RowIndex row : texts_of(batch)) {
        texts.push_back(catalog::product_text_v1(catalog_.row(row).to_article()));
      }
      in_flight_.emplace(batch, core::Operation());
      in_flight_[batch] = core::start(context_.encoder.encode(std::move(texts), core::Deadline::never()),
                                      [this, batch](EncodeResult&& result) { mailbox_.put(batch, std::move(result)); });
    }
  }

  void receive() {
    for (auto& [batch, result] : mailbox_.take()) {
      in_flight_.erase(batch);
      if (result) result = checked(batch, std::move(*result));
      if (result) finished_.emplace(batch, std::move(*result));
      else if (status_) status_ = std::unexpected(std::move(result).error());
    }
  }

  // An encoder that breaks its contract must not be written to disk.
  [[nodiscard]] EncodeResult checked(std::size_t batch, ports::EmbeddingBatch result) const {
    const auto rows = texts_of(batch);
    const std::size_t dimension = context_.encoder.info().dimension;
    if (result.dimension != dimension || result.values.size() != rows.size() * dimension) {
      return core::fail(core::ErrorCode::kInternal, fmt::format("the encoder {} gave {} values of dimension {} for {} texts",
                                                                context_.encoder.info().model, result.values.size(),
                                                                result.dimension, rows.size()));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double sum = 0;
      for (const float value : std::span(result.values).subspan(i * dimension, dimension)) {
        sum += static_cast<double>(value) * static_cast<double>(value);
      }
      if (std::abs(std::sqrt(sum) - 1) <= kMaxNormError) continue;
      return core::fail(core::ErrorCode::kInternal,
                        fmt::format("the encoder {} gave article {} a vector of length {}", context_.encoder.info().model,
                                    catalog_.row(rows[i]).id(), std::sqrt(sum)));
    }
    return result;
  }

  void write() {
    for (auto next = finished_.find(next_to_write_); next != finished_.end(); next = finished_.find(next_to_write_)) {
      status_ = work_.append(next->second.values);
      if (!status_) return;
      tokens_ += next->second.tokens;
      finished_.erase(next);
      ++next_to_write_;
    }
  }

  void checkpoint_when_due() {
    const auto now = context_.clock.steady_now();
    if (now - last_checkpoint_ < options_.checkpoint_interval) return;
    status_ = work_.checkpoint();
    last_checkpoint_ = now;
  }

  void report() {
    context_.progress.embedding({.texts_total = plan_.texts.size(),
                                 .texts_done = work_.texts_done(),
                                 .texts_resumed = first_text_,
                                 .tokens_done = tokens_});
  }

  const catalog::Catalog& catalog_;
  const EmbeddingPlan& plan_;
  const IngestOptions& options_;
  const IngestContext& context_;
  WorkFolder& work_;
  const std::uint64_t first_text_;
  Mailbox mailbox_;
  std::size_t next_to_submit_ = 0;
  std::size_t next_to_write_ = 0;
  std::map<std::size_t, core::Operation> in_flight_;
  std::map<std::size_t, ports::EmbeddingBatch> finished_;
  std::uint64_t tokens_ = 0;
  core::SteadyTime last_checkpoint_{};
  core::Status status_;
};

}  // namespace

core::Status embed_texts(const catalog::Catalog& catalog, const EmbeddingPlan& plan, const IngestOptions& options,
                         const IngestContext& context, WorkFolder& work, IngestSummary& summary) {
  return EmbeddingRun(catalog, plan, options, context, work).run(summary);
}

}  // namespace scalestyle::ingest
