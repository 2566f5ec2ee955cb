#pragma once
// PatientVectorIndex: a VectorIndex of another server that may be away. A generation whose vectors cannot be opened now, since
// the server is away or does not have them yet, counts as open all the same, so that it is served by what works without:
// its searches fail (kUnavailable, the cause named) until one of the tries that follow succeeds. A generation that does not
// fit (kFailedPrecondition, kDataLoss …) is refused as ever. Answers come on the compute pool, not on the thread of the
// server's connections, unless the pool takes no more.
//
// Thread safety: every method may be called from any thread. Destroy it after the timers' thread and that of `index` ended.

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "ports/vector_index.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::search {

class PatientVectorIndex final : public ports::VectorIndex {
 public:
  struct Options {
    std::chrono::milliseconds first_wait{10'000};   // for an open() before it goes on without
    std::chrono::milliseconds try_again{1'000};     // pause between tries
    std::chrono::milliseconds open_deadline{120'000};
  };
  struct Dependencies {
    ports::VectorIndex& index;
    core::WorkerPool& pool;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Logger& log;
  };

  PatientVectorIndex(Dependencies dependencies, Options options) : use_(dependencies), options_(options) {}
  PatientVectorIndex(const PatientVectorIndex&) = delete;
  PatientVectorIndex& operator=(const PatientVectorIndex&) = delete;

  // No further try begins.
  void stop();

  [[nodiscard]] core::Task<core::Status> open(core::GenerationId generation, core::Deadline deadline) override;
  void close(const core::GenerationId& generation) override;
  [[nodiscard]] core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId generation,
                                                                               std::vector<ports::VectorQuery> queries,
                                                                               core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId generation, catalog::ArticleId article,
                                                                       core::Deadline deadline) override;

  // Why a generation that is served is not open; empty when all are.
  [[nodiscard]] std::string trouble() const;

 private:
  [[nodiscard]] std::string cause_of(const core::GenerationId& generation) const;  // empty: open
  void arm();
  void try_all();
  core::Task<core::Status> open_waiting();

  Dependencies use_;
  const Options options_;
  mutable std::mutex mutex_;
  std::set<core::GenerationId> held_;                  // guarded by mutex_, as all below: opened and not closed
  std::map<core::GenerationId, std::string> waiting_;  // of them, those that are not open, and why
  bool armed_ = false;
  bool stopping_ = false;
};

}  // namespace scalestyle::search
