#include "crash/verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

#include "adapters/embedded/event_log_reader.hpp"
#include "consumer/event_verify.hpp"
#include "consumer/rebuild.hpp"
#include "core/task.hpp"
#include "crash/oracle.hpp"
#include "support/temporary_folder.hpp"
#include "crash/victim.hpp"

namespace scalestyle::crash {
namespace {

namespace embedded = adapters::embedded;
using events::Event;
using events::EventType;

constexpr auto kPatience = std::chrono::seconds(60);

core::Deadline soon() { return core::Deadline::at(std::chrono::steady_clock::now() + kPatience); }

// One verification; each step throws what does not hold.
class Verification {
 public:
  Verification(const Plan& plan, const Ledger& ledger, const VerificationOptions& options)
      : plan_(plan), ledger_(ledger.copy()), options_(options), entries_(plan.all_entries()) {
    std::filesystem::copy(options.stack.folder, folder_ / "data", std::filesystem::copy_options::recursive);
    killed_ = std::exchange(options_.stack.folder, folder_ / "data");
  }

  // The folder as the killed process left it, and as it is now.
  void keep(const std::filesystem::path& target) const {
    std::filesystem::create_directories(target);
    std::filesystem::copy(killed_, target / "killed", std::filesystem::copy_options::recursive);
    std::filesystem::copy(options_.stack.folder, target / "verified", std::filesystem::copy_options::recursive);
  }

  void run() {
    open();
    send_again();
    collect();
    compare_log();
    compare_features();
    wait_erased();
    stack_->close();
    compare_with_rebuild();
    stack_.reset();
    verify_files();
    restart();
  }

 private:
  [[noreturn]] static void fail(std::string what) { throw std::runtime_error(std::move(what)); }
  template <class T>
  static T value(core::Result<T> result, std::string_view what) {
    if (!result) fail(fmt::format("{}: {}", what, result.error().message));
    return std::move(*result);
  }

  void open() { stack_ = value(EventStack::open(options_.stack, clock_), "start"); }

  void send_again() {
    for (std::size_t appender = 0; appender < plan_.appenders.size(); ++appender) {
      const std::size_t first = first_open_batch(plan_, *ledger_, appender);
      if (first == plan_.appenders[appender].size()) continue;
      const auto& batch = plan_.appenders[appender][first];
      if (!ledger_->was_sent(batch.first_entry)) continue;
      if (const std::string problem = send_batch(*stack_, batch, *ledger_); !problem.empty()) fail("send again: " + problem);
    }
  }

  // What was acknowledged, in the log's order.
  void collect() {
    std::unordered_map<std::string, std::int64_t> offsets;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto offset = ledger_->offset(i);
      if (!offset) continue;
      const Event& event = *entries_[i];
      const auto [known, is_new] = offsets.try_emplace(event.event_id, *offset);
      if (!is_new && known->second != *offset) {
        fail(fmt::format("event {} was acknowledged at {} and at {}", event.event_id, known->second, *offset));
      }
      const auto [place, is_free] = acknowledged_.try_emplace(*offset, &event);
      if (!is_free && place->second->event_id != event.event_id) {
        fail(fmt::format("events {} and {} were acknowledged at one offset", place->second->event_id, event.event_id));
      }
    }
    for (const auto& [offset, event] : acknowledged_) {
      if (event->type == EventType::kForget) barriers_[event->subject()] = offset;
      if (event->type == EventType::kMerge) merges_[events::Subject::session(*event->session_id)][offset] = event->subject();
    }
    if (!acknowledged_.empty()) {
      const auto applied = value(core::sync_wait(stack_->features().wait_applied(
                                     {stack_->log().name(), 0, acknowledged_.rbegin()->first}, soon())), "wait_applied");
      if (!applied.reached) fail("the last acknowledged event does not take effect");
    }
  }

  // Of a forgotten user, a session's events up to its merge too, from the merge before that one on.
  [[nodiscard]] bool is_forgotten(const Event& event, std::int64_t offset) const {
    if (const auto barrier = barriers_.find(event.subject()); barrier != barriers_.end()) return offset <= barrier->second;
    const auto merges = merges_.find(event.subject());
    if (merges == merges_.end()) return false;
    const auto merge = merges->second.upper_bound(offset);
    if (merge == merges->second.end()) return false;
    const auto barrier = barriers_.find(merge->second);
    return barrier != barriers_.end() && merge->first < barrier->second;
  }

  // Retention goes on while the log is read.
  void compare_log() {
    auto reader = value(embedded::EventLogReader::open(options_.stack.folder), "read the log");
    std::int64_t at = value(reader.removed_through(), "removed_through");
    auto expected = acknowledged_.upper_bound(at);
    for (auto removed = acknowledged_.begin(); removed != expected; ++removed) demand_old(removed->first);
    while (true) {
      const auto page = value(reader.read_page(at, 1'000), "read_page");
      if (!page.undecodable.empty()) fail("undecodable: " + page.undecodable[0].problem);
      if (page.end()) break;
      for (const auto& [position, event, delivery] : page.events) {
        for (; expected != acknowledged_.end() && expected->first < position.offset; ++expected) demand_gone(reader, expected->first);
        if (expected == acknowledged_.end() || expected->first > position.offset) {
          fail(fmt::format("offset {} holds event {} that was not acknowledged", position.offset, event.event_id));
        }
        compare(event, *expected->second, position.offset);
        ++expected;
      }
      at = page.last_offset;
    }
    for (; expected != acknowledged_.end(); ++expected) demand_gone(reader, expected->first);
  }
  // Of a forgotten subject, what counts for nobody else may be removed whole; anything by retention.
  void demand_gone(embedded::EventLogReader& reader, std::int64_t offset) const {
    const Event& event = *acknowledged_.at(offset);
    if (!events::concerns_item(event.type) && event.type != EventType::kForget && is_forgotten(event, offset)) return;
    const std::int64_t removed = value(reader.removed_through(), "removed_through");
    if (offset > removed) fail(fmt::format("event {}, acknowledged at {}, is lost; removed through {}", event.event_id, offset, removed));
    demand_old(offset);
  }
  void demand_old(std::int64_t offset) const {
    const Event& event = *acknowledged_.at(offset);
    const auto age_ms = ledger_->now_ms() - event.received_time_ms;
    if (age_ms > options_.stack.retention.count()) return;
    fail(fmt::format("event {} at {} was removed at the age of {} ms, before retention lets it go", event.event_id, offset, age_ms));
  }
  void compare(const Event& actual, const Event& sent, std::int64_t offset) const {
    if (!is_forgotten(sent, offset)) {
      if (actual != sent) fail(fmt::format("event {} at {} is not what was sent", sent.event_id, offset));
      return;
    }
    if (sent.type == EventType::kForget) return;
    if (actual.user_id || actual.session_id || !actual.query.empty() || !actual.request_id.empty()) {
      fail(fmt::format("offset {} still tells of a forgotten subject", offset));
    }
    if (events::concerns_item(sent.type) &&
        (actual.type != sent.type || actual.item_id != sent.item_id || actual.category != sent.category ||
         actual.weight != sent.weight || actual.event_time_ms != sent.event_time_ms)) {
      fail(fmt::format("offset {} lost what counts for popularity", offset));
    }
  }

  void compare_features() {
    if (options_.has_bounds) return;
    Oracle oracle(options_.stack.features);
    for (const auto& [offset, event] : acknowledged_) oracle.add(*event);
    const events::EpochMs now_ms = ledger_->now_ms();
    for (const auto& subject : oracle.subjects()) {
      const auto snapshot = value(core::sync_wait(stack_->features().read(subject, soon())), "read");
      if (const auto wrong = oracle.compare(subject, snapshot.features, now_ms); !wrong.empty()) fail(wrong + life_of(subject));
    }
    const auto changes = value(core::sync_wait(stack_->features().popularity(0, now_ms, soon())), "popularity");
    if (!changes.complete) fail("popularity from nothing is not complete");
    std::map<std::string, const events::ItemPopularity*> popular;
    for (const auto& item : changes.items) popular[item.item_id] = &item;
    for (const auto& item : oracle.items()) {
      const auto found = popular.find(item);
      const auto wrong = oracle.compare(item, found == popular.end() ? nullptr : found->second, now_ms);
      if (!wrong.empty()) fail(wrong);
    }
    if (popular.size() > oracle.items().size()) fail("popularity of an item without an event");
  }

  // Where what concerns the subject as a whole is in the log, for whoever has to find out.
  [[nodiscard]] std::string life_of(const events::Subject& subject) const {
    std::string life = "; its life:";
    for (const auto& [offset, event] : acknowledged_) {
      const bool is_merged = event->type == EventType::kMerge && events::Subject::session(*event->session_id) == subject;
      if (event->subject() != subject && !is_merged) continue;
      if (!events::concerns_item(event->type)) life += fmt::format(" {} of {} at {}", events::to_string(event->type), event->subject().key(), offset);
    }
    return life + fmt::format(" … {}", acknowledged_.rbegin()->first);
  }

  void wait_erased() {
    auto reader = value(embedded::EventLogReader::open(options_.stack.folder), "read the log");
    const std::int64_t removed = value(reader.removed_through(), "removed_through");
    for (const auto& [subject, offset] : barriers_) {
      if (offset <= removed) continue;
      const auto state = value(core::sync_wait(stack_->log().wait_erased({stack_->log().name(), 0, offset}, soon())), "wait_erased");
      if (state != ports::ErasureState::kErased) fail(fmt::format("{} is not erased", subject.key()));
    }
  }

  // As `scalestyle events rebuild` and `verify` do it; the stack's threads have ended.
  void compare_with_rebuild() const {
    const support::TemporaryFolder work;
    const core::SystemClock clock;
    core::WorkerPool pool({.threads = 1, .queue_capacity = 1}, clock);
    core::TimerQueue timers(clock);
    telemetry::Metrics metrics;
    const embedded::MemoryFeatureStore::Environment environment{.pool = pool, .timers = timers, .clock = clock, .metrics = metrics};
    const auto& features = options_.stack.features;
    auto rebuild = value(consumer::FeatureRebuild::open({options_.stack.folder, work.path(), features}, environment), "rebuild");
    const auto rebuilt = value(rebuild.rebuild({}), "rebuild");
    if (rebuilt.undecodable > 0) fail("rebuild met records that are no events");
    if (const auto difference = embedded::first_difference(stack_->features(), *rebuilt.store, consumer::kRebuildTolerance)) {
      fail("live and rebuilt: " + *difference);
    }
    const support::TemporaryFolder more_work;
    const auto report = value(consumer::verify_events(options_.stack.folder, more_work.path(), features, environment), "verify");
    for (const auto* problems : {&report.problems, &report.log.problems}) {
      if (!problems->empty()) fail("verify: " + problems->front());
    }
  }

  void verify_files() const {
    std::set<std::string> forgotten;
    for (const auto& [subject, offset] : barriers_) forgotten.insert(subject.id);
    for (const auto& file : std::filesystem::recursive_directory_iterator(options_.stack.folder)) {
      if (!file.is_regular_file()) continue;
      std::ifstream stream(file.path(), std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(stream), {});
      for (const std::string_view kind : {"user-", "session-"}) {
        for (std::size_t place = 0; (place = bytes.find(kind, place)) != std::string::npos; ++place) {
          const std::size_t end = bytes.find('z', place);
          if (end != std::string::npos && forgotten.contains(bytes.substr(place, end + 1 - place))) {
            fail(fmt::format("{} is still in {}", bytes.substr(place, end + 1 - place), file.path().filename().string()));
          }
        }
      }
    }
  }

  // From the checkpoint that the graceful end made.
  void restart() {
    open();
    stack_->close();
    compare_with_rebuild();
    stack_.reset();
  }

  const Plan& plan_;
  std::unique_ptr<Ledger> ledger_;
  VerificationOptions options_;
  std::filesystem::path killed_;
  std::vector<const Event*> entries_;
  support::TemporaryFolder folder_;
  GivenWallClock clock_{[this] { return ledger_->now_ms(); }};
  std::unique_ptr<EventStack> stack_;
  std::map<std::int64_t, const Event*> acknowledged_;
  std::map<events::Subject, std::int64_t> barriers_;
  std::map<events::Subject, std::map<std::int64_t, events::Subject>> merges_;  // session → offset → user
};

}  // namespace

std::string verify(const Plan& plan, const Ledger& ledger, const VerificationOptions& options) {
  Verification verification(plan, ledger, options);
  try {
    verification.run();
  } catch (const std::exception& failure) {
    if (const char* folder = std::getenv("CRASH_KEEP"); folder != nullptr) verification.keep(folder);
    return failure.what();
  }
  return {};
}

}  // namespace scalestyle::crash
