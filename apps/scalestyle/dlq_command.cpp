// scalestyle dlq list | show | replay | drop: the dead letters of the event log (docs/decisions/0027-dead-letters.md).

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/kafka/json_splice.hpp"
#include "adapters/kafka/kafka_dead_letters.hpp"
#include "adapters/kafka/kafka_producer.hpp"
#include "command_list.hpp"
#include "core/clock.hpp"
#include "core/timer_queue.hpp"
#include "kafka_settings.hpp"
#include "telemetry/metrics.hpp"
#include "text/json_text.hpp"

namespace scalestyle::app {

namespace {

namespace json = boost::json;
namespace kafka = adapters::kafka;

constexpr auto kPatience = std::chrono::seconds(10);

std::vector<std::string> settings_with(std::vector<std::string> more) {
  auto names = kafka_connection_settings();
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

core::Result<kafka::KafkaDeadLetters> dead_letters(const core::Settings& settings, const core::Clock& clock) {
  CORE_TRY(auto options, kafka_options(settings));
  CORE_TRY(auto topics, kafka_topics(settings));
  return kafka::KafkaDeadLetters(std::move(options), std::move(topics), clock, kPatience);
}

// Text that came from outside, so that it can move no terminal's cursor.
std::string quoted(std::string_view text) {
  std::string out;
  text::append_json_text(text, out);
  return out;
}

std::string place_of(const events::EventPosition& position) {
  return fmt::format("{}:{}:{}", position.stream, position.partition, position.offset);
}

std::string time_of(const kafka::StoredLetter& stored) {
  return core::to_iso8601(core::WallTime(std::chrono::milliseconds(stored.stored_ms)));
}

json::object summary_of(const kafka::StoredLetter& stored) {
  const kafka::DeadLetter& letter = stored.letter;
  return {{"id", letter.id},
          {"reason", letter.reason},
          {"time", time_of(stored)},
          {"error_message", letter.error_message},
          {"cause", letter.cause},
          {"original", place_of(letter.position)},
          {"original_key", letter.key},
          {"retry_count", letter.retry_count},
          {"size_bytes", letter.value.size()}};
}

json::object details_of(const kafka::StoredLetter& stored) {
  const kafka::DeadLetter& letter = stored.letter;
  json::object details = summary_of(stored);
  details["accepted"] = letter.origin.stream.empty() ? json::value(nullptr) : json::value(place_of(letter.origin));
  details["traceparent"] = letter.traceparent;
  details["tracestate"] = letter.tracestate;
  details["stored_at"] = fmt::format("{}:{}", stored.partition, stored.offset);
  const bool readable = kafka::is_json(letter.value);
  details["original_value"] = readable ? json::value(letter.value) : json::value(nullptr);
  if (!readable) details["original_value_base64"] = kafka::to_base64(letter.value);
  return details;
}

core::Status list_letters(const Invocation& invocation) {
  const core::SystemClock clock;
  CORE_TRY(auto letters, dead_letters(invocation.settings, clock));
  kafka::DeadLetterChoice choice;
  if (invocation.settings.is_set("reason")) choice.reason = invocation.settings.text("reason");
  CORE_TRY(const auto list, letters.list(choice, static_cast<std::size_t>(invocation.settings.integer("limit"))));
  if (invocation.settings.boolean("json")) {
    json::object by_reason;
    for (const auto& [reason, count] : list.by_reason) by_reason[reason] = count;
    json::array all;
    for (const auto& stored : list.newest) all.push_back(summary_of(stored));
    fmt::print("{}\n", json::serialize(json::object{{"total", list.total}, {"by_reason", by_reason}, {"letters", all}}));
    return {};
  }
  for (const auto& stored : list.newest) {
    const kafka::DeadLetter& letter = stored.letter;
    fmt::print("{}  {}  {}  from {} after {} retries: {}\n", time_of(stored), quoted(letter.id), quoted(letter.reason),
               quoted(place_of(letter.position)), letter.retry_count,
               quoted(letter.cause.empty() ? letter.error_message : letter.cause));
  }
  fmt::print("{} dead letters", list.total);
  for (const auto& [reason, count] : list.by_reason) fmt::print("; {} of {}", count, quoted(reason));
  fmt::print("{}\n", list.newest.size() < list.total ? fmt::format("; the newest {} are shown", list.newest.size()) : "");
  return {};
}

core::Status show_letter(const Invocation& invocation) {
  if (invocation.positionals.size() != 1) return core::fail(core::ErrorCode::kInvalidArgument, "dlq show takes one id");
  const core::SystemClock clock;
  CORE_TRY(auto letters, dead_letters(invocation.settings, clock));
  CORE_TRY(const auto stored, letters.find(invocation.positionals.front()));
  const json::object details = details_of(stored);
  if (invocation.settings.boolean("json")) {
    fmt::print("{}\n", json::serialize(details));
    return {};
  }
  for (const auto& [name, value] : details) fmt::print("{:<22} {}\n", std::string_view(name), json::serialize(value));
  return {};
}

// A producer with its threads, for as long as a command sends.
class Sender {
 public:
  static core::Result<std::unique_ptr<Sender>> open(const kafka::KafkaOptions& options) {
    std::unique_ptr<Sender> sender(new Sender);
    CORE_TRY(sender->producer_,
             kafka::KafkaProducer::open(options, {}, {sender->clock_, sender->timers_, sender->metrics_, nullptr}));
    sender->timer_thread_ = std::thread([&timers = sender->timers_] { timers.run(); });
    sender->producer_thread_ = std::thread([&producer = *sender->producer_] { producer.run(); });
    return sender;
  }
  ~Sender() {
    if (producer_thread_.joinable()) {
      producer_->stop();
      producer_thread_.join();
    }
    timers_.stop();
    if (timer_thread_.joinable()) timer_thread_.join();
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  [[nodiscard]] kafka::KafkaProducer& producer() { return *producer_; }

 private:
  Sender() = default;
  core::SystemClock clock_;
  core::TimerQueue timers_{clock_};
  telemetry::Metrics metrics_;
  std::unique_ptr<kafka::KafkaProducer> producer_;
  std::thread timer_thread_;
  std::thread producer_thread_;
};

// Which letters: ids, --reason or --all, and never all of them by leaving something out.
core::Result<kafka::DeadLetterChoice> choice_of(const Invocation& invocation) {
  kafka::DeadLetterChoice choice;
  choice.ids.insert(invocation.positionals.begin(), invocation.positionals.end());
  if (invocation.settings.is_set("reason")) choice.reason = invocation.settings.text("reason");
  const bool some = !choice.ids.empty() || choice.reason.has_value();
  if (some == invocation.settings.boolean("all")) {
    return core::fail(core::ErrorCode::kInvalidArgument, "say which letters: their ids, --reason REASON, or --all (alone)",
                      "all");
  }
  return choice;
}

core::Status tell(const kafka::DeadLetterOutcome& outcome, std::string_view verb, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", json::serialize(json::object{{"done", outcome.done},
                                                    {"not_found", json::value_from(outcome.not_found)},
                                                    {"refused", json::value_from(outcome.refused)}}));
  } else {
    fmt::print("{} letters {}\n", outcome.done, verb);
    for (const auto& id : outcome.not_found) fmt::print(stderr, "error: there is no letter {}\n", quoted(id));
    for (const auto& text : outcome.refused) fmt::print(stderr, "error: {}\n", quoted(text));
  }
  if (outcome.not_found.empty() && outcome.refused.empty()) return {};
  return core::fail(core::ErrorCode::kFailedPrecondition,
                    fmt::format("{} letters were not {}", outcome.not_found.size() + outcome.refused.size(), verb));
}

core::Status change_letters(const Invocation& invocation, bool replay) {
  CORE_TRY(const auto choice, choice_of(invocation));
  const core::SystemClock clock;
  CORE_TRY(auto letters, dead_letters(invocation.settings, clock));
  CORE_TRY(const auto options, kafka_options(invocation.settings));
  CORE_TRY(const auto sender, Sender::open(options));
  const bool as_json = invocation.settings.boolean("json");
  if (!replay) {
    CORE_TRY(const auto dropped, letters.drop(choice, sender->producer()));
    return tell(dropped, "dropped", as_json);
  }
  CORE_TRY(const auto replayed, letters.replay(choice, invocation.settings.boolean("keep"), sender->producer()));
  return tell(replayed, "replayed", as_json);
}

int exit_of(const core::Status& status) { return status ? kExitOk : report(status.error()); }

}  // namespace

Command dlq_list_command() {
  return {.path = {"dlq", "list"},
          .help = "List the newest dead letters, and count all",
          .settings = settings_with({"reason", "limit", "json"}),
          .run = [](const Invocation& invocation) { return exit_of(list_letters(invocation)); }};
}

Command dlq_show_command() {
  return {.path = {"dlq", "show"},
          .help = "Show a dead letter with its bytes",
          .settings = settings_with({"json"}),
          .positional_help = "ID",
          .run = [](const Invocation& invocation) { return exit_of(show_letter(invocation)); }};
}

Command dlq_replay_command() {
  return {.path = {"dlq", "replay"},
          .help = "Send dead letters to the event log again; each takes effect once, however often",
          .settings = settings_with({"reason", "all", "keep", "json"}),
          .positional_help = "ID",
          .run = [](const Invocation& invocation) { return exit_of(change_letters(invocation, true)); }};
}

Command dlq_drop_command() {
  return {.path = {"dlq", "drop"},
          .help = "Drop dead letters for good",
          .settings = settings_with({"reason", "all", "json"}),
          .positional_help = "ID",
          .run = [](const Invocation& invocation) { return exit_of(change_letters(invocation, false)); }};
}

}  // namespace scalestyle::app
