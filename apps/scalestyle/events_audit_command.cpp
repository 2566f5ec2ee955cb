// scalestyle events audit: are the features in Redis what the log in Kafka gives?

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "adapters/kafka/kafka_dead_letters.hpp"
#include "command_list.hpp"
#include "consumer/feature_audit.hpp"
#include "core/files.hpp"
#include "core/timer_queue.hpp"
#include "event_stack.hpp"
#include "events/event_id.hpp"
#include "kafka_settings.hpp"
#include "kafka_stack.hpp"
#include "process_options.hpp"
#include "redis_features.hpp"
#include "redis_stack.hpp"
#include "runtime.hpp"
#include "store_choice.hpp"

namespace scalestyle::app {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLargestList = 1u << 30;  // bytes of a file of event ids
constexpr auto kStartDeadline = 30s;
constexpr auto kPatience = 10s;                 // for each answer of a broker about dead letters
constexpr std::size_t kMostLetters = 100'000;
constexpr auto kPause = 1'000ms;                // between looks at a store that is behind
constexpr auto kReading = std::chrono::minutes(30);
constexpr std::size_t kMemory = std::size_t{8} << 30;  // that the rebuilt features may take: none goes for lack of it

// Copies of features, which hold what is known of people: gone with the object.
class Work {
 public:
  static core::Result<Work> make() {
    std::error_code failure;
    auto path = std::filesystem::temp_directory_path(failure) / ("scalestyle-audit-" + events::make_event_id());
    if (!failure && std::filesystem::create_directory(path, failure)) {
      std::filesystem::permissions(path, std::filesystem::perms::owner_all, failure);
    }
    if (failure) return core::fail(core::ErrorCode::kUnavailable, fmt::format("{}: {}", path.string(), failure.message()));
    return Work(std::move(path));
  }
  Work(Work&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Work& operator=(Work&&) = delete;
  ~Work() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit Work(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

// One event id a line.
core::Result<std::set<std::string>> ids_of(const std::string& file) {
  std::set<std::string> ids;
  if (file.empty()) return ids;
  CORE_TRY(const auto text, core::read_text_file(file, kLargestList));
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    if (end > 0) ids.emplace(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return ids;
}

class AuditRun {
 public:
  explicit AuditRun(const core::Settings& settings) : settings_(settings) {}

  core::Result<consumer::AuditReport> run() {
    CORE_TRY(const auto logging, log_options(settings_));
    CORE_TRY([[maybe_unused]] const StoreChoice stores, choose_stores(settings_, Role::kConsumer));
    CORE_TRY(const auto work, Work::make());
    consumer::AuditRequest request;
    request.work = work.path();
    CORE_TRY(request.features, feature_options(settings_));
    request.features.max_memory_bytes = kMemory;
    CORE_TRY(request.expected, ids_of(settings_.text("acknowledged")));
    CORE_TRY(request.left_out, ids_of(settings_.text("left_out")));
    CORE_CHECK(leave_out_dead_letters(request.left_out));
    telemetry::Logger log(logging, clock_);
    std::thread timer_thread([this] { timers_.run(); });
    auto report = audit(std::move(request), log);
    timers_.stop();
    timer_thread.join();
    return report;
  }

 private:
  // What lies there has not taken effect; what was replayed lies there no more, unless it was kept.
  core::Status leave_out_dead_letters(std::set<std::string>& left_out) const {
    CORE_TRY(const auto options, kafka_options(settings_));
    CORE_TRY(const auto topics, kafka_topics(settings_));
    adapters::kafka::KafkaDeadLetters letters(options, topics, clock_, kPatience);
    CORE_TRY(const auto list, letters.list({}, kMostLetters));
    for (const auto& stored : list.newest) left_out.insert(stored.letter.id);
    return {};
  }

  core::Result<consumer::AuditReport> audit(consumer::AuditRequest request, telemetry::Logger& log) {
    CORE_TRY(const auto redis, RedisStack::open(settings_, {.clock = clock_, .metrics = metrics_, .log = log}));
    const RedisFeatures::Services services{.timers = timers_, .clock = clock_, .metrics = metrics_, .log = log};
    CORE_TRY(const auto features, RedisFeatures::open(settings_, *redis, {}, services));
    CORE_TRY(const auto kafka, KafkaStack::open(settings_, {.timers = timers_, .clock = clock_, .metrics = metrics_, .log = log}));
    auto report = compare(std::move(request), *features, *kafka);
    kafka->stop();
    features->stop();
    redis->stop();
    return report;
  }

  core::Result<consumer::AuditReport> compare(consumer::AuditRequest request, RedisFeatures& features, KafkaStack& kafka) {
    CORE_CHECK(features.check(core::Deadline::after(kStartDeadline, clock_)));
    features.start();
    CORE_TRY(ports::EventStream* const stream, kafka.all_partitions());
    consumer::FeatureAudit audit({.stream = *stream, .store = features.store(), .clock = clock_}, std::move(request),
                                 {.pool = pool_, .timers = timers_, .clock = clock_, .metrics = metrics_});
    CORE_CHECK(audit.read(kPause, core::Deadline::after(kReading, clock_)));
    return audit.run(kPause, core::Deadline::after(std::chrono::seconds(settings_.integer("settle_s")), clock_));
  }

  const core::Settings& settings_;
  core::SystemClock clock_;
  core::WorkerPool pool_{{}, clock_};  // nobody waits for an event here
  core::TimerQueue timers_{clock_};
  telemetry::Metrics metrics_;
};

void print(const consumer::AuditReport& found) {
  fmt::print("{} events, {} given more than once, {} left out, {} records that are no event\n", found.events, found.duplicates,
             found.left_out, found.undecodable);
  fmt::print("{} subjects and {} items compared, {} different\n", found.subjects, found.items, found.different);
  for (const auto& difference : found.differences) fmt::print("different (log, store): {}\n", difference);
  if (found.missing > 0) fmt::print("{} acknowledged events are not in the log\n", found.missing);
  for (const auto& id : found.missing_ids) fmt::print("missing: {}\n", id);
  fmt::print("{}\n", found.sound() ? "equal" : "not equal");
}

int run_audit(const Invocation& invocation) {
  const auto report_of = AuditRun(invocation.settings).run();
  if (!report_of) return report(report_of.error());
  print(*report_of);
  return report_of->sound() ? kExitOk : kExitFailure;
}

}  // namespace

Command events_audit_command() {
  return {.path = {"events", "audit"},
          .help = "Recompute the features from the log in Kafka and compare them with those in Redis",
          .settings = with_redis_feature_settings(with_redis_settings(with_kafka_settings(with_store_settings(
              with_feature_settings({"acknowledged", "left_out", "settle_s", "log_level", "log_format"}))))),
          .run = run_audit};
}

}  // namespace scalestyle::app
