#include "ingest/embed_all.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "core/task.hpp"
#include "ingest/staged_catalog.hpp"

namespace scalestyle::ingest {

namespace {

constexpr std::chrono::milliseconds kPollInterval{200};
// Finished batches that may wait for an earlier one, as a multiple of those in flight.
constexpr std::size_t kReorderFactor = 4;

using EmbedResult = core::Result<EmbeddedBatch>;

// Finished batches on their way from the encoder's threads to the writer.
class Mailbox {
 public:
  void put(std::size_t batch, EmbedResult result) {
    const std::lock_guard lock(mutex_);
    arrived_.emplace_back(batch, std::move(result));
    wake_.notify_one();
  }
  // What has arrived; waits for the first, but not longer than kPollInterval.
  std::vector<std::pair<std::size_t, EmbedResult>> take() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kPollInterval, [this] { return !arrived_.empty(); });
    return std::exchange(arrived_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::pair<std::size_t, EmbedResult>> arrived_;  // guarded by mutex_
};

class EmbeddingRun {
 public:
  EmbeddingRun(const EmbeddingJob& job, const IngestOptions& options, const IngestContext& context)
      : source_(job.source), plan_(job.plan), work_(job.work), options_(options), context_(context),
        first_item_(job.work.items_done()) {}

  core::Status run(EmbeddingWork& done) {
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
    done.embedded = work_.items_done() - first_item_;
    done.tokens = tokens_;
    // What is whole is kept, whatever ended the run.
    const auto kept = work_.checkpoint();
    return status_ ? kept : std::move(status_);
  }

 private:
  [[nodiscard]] std::size_t batches() const {
    const std::size_t items = plan_.items.size() - first_item_;
    return (items + source_.batch_items() - 1) / source_.batch_items();
  }
  [[nodiscard]] std::span<const catalog::RowIndex> rows_of(std::size_t batch) const {
    const std::size_t begin = first_item_ + batch * source_.batch_items();
    return std::span(plan_.items).subspan(begin, std::min(source_.batch_items(), plan_.items.size() - begin));
  }

  void submit() {
    const std::size_t most = options_.batches_in_flight;
    while (next_to_submit_ < batches() && in_flight_.size() < most && next_to_submit_ - next_to_write_ < kReorderFactor * most) {
      const std::size_t batch = next_to_submit_++;
      const auto rows = rows_of(batch);
      in_flight_.emplace(batch, core::Operation());
      in_flight_[batch] = core::start(source_.embed({rows.begin(), rows.end()}),
                                      [this, batch](EmbedResult&& result) { mailbox_.put(batch, std::move(result)); });
    }
  }

  void receive() {
    for (auto& [batch, result] : mailbox_.take()) {
      in_flight_.erase(batch);
      if (result) finished_.emplace(batch, std::move(*result));
      else if (status_) status_ = std::unexpected(std::move(result).error());
    }
  }

  void write() {
    for (auto next = finished_.find(next_to_write_); next != finished_.end(); next = finished_.find(next_to_write_)) {
      status_ = work_.append(next->second.values, next->second.rejected);
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
    context_.progress.embedding({.noun = source_.noun(),
                                 .total = plan_.items.size(),
                                 .done = work_.items_done(),
                                 .resumed = first_item_,
                                 .tokens_done = tokens_});
  }

  EmbeddingSource& source_;
  const EmbeddingPlan& plan_;
  WorkFolder& work_;
  const IngestOptions& options_;
  const IngestContext& context_;
  const std::uint64_t first_item_;
  Mailbox mailbox_;
  std::size_t next_to_submit_ = 0;
  std::size_t next_to_write_ = 0;
  std::map<std::size_t, core::Operation> in_flight_;
  std::map<std::size_t, EmbeddedBatch> finished_;
  std::uint64_t tokens_ = 0;
  core::SteadyTime last_checkpoint_{};
  core::Status status_;
};

}  // namespace

core::Status embed_all(const EmbeddingJob& job, const IngestOptions& options, const IngestContext& context, EmbeddingWork& done) {
  return EmbeddingRun(job, options, context).run(done);
}

}  // namespace scalestyle::ingest
