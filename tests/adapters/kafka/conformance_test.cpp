// The ports' conformance suites on a real broker: a topic a test.

#include <memory>
#include <stdexcept>

#include "kafka_support.hpp"
#include "support/conformance_event_log.hpp"
#include "support/conformance_event_stream.hpp"

namespace scalestyle::support {
namespace {

class KafkaEngine final : public EventLogEngine {
 public:
  KafkaEngine(const RealServer& server, std::string group)
      : kafka_(plain_options(server)), topic_(new_topic_name()), group_(std::move(group)) {
    make_topic(kafka_, topic_);
    open();
  }
  ports::EventLog& log() override { return *log_; }
  ports::EventStream& stream() override { return **stream_; }
  void reopen() override {
    stream_.reset();
    log_.reset();
    producer_.reset();
    open();
  }
  [[nodiscard]] bool keeps_ids_once() const override { return false; }
  void erase() override {}

 private:
  void open() {
    producer_ = running_producer(kafka_, time_, metrics_);
    log_ = std::make_unique<KafkaEventLog>(**producer_, time_.clock(), KafkaEventLog::Options{.topic = topic_});
    KafkaEventStream::Options options;
    options.topic = topic_;
    options.group = group_.empty() ? "" : group_ + topic_;
    options.session_timeout = std::chrono::seconds(6);
    stream_ = running_stream(kafka_, time_, options);
    // The first poll tells that the partition came; it is there before anything is appended or sought.
    const auto first = core::sync_wait((*stream_)->poll(1, core::Deadline::after(std::chrono::seconds(30), time_.clock())));
    if (!first || first->assigned.size() != 1) throw std::runtime_error((*stream_)->trouble());
  }

  const KafkaOptions kafka_;
  const std::string topic_;
  const std::string group_;
  RunningTimers time_;
  telemetry::Metrics metrics_;
  std::unique_ptr<Running<KafkaProducer>> producer_;
  std::unique_ptr<KafkaEventLog> log_;
  std::unique_ptr<Running<KafkaEventStream>> stream_;
};

EventLogFactory engine_of(const std::string& group) {
  return [group]() -> std::unique_ptr<EventLogEngine> {
    const auto server = KafkaBrokers::of("1");
    if (!server) throw std::runtime_error(server.error().message);
    return std::make_unique<KafkaEngine>(**server, group);
  };
}

[[maybe_unused]] ::testing::Environment* const kBrokers = ::testing::AddGlobalTestEnvironment(new KafkaBrokers);

INSTANTIATE_TEST_SUITE_P(Kafka, EventLogConformance, ::testing::Values(engine_of("")));
INSTANTIATE_TEST_SUITE_P(KafkaAll, EventStreamConformance, ::testing::Values(engine_of("")));
INSTANTIATE_TEST_SUITE_P(KafkaGroup, EventStreamConformance, ::testing::Values(engine_of("group-of-")));

}  // namespace
}  // namespace scalestyle::support
