#include "kafka_stack.hpp"

#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include "adapters/kafka/kafka_event_log.hpp"
#include "adapters/kafka/kafka_event_stream.hpp"
#include "adapters/kafka/kafka_impression_log.hpp"
#include "adapters/kafka/kafka_options.hpp"
#include "adapters/kafka/kafka_producer.hpp"
#include "adapters/kafka/kafka_record_router.hpp"
#include "adapters/kafka/kafka_topics.hpp"
#include "consumer/kafka_failed_records.hpp"
#include "kafka_settings.hpp"

namespace scalestyle::app {

namespace {

namespace kafka = adapters::kafka;

constexpr std::size_t kConsumerBatch = 2'000;  // events applied, and committed, together

// A stream with its thread, and the loop that reads it where this process lets its events take effect.
struct Consumer {
  std::string topic;
  std::unique_ptr<kafka::KafkaEventStream> stream;
  std::unique_ptr<consumer::EventLoop> loop;  // null: another reads the stream
  std::thread thread;
};

}  // namespace

struct KafkaStack::Impl {
  Impl(kafka::KafkaOptions how, kafka::KafkaTopics names, Services services)
      : options(std::move(how)), topics(std::move(names)), use(services) {}

  core::Status open_producer() {
    if (producer) return {};
    CORE_TRY(producer, kafka::KafkaProducer::open(options, {}, {.clock = use.clock, .timers = use.timers, .metrics = use.metrics,
                                                                .log = &use.log}));
    producer_thread = std::thread([sender = producer.get()] { sender->run(); });
    return {};
  }

  core::Result<consumer::FailedRecordSink*> failed_records() {
    CORE_CHECK(open_producer());
    if (!router) router = std::make_unique<kafka::KafkaRecordRouter>(*producer, use.clock, use.metrics, topics);
    if (!sink) sink = std::make_unique<consumer::KafkaFailedRecords>(*router);
    return sink.get();
  }

  core::Result<Consumer*> open_stream(std::string topic, std::string group_name) {
    auto consumer = std::make_unique<Consumer>();
    consumer->topic = topic;
    kafka::KafkaEventStream::Options stream;
    stream.topic = std::move(topic);
    stream.group = std::move(group_name);
    stream.session_timeout = session_timeout;
    CORE_TRY(consumer->stream,
             kafka::KafkaEventStream::open(options, std::move(stream), {.clock = use.clock, .timers = use.timers, .log = &use.log}));
    consumer->thread = std::thread([reader = consumer->stream.get()] { reader->run(); });
    consumers.push_back(std::move(consumer));
    return consumers.back().get();
  }

  core::Status consume(std::string topic, const std::string& group_name, ports::FeatureStore& features) {
    CORE_TRY(consumer::FailedRecordSink* const failed, failed_records());
    CORE_TRY(Consumer* const consumer, open_stream(topic, group_name));
    consumer::EventLoop::Options loop;
    loop.batch_events = kConsumerBatch;
    loop.name = std::move(topic);
    consumer->loop = std::make_unique<consumer::EventLoop>(
        consumer::EventLoop::Dependencies{.stream = *consumer->stream, .features = features, .timers = use.timers, .clock = use.clock,
                                          .metrics = use.metrics, .log = use.log, .failed_records = failed, .tracer = use.tracer},
        loop);
    consumer->loop->start();
    return {};
  }

  // Loops first: a step in progress ends with its streams still there, and what took effect is committed.
  void stop() {
    for (auto& consumer : consumers) {
      if (!consumer->loop) continue;
      consumer->loop->stop();
      static_cast<void>(core::sync_wait(consumer->loop->commit_remaining()));  // else it is given again, and passed over
    }
    for (auto& consumer : consumers) consumer->stream->stop();
    for (auto& consumer : consumers) {
      if (consumer->thread.joinable()) consumer->thread.join();
    }
    if (producer) producer->stop();
    if (producer_thread.joinable()) producer_thread.join();
  }

  const kafka::KafkaOptions options;
  const kafka::KafkaTopics topics;
  const Services use;
  kafka::KafkaTopicPlan plan;
  std::string group;
  std::chrono::milliseconds session_timeout{};
  std::chrono::milliseconds ack_timeout{};
  std::unique_ptr<kafka::KafkaProducer> producer;
  std::thread producer_thread;
  std::unique_ptr<kafka::KafkaEventLog> log;
  std::unique_ptr<kafka::KafkaImpressionLog> impressions;
  std::unique_ptr<kafka::KafkaRecordRouter> router;
  std::unique_ptr<consumer::KafkaFailedRecords> sink;
  std::vector<std::unique_ptr<Consumer>> consumers;
};

KafkaStack::KafkaStack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaStack::~KafkaStack() { stop(); }

core::Result<std::unique_ptr<KafkaStack>> KafkaStack::open(const core::Settings& settings, Services services) {
  CORE_TRY(auto options, kafka_options(settings));
  CORE_TRY(auto topics, kafka_topics(settings));
  auto impl = std::make_unique<Impl>(std::move(options), std::move(topics), services);
  CORE_TRY(impl->plan, kafka_topic_plan(settings));
  impl->group = settings.text("kafka_group");
  impl->session_timeout = std::chrono::milliseconds(settings.integer("kafka_session_timeout_ms"));
  impl->ack_timeout = std::chrono::milliseconds(settings.integer("kafka_ack_timeout_ms"));
  return std::unique_ptr<KafkaStack>(new KafkaStack(std::move(impl)));
}

core::Status KafkaStack::prepare_topics(core::Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.time() - impl_->use.clock.steady_now());
  CORE_TRY(const auto notes, kafka::ensure_topics(impl_->options, impl_->topics, impl_->plan, left));
  for (const std::string& note : notes) impl_->use.log.warning(note);
  return {};
}

core::Result<ports::EventLog*> KafkaStack::log() {
  CORE_CHECK(impl_->open_producer());
  if (!impl_->log) {
    kafka::KafkaEventLog::Options options;
    options.topic = impl_->topics.events;
    options.ack_timeout = impl_->ack_timeout;
    CORE_CHECK(options.validate());
    impl_->log = std::make_unique<kafka::KafkaEventLog>(*impl_->producer, impl_->use.clock, options);
  }
  return impl_->log.get();
}

core::Result<ports::ImpressionLog*> KafkaStack::impressions() {
  CORE_CHECK(impl_->open_producer());
  if (!impl_->impressions) {
    impl_->impressions = std::make_unique<kafka::KafkaImpressionLog>(*impl_->producer, impl_->use.metrics, impl_->topics.impressions());
  }
  return impl_->impressions.get();
}

core::Result<ports::EventStream*> KafkaStack::all_partitions() {
  CORE_TRY(Consumer* const consumer, impl_->open_stream(impl_->topics.events, ""));
  return consumer->stream.get();
}

core::Result<consumer::FailedRecordSink*> KafkaStack::failed_records() { return impl_->failed_records(); }

core::Status KafkaStack::consume_primary(ports::FeatureStore& features) {
  return impl_->consume(impl_->topics.events, impl_->group + "-primary", features);
}

core::Status KafkaStack::consume_retries(ports::FeatureStore& features) {
  for (std::uint32_t tier = 1; tier <= kafka::KafkaTopics::kTiers; ++tier) {
    const std::string group = impl_->group + "-" + std::string(kafka::kafka_tier(tier).label);
    CORE_CHECK(impl_->consume(impl_->topics.tier(tier), group, features));
  }
  return {};
}

std::vector<KafkaStack::ConsumerState> KafkaStack::consumers() const {
  std::vector<ConsumerState> states;
  for (const auto& consumer : impl_->consumers) {
    ConsumerState state;
    state.topic = consumer->topic;
    state.trouble = consumer->stream->trouble();
    state.assigned_partitions = consumer->stream->assigned().size();
    state.lag = consumer->stream->lag();
    if (consumer->loop) {
      if (state.trouble.empty()) state.trouble = consumer->loop->trouble();
      const auto since = impl_->use.clock.steady_now() - consumer->loop->last_step();
      state.seconds_since_step = std::chrono::duration<double>(since).count();
    }
    states.push_back(std::move(state));
  }
  return states;
}

void KafkaStack::stop() { impl_->stop(); }

}  // namespace scalestyle::app
