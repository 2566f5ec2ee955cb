#pragma once
// RefreshLoop: keeps a SnapshotHolder at the current generation, a SynonymFile, a RuleFile and a RankerFile at their files, and suggestions
// at what is asked, by polling on a TimerQueue.
// Each round waits for the one before it. Switches and the first failure of a row are logged. A generation that cannot be loaded is
// tried again after pauses that double, from one interval to `longest_pause`: reading it may cost seconds; files are followed meanwhile.
//
// Thread safety: start() and stop() from one thread. Destroy it after the TimerQueue's and the pool's threads ended.

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.hpp"
#include "search/snapshot_holder.hpp"
#include "core/timer_queue.hpp"
#include "recommend/ranker_file.hpp"
#include "search/rule_file.hpp"
#include "search/suggest_service.hpp"
#include "search/synonym_file.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::search {

class RefreshLoop {
 public:
  struct Options {
    std::chrono::milliseconds interval{250};
    std::chrono::milliseconds load_deadline{120'000};  // of one refresh, loading included
    std::chrono::milliseconds longest_pause{2'000};    // between two refreshes that fail; a shorter one than `interval` counts as that
  };
  struct Dependencies {
    SnapshotHolder& holder;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Logger& log;
    SynonymFile* synonyms = nullptr;  // null: none
    RuleFile* rules = nullptr;        // null: none
    recommend::RankerFile* ranker = nullptr;  // null: none
    SuggestService* suggest = nullptr;  // null: none
    std::function<void()> follow_others{};  // once a round, for what others keep at a file; must not wait. Empty: nothing
  };

  RefreshLoop(Dependencies dependencies, Options options) : use_(std::move(dependencies)), options_(options) {}
  ~RefreshLoop() { stop(); }
  RefreshLoop(const RefreshLoop&) = delete;
  RefreshLoop& operator=(const RefreshLoop&) = delete;

  // The first round begins one interval from now.
  void start();
  // No round begins afterwards; one in progress goes on to its end.
  void stop() { stopping_.store(true); }

 private:
  void arm();
  void refresh();
  void finished(const core::Result<RefreshOutcome>& outcome);
  // What is not in the holder: files, suggestions, others. Then the next round is armed.
  void follow_the_rest();
  // One round of following a file; what is wrong with it is logged once.
  template <class File, class Describe>
  void follow(File* file, std::string_view what, std::string& logged_error, const Describe& log_read);

  Dependencies use_;
  Options options_;
  std::atomic<bool> stopping_{false};
  // Touched by one round at a time.
  std::chrono::milliseconds pause_{0};  // after the last failure; 0: it did not fail
  core::SteadyTime refresh_again_{};
  std::string logged_error_;
  std::string logged_synonyms_error_;
  std::string logged_rules_error_;
  std::string logged_ranker_error_;
};

}  // namespace scalestyle::search
