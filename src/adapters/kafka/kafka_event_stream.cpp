#include "adapters/kafka/kafka_event_stream.hpp"

#include <fmt/format.h>

#include <array>
#include <stop_token>
#include <utility>

#include "adapters/kafka/kafka_event_stream_impl.hpp"

namespace scalestyle::adapters::kafka {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kAwayGrace = 2s;

}  // namespace

core::Status KafkaEventStream::Options::validate() const {
  const auto refuse = [](std::string what, std::string field) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(what), std::move(field));
  };
  if (topic.empty() || topic.size() > 32) return refuse("topic must have 1 to 32 bytes", "topic");
  if (max_buffered_records < 100 || max_buffered_records > 1'000'000) {
    return refuse("max_buffered_records must be from 100 to 1,000,000", "max_buffered_records");
  }
  if (max_buffered_bytes < (1u << 20)) return refuse("max_buffered_bytes must be at least 1 MiB", "max_buffered_bytes");
  if (session_timeout < 1s || max_poll_interval < session_timeout) {
    return refuse("session_timeout must be at least 1 s, max_poll_interval at least that", "session_timeout");
  }
  if (commit_interval < 1ms) return refuse("commit_interval must be at least 1 ms", "commit_interval");
  return read.receipt.validate();
}

KafkaEventStream::Impl::Impl(Options chosen, Services given) : options(std::move(chosen)), use(given), watch(given.clock) {}

core::Status KafkaEventStream::Impl::start(const KafkaOptions& kafka) {
  rdkafka::Properties properties{{"enable.auto.commit", "false"},
                                 {"enable.auto.offset.store", "false"},
                                 {"auto.offset.reset", "earliest"},
                                 {"partition.assignment.strategy", "cooperative-sticky"},
                                 {"session.timeout.ms", std::to_string(options.session_timeout.count())},
                                 {"heartbeat.interval.ms", std::to_string(options.session_timeout.count() / 10)},
                                 {"max.poll.interval.ms", std::to_string(options.max_poll_interval.count())},
                                 {"queued.min.messages", "10000"},
                                 {"queued.max.messages.kbytes", "8192"},
                                 {"fetch.wait.max.ms", "100"},  // a seek waits for the fetch that is under way
                                 {"fetch.queue.backoff.ms", "20"},
                                 {"fetch.error.backoff.ms", "200"},
                                 {"check.crcs", "true"}};
  // The client insists on a group's name; without a group of ours nothing is ever committed under it.
  properties.emplace_back("group.id", options.group.empty() ? "scalestyle-no-group" : options.group);
  CORE_TRY(auto conf, rdkafka::make_conf(kafka, properties));
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_rebalance_cb(conf.get(), [](rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list,
                                                void* self) { static_cast<Impl*>(self)->rebalance(code, list); });
  rd_kafka_conf_set_offset_commit_cb(conf.get(), [](rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list,
                                                    void* self) { static_cast<Impl*>(self)->commit_ended(code, list); });
  rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t* client_now, int code, const char* text, void* self) {
    auto& impl = *static_cast<Impl*>(self);
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) impl.watch.complained(text);  // that one says nothing of why
    if (code != RD_KAFKA_RESP_ERR__FATAL) return;
    std::array<char, 512> cause{};
    rd_kafka_fatal_error(client_now, cause.data(), cause.size());
    const std::lock_guard lock(impl.mutex);
    impl.fatal = cause.data();
  });
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t* client_now, int level, const char* facility, const char* text) {
    rdkafka::log_line(static_cast<Impl*>(rd_kafka_opaque(client_now))->use.log, level, facility, text);
  });
  rdkafka::watch_brokers(conf.get(), watch);
  CORE_TRY(client, rdkafka::make_client(RD_KAFKA_CONSUMER, std::move(conf)));
  rd_kafka_poll_set_consumer(client.get());
  queue.reset(rd_kafka_queue_get_consumer(client.get()));
  return {};
}

void KafkaEventStream::Impl::wake_thread() {
  room.notify_all();
  rd_kafka_queue_yield(queue.get());
}

core::Status KafkaEventStream::Impl::check(const events::EventPosition& position) const {
  if (position.stream != options.topic) {
    return core::fail(
        core::ErrorCode::kInvalidArgument,
        fmt::format("the position is of another stream (\"{}\", this one is \"{}\")", position.stream, options.topic),
        "position");
  }
  if (position.partition < 0 || position.offset < -1) {
    return core::fail(core::ErrorCode::kInvalidArgument, "no such partition or offset", "position");
  }
  return {};
}

KafkaEventStream::KafkaEventStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaEventStream::~KafkaEventStream() = default;

core::Result<std::unique_ptr<KafkaEventStream>> KafkaEventStream::open(const KafkaOptions& kafka, Options options,
                                                                       Services services) {
  CORE_CHECK(options.validate());
  auto impl = std::make_unique<Impl>(std::move(options), services);
  CORE_CHECK(impl->start(kafka));
  return std::unique_ptr<KafkaEventStream>(new KafkaEventStream(std::move(impl)));
}

void KafkaEventStream::run() { impl_->run(); }

void KafkaEventStream::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake_thread();
}

core::Task<core::Result<ports::StreamBatch>> KafkaEventStream::poll(std::size_t max_events, core::Deadline deadline) {
  if (max_events == 0 || max_events > 10'000) {
    co_return core::fail(core::ErrorCode::kInvalidArgument, "a poll gives 1 to 10,000 events", "max_events");
  }
  const std::stop_token stop = co_await core::current_stop_token();
  Impl& impl = *impl_;
  while (true) {
    if (stop.stop_requested()) co_return core::fail(core::ErrorCode::kCancelled, "the poll was dropped");
    Impl::PollWaiter waiter;
    core::SteadyTime until = deadline.time();
    {
      const std::lock_guard lock(impl.mutex);
      if (!impl.fatal.empty()) {
        co_return core::fail(core::ErrorCode::kUnavailable, "kafka: the client is beyond repair: " + impl.fatal);
      }
      const auto now = impl.use.clock.steady_now();
      if (impl.buffers.can_give(now)) {
        ports::StreamBatch batch = impl.buffers.take(max_events, now);
        impl.room.notify_all();
        co_return batch;
      }
      if (deadline.expired(impl.use.clock)) co_return ports::StreamBatch{};
      waiter = impl.waiter = std::make_shared<core::Waiter<Impl::Wake>>();
      if (const auto release = impl.buffers.next_release(now)) until = std::min(until, *release);
    }
    const auto look = [waiter] { waiter->settle(Impl::Wake::kLook); };
    const auto cancelled = [waiter] { waiter->settle(Impl::Wake::kCancelled); };
    core::WaitTimers timers(impl.use.timers);
    timers.at(until, look);
    const std::stop_callback on_stop(stop, cancelled);
    const Impl::Wake wake = co_await *waiter;
    if (wake == Impl::Wake::kCancelled) co_return core::fail(core::ErrorCode::kCancelled, "the poll was dropped");
  }
}

core::Task<core::Status> KafkaEventStream::seek(events::EventPosition position, core::Deadline deadline) {
  CORE_CO_CHECK(impl_->check(position));
  const std::stop_token stop = co_await core::current_stop_token();
  const auto waiter = std::make_shared<core::Waiter<core::Status>>();
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->seeks.push_back({position.partition, position.offset, deadline, waiter});
  }
  impl_->wake_thread();
  core::WaitTimers timers(impl_->use.timers);
  const auto late = [waiter] {
    waiter->settle(core::fail(core::ErrorCode::kUnavailable, "kafka: seek: no broker answers within the deadline"));
  };
  const auto cancelled = [waiter] { waiter->settle(core::fail(core::ErrorCode::kCancelled, "the seek was dropped")); };
  timers.at(deadline.time(), late);
  const std::stop_callback on_stop(stop, cancelled);
  core::Status status = co_await *waiter;
  co_return status;
}

core::Status KafkaEventStream::pause(std::int32_t partition, std::chrono::milliseconds duration) {
  if (partition < 0) return core::fail(core::ErrorCode::kInvalidArgument, "no such partition", "partition");
  Impl::PollWaiter waiter;
  {
    const std::lock_guard lock(impl_->mutex);
    const auto now = impl_->use.clock.steady_now();
    impl_->buffers.pause(partition, duration <= 0ms ? core::SteadyTime::min() : now + duration);
    waiter = std::move(impl_->waiter);
  }
  impl_->wake_thread();
  if (waiter) waiter->settle(Impl::Wake::kLook);
  return {};
}

core::Task<core::Status> KafkaEventStream::commit(events::EventPosition position, core::Deadline) {
  CORE_CO_CHECK(impl_->check(position));
  if (impl_->options.group.empty() || position.offset < 0) co_return core::Status{};
  const std::lock_guard lock(impl_->mutex);
  // One that went meanwhile: its next holder begins at what was committed before.
  if (impl_->buffers.holds(position.partition)) {
    auto& offset = impl_->noted[position.partition];
    offset = std::max(offset, position.offset + 1);
  }
  co_return core::Status{};
}

std::uint64_t KafkaEventStream::lag() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->placed ? impl_->buffers.lag() : kLagNotKnown;
}

std::string KafkaEventStream::trouble() const {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->fatal.empty()) return "kafka: the client is beyond repair, restart the process: " + impl_->fatal;
    if (!impl_->complaint.empty()) return impl_->complaint;
  }
  return impl_->watch.trouble(kAwayGrace);
}

std::vector<std::int32_t> KafkaEventStream::assigned() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->buffers.held();
}

}  // namespace scalestyle::adapters::kafka
