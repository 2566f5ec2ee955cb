#include "telemetry/otlp_exporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace scalestyle::telemetry {

namespace {

using std::chrono::milliseconds;

Counter dropped(Metrics& metrics, const char* reason) {
  return metrics.counter({"scalestyle_trace_spans_dropped_total", "Spans that no collector has, by why.", {{"reason", reason}}});
}

bool may_come_right(int status) { return status == 429 || status == 502 || status == 503 || status == 504; }

}  // namespace

core::Status OtlpExporter::Options::validate() const {
  const auto refuse = [](const char* what, const char* field) { return core::fail(core::ErrorCode::kInvalidArgument, what, field); };
  if (max_batch_spans < 1 || max_batch_spans > max_queued_spans) {
    return refuse("max_batch_spans must be at least 1 and at most max_queued_spans", "max_batch_spans");
  }
  if (interval.count() < 1) return refuse("interval must be at least 1 ms", "interval");
  if (post_timeout.count() < 1) return refuse("post_timeout must be at least 1 ms", "post_timeout");
  if (first_pause.count() < 1 || longest_pause < first_pause) {
    return refuse("the first pause must be at least 1 ms and at most the longest", "first_pause");
  }
  return {};
}

OtlpExporter::OtlpExporter(Dependencies dependencies, Options options)
    : use_(dependencies),
      options_(std::move(options)),
      exported_(use_.metrics.counter({"scalestyle_trace_spans_exported_total", "Spans that the collector took."})),
      queue_full_(dropped(use_.metrics, "queue_full")),
      refused_(dropped(use_.metrics, "refused")),
      at_shutdown_(dropped(use_.metrics, "shutdown")),
      failures_(use_.metrics.counter({"scalestyle_trace_export_failures_total", "Posts to the collector that failed."})),
      queue_depth_(use_.metrics.gauge({"scalestyle_trace_queue_spans", "Spans that wait to be exported."})) {}

void OtlpExporter::take(std::vector<Span> spans) {
  std::size_t lost = 0;
  bool full_batch = false;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t room = options_.max_queued_spans - std::min(options_.max_queued_spans, queue_.size());
    const std::size_t taken = stopping_ ? 0 : std::min(room, spans.size());
    lost = spans.size() - taken;
    std::move(spans.begin(), spans.begin() + static_cast<std::ptrdiff_t>(taken), std::back_inserter(queue_));
    queue_depth_.set(static_cast<double>(queue_.size()));
    full_batch = queue_.size() >= options_.max_batch_spans;
  }
  if (lost > 0) queue_full_.add(static_cast<double>(lost));
  if (full_batch) wake_.notify_one();
}

std::size_t OtlpExporter::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void OtlpExporter::run() {
  milliseconds pause = options_.interval;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const bool resting = pause > options_.interval || pause_.count() > 0;  // after a failure a full queue is no reason to hurry
      wake_.wait_for(lock, pause, [&] { return stopping_ || (!resting && queue_.size() >= options_.max_batch_spans); });
      if (stopping_) break;
    }
    pause = send_once(core::Deadline::after(options_.post_timeout, use_.clock));
  }
  flush();
}

void OtlpExporter::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

// One try for each batch: at the end there is no time for pauses.
void OtlpExporter::flush() {
  const core::Deadline end = core::Deadline::after(options_.flush_timeout, use_.clock);
  while (queued() > 0 && !end.expired(use_.clock)) {
    static_cast<void>(send_once(end.within(options_.post_timeout, use_.clock)));
    if (pause_.count() > 0) break;
  }
  const std::lock_guard lock(mutex_);
  if (!queue_.empty()) at_shutdown_.add(static_cast<double>(queue_.size()));
  queue_.clear();
  queue_depth_.set(0);
}

std::vector<Span> OtlpExporter::next_batch() {
  const std::lock_guard lock(mutex_);
  const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), options_.max_batch_spans));
  std::vector<Span> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  queue_depth_.set(static_cast<double>(queue_.size()));
  return batch;
}

// To the front, as far as there is room: what came meanwhile keeps its place.
void OtlpExporter::give_back(std::vector<Span> batch) {
  std::size_t lost = 0;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t room = options_.max_queued_spans - std::min(options_.max_queued_spans, queue_.size());
    lost = batch.size() - std::min(room, batch.size());
    queue_.insert(queue_.begin(), std::make_move_iterator(batch.begin() + static_cast<std::ptrdiff_t>(lost)),
                  std::make_move_iterator(batch.end()));
    queue_depth_.set(static_cast<double>(queue_.size()));
  }
  if (lost > 0) queue_full_.add(static_cast<double>(lost));
}

milliseconds OtlpExporter::send_once(core::Deadline deadline) {
  std::vector<Span> batch = next_batch();
  if (batch.empty()) return options_.interval;
  const std::size_t count = batch.size();
  core::Result<OtlpTransport::Answer> answer =
      core::sync_wait(use_.transport.post(otlp_json(options_.resource, batch), deadline));
  std::string trouble;
  const Outcome outcome = judge(answer, trouble);
  if (outcome == Outcome::kAgain) give_back(std::move(batch));
  note(outcome, count, trouble);
  if (outcome == Outcome::kAgain) return pause_for(answer);
  pause_ = milliseconds(0);
  return queued() >= options_.max_batch_spans ? milliseconds(0) : options_.interval;
}

OtlpExporter::Outcome OtlpExporter::judge(const core::Result<OtlpTransport::Answer>& answer, std::string& trouble) const {
  if (!answer) {
    trouble = answer.error().message;
    return Outcome::kAgain;
  }
  if (answer->status >= 200 && answer->status < 300) return Outcome::kTaken;
  trouble = fmt::format("the collector answered {}", answer->status);
  return may_come_right(answer->status) ? Outcome::kAgain : Outcome::kRefused;
}

milliseconds OtlpExporter::pause_for(const core::Result<OtlpTransport::Answer>& answer) {
  pause_ = pause_.count() == 0 ? options_.first_pause : std::min(pause_ * 2, options_.longest_pause);
  if (!answer || !answer->retry_after) return pause_;
  return std::clamp<milliseconds>(*answer->retry_after, options_.first_pause, options_.longest_pause);
}

void OtlpExporter::note(Outcome outcome, std::size_t spans, const std::string& trouble) {
  if (outcome == Outcome::kTaken) {
    exported_.add(static_cast<double>(spans));
    if (!std::exchange(told_, {}).empty()) use_.log.info("spans are exported again");
    return;
  }
  failures_.add();
  if (outcome == Outcome::kRefused) refused_.add(static_cast<double>(spans));
  if (told_ == trouble) return;
  told_ = trouble;
  use_.log.warning(outcome == Outcome::kRefused ? "the collector refuses spans" : "spans cannot be exported; trying again",
                   {{"cause", trouble}});
}

}  // namespace scalestyle::telemetry
