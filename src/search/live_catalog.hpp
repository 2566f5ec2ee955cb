#pragma once
// LiveCatalog: changes of articles while the catalogue is served. A change is answered once it is on disk and, where that
// takes no longer than a bound, once it is visible to every request that begins then.
//
// Two threads, given by apps/. write() takes what waits, decides it, has it written in one transaction, and publishes
// what are states of served rows (price, availability, removal): milliseconds. New articles and new texts wait for build(),
// which makes catalogue and index anew from all changes so far, one at a time: about a second for 10⁵ articles. What
// comes meanwhile is laid over its result before that is published, so no change is ever undone by a later state.
// A new base (an ingest) is taken over by write() too, so nothing else happens meanwhile.
//
// Where other servers change the same articles (CatalogChanges::shared()), write() reads what they did before it decides
// anything, and at least once in follow_interval. A change is kept only while nobody made another one meanwhile; else it is
// decided anew.
// So all servers decide by one order of changes, and come to the same articles.
//
// Vectors of new texts are made by the encoder before the change is written, with it kept, and searched beside the index.
//
// Thread safety: change() and switch_base() from any thread; write() and build() from one thread each. Stop it while the
// pool's and the timers' threads still run; destroy it after them.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "ports/catalog_changes.hpp"
#include "ports/text_encoder.hpp"
#include "search/live_state.hpp"
#include "search/snapshot_holder.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

struct LiveCatalogOptions {
  std::chrono::milliseconds deadline{10'000};      // of a request, embedding included
  std::chrono::milliseconds visible_wait{3'000};   // an answer waits this long for what it keeps to be visible
  std::size_t max_changes_waiting = 10'000;        // in queued requests; more are refused
  std::size_t max_new_texts = 20'000;              // articles whose vector is not in the index, until the next ingest
  std::chrono::milliseconds follow_interval{500};  // how often other servers' changes are looked for
};

struct ChangeRequest {
  std::vector<catalog::ArticleChange> changes{};  // at most kMaxChanges, in order
  core::Deadline deadline = core::Deadline::never();
};
inline constexpr std::size_t kMaxChanges = 500;

struct ChangeAnswer {
  std::int64_t sequence = 0;  // of the last change
  bool visible = false;
};

struct ChangeFailure {
  core::Error error{};
  std::optional<std::size_t> operation{};  // the change at fault
  ports::AppendOutcome outcome = ports::AppendOutcome::kNotKept;
};

using ChangeOutcome = std::expected<ChangeAnswer, ChangeFailure>;

class LiveCatalog final : public BaseFollower {
 public:
  struct Dependencies {
    SnapshotHolder& generations;
    ports::CatalogChanges& changes;
    ports::TextEncoder& encoder;  // of documents: in the precision that the base's vectors have
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
  };

  // Takes over publishing from `generations`.
  LiveCatalog(Dependencies dependencies, LiveCatalogOptions options);
  LiveCatalog(const LiveCatalog&) = delete;
  LiveCatalog& operator=(const LiveCatalog&) = delete;

  // Run until stop().
  void write();
  void build();
  void stop();

  // Keeps all changes of the request or none. Failures: kInvalidArgument with the column as field, kNotFound (a patch or
  // delete of an article that there is none of), kResourceExhausted (too many wait; too many new texts or changes are
  // kept: ingest), kFailedPrecondition (the base's vectors are of another encoder), kUnavailable, kDeadlineExceeded.
  [[nodiscard]] core::Task<ChangeOutcome> change(ChangeRequest request);

  [[nodiscard]] core::Task<core::Status> switch_base(std::shared_ptr<const ports::CatalogSnapshot> base,
                                                     core::Deadline deadline) override;

  [[nodiscard]] const LiveCatalogOptions& options() const { return options_; }

 private:
  struct Waiter;
  struct Switch;
  struct Built {
    core::Result<ServingGeneration::Parts> parts;
    std::int64_t through = 0;
    std::uint64_t epoch = 0;
  };
  struct Turn {
    std::deque<std::shared_ptr<Waiter>> waiters{};
    std::shared_ptr<Switch> base{};
    std::optional<Built> built{};
  };
  struct Round;
  using Vectors = std::unordered_map<catalog::TextHash, std::shared_ptr<const std::vector<float>>>;

  // live_catalog.cpp: what callers do, and the threads' loops.
  [[nodiscard]] core::Status enqueue(const std::shared_ptr<Waiter>& waiter);
  [[nodiscard]] core::Task<core::Status> embed_ahead(const std::vector<catalog::ArticleChange>& changes, Vectors& vectors,
                                                     core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> embed(std::vector<NewText> texts, Vectors& vectors, core::Deadline deadline);
  [[nodiscard]] bool next_turn(Turn& turn);
  void refuse_all();

  // live_catalog_turn.cpp: on write()'s thread.
  void perform(Turn& turn);
  void take_built(Built& built);
  [[nodiscard]] core::Status take_base(Switch& wanted);
  [[nodiscard]] core::Result<std::unique_ptr<LiveState>> replay(const std::shared_ptr<const ports::CatalogSnapshot>& base,
                                                                core::Deadline deadline);
  [[nodiscard]] core::Status find_vectors(LiveState& state, core::Deadline deadline);
  void decide(const std::deque<std::shared_ptr<Waiter>>& waiters);
  // False when other servers made changes meanwhile: nothing is decided.
  [[nodiscard]] bool decide_once(const std::deque<std::shared_ptr<Waiter>>& waiters);
  void consider(const std::shared_ptr<Waiter>& waiter, Round& round);
  [[nodiscard]] core::Status complete_vectors(Round& round);
  [[nodiscard]] core::Status check_encoder(const ports::CatalogSnapshot& base) const;
  [[nodiscard]] bool keep(Round& round);  // false as decide_once()
  [[nodiscard]] bool is_shown(const Waiter& waiter) const;
  void show(ServingGeneration::Parts parts, std::span<const catalog::ArticleId> articles, bool always);
  void settle_shown();
  void order_build();

  // live_catalog_follow.cpp: the same, of other servers' changes.
  [[nodiscard]] core::Status follow();
  [[nodiscard]] core::Status take_changes(const std::vector<ports::LoggedChange>& changes, std::set<catalog::ArticleId>& changed);
  [[nodiscard]] core::Status find_texts(const std::vector<NewText>& wanted, Vectors& vectors);

  Dependencies use_;
  LiveCatalogOptions options_;
  telemetry::Counter kept_;
  telemetry::Counter followed_;
  telemetry::Gauge changed_articles_;
  telemetry::Gauge new_texts_;
  telemetry::Gauge unshown_articles_;
  telemetry::Histogram build_seconds_;

  std::mutex mutex_;
  std::condition_variable wake_writer_;
  std::condition_variable wake_builder_;
  std::deque<std::shared_ptr<Waiter>> waiting_;  // guarded by mutex_, as all below
  std::size_t changes_waiting_ = 0;
  std::shared_ptr<Switch> base_waiting_;
  std::optional<Built> built_;
  std::shared_ptr<const BuildJob> job_;
  bool stopping_ = false;

  // Touched by write() alone.
  std::unique_ptr<LiveState> state_;
  std::uint64_t epoch_ = 0;
  bool building_ = false;
  bool build_failed_ = false;  // of the changes so far
  std::set<catalog::ArticleId> unshown_;
  std::vector<std::shared_ptr<Waiter>> hoping_;  // kept, not all visible
  std::string logged_follow_error_;
};

}  // namespace scalestyle::search
