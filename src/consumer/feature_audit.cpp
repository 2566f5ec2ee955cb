#include "consumer/feature_audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <thread>
#include <tuple>
#include <optional>
#include <utility>

#include "core/task.hpp"
#include "events/feature_difference.hpp"

namespace scalestyle::consumer {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPageEvents = 5'000;
constexpr auto kPollWait = 200ms;

using Counting = std::pair<events::EpochMs, const events::LoggedEvent*>;

// By receipt; a subject's event is taken to be received no earlier than the one before it in the log.
std::vector<Counting> with_times(const std::vector<events::LoggedEvent>& log) {
  std::map<std::string, events::EpochMs> newest;
  std::vector<Counting> times;
  times.reserve(log.size());
  for (const auto& event : log) {
    events::EpochMs& at = newest[event.event.subject().key()];
    at = std::max(at, event.event.received_time_ms);
    times.emplace_back(at, &event);
  }
  std::ranges::stable_sort(times, {}, &Counting::first);
  return times;
}

void add_subjects(const events::Event& event, std::set<events::Subject>& subjects) {
  if (event.user_id) subjects.insert(events::Subject::user(*event.user_id));
  if (event.session_id) subjects.insert(events::Subject::session(*event.session_id));
}

std::map<std::string, events::ItemPopularity> by_item(std::vector<events::ItemPopularity> items) {
  std::map<std::string, events::ItemPopularity> found;
  for (auto& item : items) {
    std::string id = item.item_id;
    found.emplace(std::move(id), std::move(item));
  }
  return found;
}

}  // namespace

std::vector<events::LoggedEvent> in_order_of_effect(std::vector<events::LoggedEvent> log, const std::set<std::string>& left_out,
                                                    AuditReport& report) {
  std::ranges::stable_sort(log, {}, [](const events::LoggedEvent& event) {
    return std::tie(event.position.partition, event.position.offset);
  });
  std::set<std::pair<std::string, std::string>> seen;
  std::vector<events::LoggedEvent> effective;
  for (const auto& [time, event] : with_times(log)) {
    if (!event->event.event_id.empty() && !seen.emplace(event->event.subject().key(), event->event.event_id).second) {
      ++report.duplicates;
    } else if (left_out.contains(event->event.event_id)) {
      ++report.left_out;
    } else {
      ++report.events;
      effective.push_back(*event);
    }
  }
  return effective;
}

core::Status FeatureAudit::read(std::chrono::milliseconds quiet, core::Deadline deadline) {
  auto last_came = use_.clock.steady_now();
  while (use_.clock.steady_now() - last_came < quiet || use_.stream.lag() > 0) {
    if (deadline.expired(use_.clock)) return core::fail(core::ErrorCode::kDeadlineExceeded, "the log grows faster than it is read");
    auto batch = core::sync_wait(use_.stream.poll(kPageEvents, core::Deadline::after(kPollWait, use_.clock)));
    if (!batch) return std::unexpected(std::move(batch).error());
    if (batch->empty()) continue;
    last_came = use_.clock.steady_now();
    undecodable_ += batch->undecodable.size();
    if (log_.size() + batch->events.size() > request_.max_events) {
      return core::fail(core::ErrorCode::kResourceExhausted, fmt::format("the log has more than {} events", request_.max_events));
    }
    for (auto& event : batch->events) event.delivery.bytes.reset();
    std::ranges::move(batch->events, std::back_inserter(log_));
  }
  return {};
}

core::Status FeatureAudit::rebuild() {
  if (rebuilt_ && rebuilt_events_ == log_.size()) return {};
  counts_ = AuditReport();
  subjects_.clear();
  rebuilt_.reset();
  const auto file = request_.work / fmt::format("audit-{}.db", ++rebuilds_);
  CORE_TRY(rebuilt_, Store::open(file, request_.features, environment_));
  auto effective = in_order_of_effect(log_, request_.left_out, counts_);
  std::set<std::string> missing = request_.expected;
  for (std::size_t i = 0; i < effective.size(); ++i) {
    add_subjects(effective[i].event, subjects_);
    missing.erase(effective[i].event.event_id);
    // The store passes over what is not beyond its position: its places are those of this order.
    effective[i].position = {"audit", 0, static_cast<std::int64_t>(i) + 1};
    effective[i].delivery = {};
  }
  counts_.missing = missing.size();
  for (const auto& id : missing) {
    if (counts_.missing_ids.size() < request_.max_told) counts_.missing_ids.push_back(id);
  }
  const auto batch = std::make_shared<const std::vector<events::LoggedEvent>>(std::move(effective));
  const auto applied = core::sync_wait(rebuilt_->apply(batch, core::Deadline::never()));
  if (!applied) return std::unexpected(applied.error());
  rebuilt_events_ = log_.size();
  return {};
}

void FeatureAudit::tell(AuditReport& report, std::string what) const {
  ++report.different;
  if (report.differences.size() < request_.max_told) report.differences.push_back(std::move(what));
}

core::Status FeatureAudit::compare_subjects(AuditReport& report, core::Deadline deadline) {
  for (const events::Subject& subject : subjects_) {
    ++report.subjects;
    const auto wanted = core::sync_wait(rebuilt_->read(subject, core::Deadline::never()));
    if (!wanted) return std::unexpected(wanted.error());
    const auto found = core::sync_wait(use_.store.read(subject, deadline));
    if (!found) {
      if (found.error().code != core::ErrorCode::kDataLoss) return std::unexpected(found.error());
      tell(report, subject.key() + ": " + found.error().message);
      continue;
    }
    const double half_life = request_.features.affinity_half_life_seconds;
    if (auto what = events::difference(wanted->features, found->features, half_life, request_.tolerance)) {
      tell(report, subject.key() + ": " + *what);
    }
  }
  return {};
}

core::Status FeatureAudit::compare_items(AuditReport& report, core::Deadline deadline) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(use_.clock.wall_now().time_since_epoch()).count();
  const double half_life = request_.features.global_half_life_seconds;
  auto here = core::sync_wait(rebuilt_->popularity(0, now, core::Deadline::never()));
  if (!here) return std::unexpected(std::move(here).error());
  auto there = core::sync_wait(use_.store.popularity(0, now, deadline));
  if (!there) return std::unexpected(std::move(there).error());
  const auto wanted = by_item(std::move(here->items));
  auto found = by_item(std::move(there->items));
  for (const auto& [id, item] : wanted) {
    const auto other = found.find(id);
    if (other == found.end()) {
      if (!events::is_worth_anything(item, now, half_life)) continue;
      ++report.items;
      tell(report, "item " + id + ": only in the log");
      continue;
    }
    ++report.items;
    if (auto what = events::difference(item, other->second, half_life, request_.tolerance)) tell(report, "item " + id + ": " + *what);
    found.erase(other);
  }
  for (const auto& [id, item] : found) {
    if (!events::is_worth_anything(item, now, half_life)) continue;
    ++report.items;
    tell(report, "item " + id + ": only in the store");
  }
  return {};
}

core::Result<AuditReport> FeatureAudit::compare(core::Deadline deadline) {
  CORE_CHECK(rebuild());
  AuditReport report = counts_;
  report.undecodable = undecodable_;
  CORE_CHECK(compare_subjects(report, deadline));
  CORE_CHECK(compare_items(report, deadline));
  return report;
}

core::Result<AuditReport> FeatureAudit::run(std::chrono::milliseconds pause, core::Deadline deadline) {
  const auto may_pass = [](const core::Error& error) {
    return error.code == core::ErrorCode::kUnavailable || error.code == core::ErrorCode::kDeadlineExceeded;
  };
  std::optional<AuditReport> last;  // what the time that is left is too short to look at again
  while (true) {
    const auto status = read(pause, deadline);
    auto report = status ? compare(deadline) : core::Result<AuditReport>(std::unexpected(status.error()));
    const bool final = report ? report->sound() : !may_pass(report.error());
    if (final) return report;
    if (report) last = std::move(*report);
    if (core::Deadline::after(2 * pause, use_.clock).time() >= deadline.time()) {
      if (last) return std::move(*last);
      return report;
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace scalestyle::consumer
