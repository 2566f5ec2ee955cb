#include "crash/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <utility>

namespace scalestyle::crash {
namespace {

using events::EpochMs;
using events::Event;
using events::EventType;

constexpr std::size_t kItems = 18;                 // × 4 types stays below the 100 recent items of a subject
constexpr std::size_t kSharedSubjects = 3;
constexpr std::size_t kRepeatWindow = 20;          // batches; far less than what retention keeps
constexpr EpochMs kLateMs = 3 * 3'600'000;
constexpr std::array kCategories{"Dress", "Trousers", "Sweater", "Boots", "Scarf"};

struct Weighted {
  EventType type;
  double weight;
};
constexpr std::array kKinds{Weighted{EventType::kClick, 1.0}, Weighted{EventType::kView, 0.3},
                            Weighted{EventType::kAddToCart, 3.0}, Weighted{EventType::kPurchase, 5.0}};

// One appender's batches, made in order.
class Writer {
 public:
  Writer(const PlanOptions& options, std::size_t appender)
      : options_(options), appender_(appender), random_(options.seed * 1'000 + appender) {
    for (std::size_t i = 0; i < 6; ++i) users_.push_back(new_name("user"));
    for (std::size_t i = 0; i < 6; ++i) sessions_.push_back(new_name("session"));
  }

  PlannedBatch next() {
    now_ms_ = options_.start_ms + static_cast<EpochMs>(batches_.size()) * options_.step_ms;
    PlannedBatch batch{.events = make_events(), .first_entry = 0, .now_ms = now_ms_};
    batches_.push_back(batch.events);
    return batch;
  }

 private:
  std::vector<Event> make_events() {
    const int choice = uniform(0, 99);
    if (batches_.size() % 16 == 15) return {twin()};
    if (choice < 55) return {item_event()};
    if (choice < 75) return item_events(uniform(2, 20));
    if (choice < 83 && !batches_.empty()) return repeated();
    if (choice < 87) return with_one_twice();
    if (choice < 91) return {merge()};
    if (choice < 94) return {preferences()};
    if (choice < 96) return {forget()};
    return item_events(uniform(20, choice < 99 ? 60 : 200));
  }

  int uniform(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  std::size_t index(std::size_t size) { return static_cast<std::size_t>(uniform(0, static_cast<int>(size) - 1)); }
  std::string new_name(std::string_view kind) {
    return fmt::format("{}-{:x}-{}-{}z", kind, options_.seed, appender_, names_++);  // z: no name is part of another
  }

  Event plain(EventType type) {
    Event event;
    event.type = type;
    event.received_time_ms = now_ms_;
    event.event_time_ms = now_ms_;
    return event;
  }
  void name(Event& event) { event.event_id = fmt::format("{}/{}.{}", event.subject().id, appender_, ids_++); }

  Event item_event() {
    const auto& kind = kKinds[uniform(0, 9) < 7 ? 0 : index(kKinds.size())];
    Event event = plain(kind.type);
    event.weight = kind.weight;
    const int late = uniform(0, 19);
    event.event_time_ms -= late == 0 ? uniform(0, static_cast<int>(kLateMs)) : late < 10 ? uniform(0, 5'000) : 0;
    const std::size_t item = index(kItems);
    event.item_id = fmt::format("{:010}", 1'000 + item);
    event.category = kCategories[item % kCategories.size()];
    event.source = events::EventSource::kSearch;
    const int whose = uniform(0, 9);
    if (whose < 5) event.user_id = core::UserId(users_[index(users_.size())]);
    if (whose < 2) event.session_id = core::SessionId("visit of " + event.user_id->value());
    if (whose >= 5 && whose < 9) event.session_id = core::SessionId(sessions_[index(sessions_.size())]);
    if (whose == 9) event.user_id = core::UserId(fmt::format("everyone-{}", index(kSharedSubjects)));
    event.query = "asked by " + event.subject().id;
    event.request_id = "shown-to-" + event.subject().id;
    event.position = static_cast<std::uint32_t>(uniform(0, 50));
    name(event);
    return event;
  }
  std::vector<Event> item_events(int count) {
    std::vector<Event> made;
    for (int i = 0; i < count; ++i) made.push_back(item_event());
    return made;
  }

  // The same event is sent by all appenders at about the same time.
  Event twin() {
    const std::size_t number = batches_.size() / 16;
    Event event = plain(EventType::kClick);
    event.weight = 1;
    event.user_id = core::UserId(fmt::format("everyone-{}", number % kSharedSubjects));
    event.item_id = fmt::format("{:010}", 1'000 + number % kItems);
    event.category = kCategories[number % kItems % kCategories.size()];
    event.event_id = fmt::format("twin-{:x}-{}", options_.seed, number);
    return event;
  }
  // An earlier batch again.
  std::vector<Event> repeated() {
    const std::size_t window = std::min(batches_.size(), kRepeatWindow);
    return batches_[batches_.size() - 1 - index(window)];
  }
  std::vector<Event> with_one_twice() {
    auto made = item_events(uniform(2, 6));
    made.push_back(made[index(made.size())]);
    return made;
  }
  Event merge() {
    Event event = plain(EventType::kMerge);
    event.user_id = core::UserId(users_[index(users_.size())]);
    // The merge belongs to the user and names the session; so the session may go on, but is not forgotten by itself.
    std::string& session = sessions_[index(sessions_.size())];
    event.session_id = core::SessionId(session);
    if (uniform(0, 1) == 0) {
      session = new_name("session");
    } else {
      merged_.insert(session);
    }
    name(event);
    return event;
  }
  Event preferences() {
    Event event = plain(EventType::kPreferences);
    event.user_id = core::UserId(users_[index(users_.size())]);
    event.personalize = uniform(0, 1) == 1;
    name(event);
    return event;
  }
  // The subject is never used again.
  Event forget() {
    Event event = plain(EventType::kForget);
    if (uniform(0, 1) == 0) {
      event.user_id = core::UserId(std::exchange(users_[index(users_.size())], new_name("user")));
    } else {
      const auto open = std::ranges::find_if(sessions_, [this](const auto& id) { return !merged_.contains(id); });
      if (open == sessions_.end()) return preferences();
      event.session_id = core::SessionId(std::exchange(*open, new_name("session")));
    }
    name(event);
    return event;
  }

  PlanOptions options_;
  std::size_t appender_;
  std::mt19937_64 random_;
  std::vector<std::string> users_;
  std::vector<std::string> sessions_;
  std::set<std::string> merged_;  // of sessions_
  std::vector<std::vector<Event>> batches_;
  EpochMs now_ms_ = 0;
  std::size_t names_ = 0;
  std::size_t ids_ = 0;
};

}  // namespace

Plan make_plan(const PlanOptions& options) {
  Plan plan{.options = options, .appenders = {}, .entries = 0};
  for (std::size_t appender = 0; appender < options.appenders; ++appender) {
    Writer writer(options, appender);
    auto& batches = plan.appenders.emplace_back();
    for (std::size_t i = 0; i < options.batches; ++i) {
      batches.push_back(writer.next());
      batches.back().first_entry = plan.entries;
      plan.entries += batches.back().events.size();
    }
  }
  return plan;
}

std::vector<const events::Event*> Plan::all_entries() const {
  std::vector<const events::Event*> all;
  all.reserve(entries);
  for (const auto& batches : appenders) {
    for (const auto& batch : batches) {
      for (const auto& event : batch.events) all.push_back(&event);
    }
  }
  return all;
}

}  // namespace scalestyle::crash
