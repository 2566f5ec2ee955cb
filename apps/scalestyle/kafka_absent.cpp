// In place of kafka_stack.cpp in a program that is built without Kafka.

#include <cstdlib>

#include "doctor_parts.hpp"
#include "kafka_stack.hpp"

namespace scalestyle::app {

namespace {

std::unexpected<core::Error> absent() {
  return core::fail(core::ErrorCode::kUnsupported, "this program was built without Kafka", "event_log");
}

}  // namespace

struct KafkaStack::Impl {};

KafkaStack::KafkaStack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaStack::~KafkaStack() = default;

core::Result<std::unique_ptr<KafkaStack>> KafkaStack::open(const core::Settings& /*settings*/, Services /*services*/) { return absent(); }

// Never called: there is no such object.
core::Status KafkaStack::prepare_topics(core::Deadline /*deadline*/) { return absent(); }
core::Result<ports::EventLog*> KafkaStack::log() { return absent(); }
core::Result<ports::ImpressionLog*> KafkaStack::impressions() { return absent(); }
core::Result<ports::EventStream*> KafkaStack::all_partitions() { return absent(); }
core::Result<consumer::FailedRecordSink*> KafkaStack::failed_records() { return absent(); }
core::Status KafkaStack::consume_primary(ports::FeatureStore& /*features*/) { return absent(); }
core::Status KafkaStack::consume_retries(ports::FeatureStore& /*features*/) { return absent(); }
std::vector<KafkaStack::ConsumerState> KafkaStack::consumers() const { return {}; }
void KafkaStack::stop() {}

// Naming the engine for a store is what fails: choose_stores().
Checks check_kafka(const core::Settings& /*settings*/) { return {}; }

}  // namespace scalestyle::app
