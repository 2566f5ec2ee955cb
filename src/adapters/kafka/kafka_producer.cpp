#include "adapters/kafka/kafka_producer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stop_token>
#include <string_view>
#include <utility>

#include "adapters/kafka/kafka_producer_impl.hpp"

namespace scalestyle::adapters::kafka {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kPollWait = 20ms;
constexpr auto kTakeBackPause = 50ms;       // between two emptyings of the client's queues
constexpr auto kTakeBackLead = 150ms;       // before a send's deadline, so that its end is known in time
constexpr auto kDrainTime = 5s;
constexpr const char* kCounter = "scalestyle_kafka_messages_total";
constexpr const char* kCounterHelp = "Records sent to Kafka, by what became of them.";

}  // namespace

core::Status KafkaProducer::Options::validate() const {
  const auto refuse = [](std::string what, std::string field) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(what), std::move(field));
  };
  if (max_messages < 1'000 || max_messages > 1'000'000) {
    return refuse("max_messages must be from 1,000 to 1,000,000", "max_messages");
  }
  if (max_bytes < (1u << 20) || max_bytes > (1u << 30)) return refuse("max_bytes must be from 1 MiB to 1 GiB", "max_bytes");
  if (linger.count() < 0 || linger > 1s) return refuse("linger must be from 0 to 1,000 ms", "linger");
  if (delivery_timeout < 15s) {
    return refuse("delivery_timeout must be at least 15 s: a dead broker is replaced within that", "delivery_timeout");
  }
  if (request_timeout < 1s || request_timeout > delivery_timeout) {
    return refuse("request_timeout must be from 1 s to delivery_timeout", "request_timeout");
  }
  if (down_grace < 100ms) return refuse("down_grace must be at least 100 ms", "down_grace");
  return {};
}

KafkaProducer::Impl::Impl(Options chosen, Services given, std::string brokers_text)
    : options(chosen),
      use(given),
      brokers(std::move(brokers_text)),
      watch(given.clock),
      acknowledged_count(given.metrics.counter({kCounter, kCounterHelp, {{"outcome", "acknowledged"}}})),
      refused_count(given.metrics.counter({kCounter, kCounterHelp, {{"outcome", "not_kept"}}})),
      unknown_count(given.metrics.counter({kCounter, kCounterHelp, {{"outcome", "unknown"}}})),
      held(given.metrics.gauge({"scalestyle_kafka_queued_messages", "Records that wait for their acknowledgement."})) {}

core::Status KafkaProducer::Impl::start(const KafkaOptions& kafka) {
  // The client's own queue is larger than our bounds: ours refuse a whole send, the client would refuse half of it.
  const rdkafka::Properties properties{{"enable.idempotence", "true"},
                                       {"acks", "all"},
                                       {"partitioner", "murmur2_random"},
                                       {"compression.type", "lz4"},
                                       {"linger.ms", std::to_string(options.linger.count())},
                                       {"message.timeout.ms", std::to_string(options.delivery_timeout.count())},
                                       {"request.timeout.ms", std::to_string(options.request_timeout.count())},
                                       {"queue.buffering.max.messages", std::to_string(options.max_messages * 2)},
                                       {"queue.buffering.max.kbytes", std::to_string(options.max_bytes / 512)},
                                       {"message.max.bytes", "4000000"},  // a dead letter is larger than its record
                                       {"retry.backoff.ms", "100"}};
  CORE_TRY(auto conf, rdkafka::make_conf(kafka, properties));
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
    static_cast<Impl*>(self)->report(*message);
  });
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
  CORE_TRY(client, rdkafka::make_client(RD_KAFKA_PRODUCER, std::move(conf)));
  return {};
}

std::string KafkaProducer::Impl::refusal() const {
  if (stopping) return "kafka: the producer has been stopped";
  {
    const std::lock_guard lock(mutex);
    if (!fatal.empty()) return "kafka: the client is beyond repair, restart the process: " + fatal;
  }
  return watch.trouble(options.down_grace);
}

std::uint64_t KafkaProducer::Impl::outstanding() const {
  const std::lock_guard lock(mutex);
  return messages_held;
}

core::Status KafkaProducer::Impl::reserve(const Send& send, std::size_t halves) {
  const std::lock_guard lock(mutex);
  if (messages_held + send.messages.size() > options.max_messages / 2 * halves ||
      bytes_held + send.bytes > options.max_bytes / 2 * halves) {
    return core::fail(
        core::ErrorCode::kResourceExhausted,
        fmt::format("kafka: {} records ({} bytes) wait for their acknowledgement, no more are taken", messages_held, bytes_held));
  }
  messages_held += send.messages.size();
  held.set(static_cast<double>(messages_held));
  bytes_held += send.bytes;
  return {};
}

rd_kafka_resp_err_t KafkaProducer::Impl::produce(std::unique_ptr<Ticket> ticket) {
  KafkaMessage& message = ticket->send->messages[ticket->index];
  rdkafka::Owned<rd_kafka_headers_t> headers(rd_kafka_headers_new(message.headers.size()));
  for (const auto& [name, value] : message.headers) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  std::array<rd_kafka_vu_t, 6> what{};
  what[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  what[0].u.cstr = message.topic.c_str();
  what[1].vtype = RD_KAFKA_VTYPE_KEY;
  what[1].u.mem = {.ptr = message.key.data(), .size = message.key.size()};
  what[2].vtype = RD_KAFKA_VTYPE_VALUE;
  what[2].u.mem = {.ptr = message.tombstone ? nullptr : message.value.data(),
                   .size = message.tombstone ? 0 : message.value.size()};
  what[3].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  what[3].u.i = 0;  // neither copied nor freed: the Send holds the bytes until the report
  what[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
  what[4].u.ptr = ticket.get();
  what[5].vtype = RD_KAFKA_VTYPE_HEADERS;
  what[5].u.headers = headers.get();
  const rdkafka::Owned<rd_kafka_error_t> error(rd_kafka_produceva(client.get(), what.data(), what.size()));
  if (error) return rd_kafka_error_code(error.get());
  static_cast<void>(ticket.release());   // the report's from here on
  static_cast<void>(headers.release());  // the client's
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void KafkaProducer::Impl::produce_all(const std::shared_ptr<Send>& send) {
  for (std::size_t i = 0; i < send->messages.size(); ++i) {
    const auto code = produce(std::make_unique<Ticket>(Ticket{send, i}));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    // Nothing behind a message that was not taken: the failure then is as certain as it can be.
    for (; i < send->messages.size(); ++i) failed({send, i}, Fate::kNotSent, rdkafka::error_of(code, send->messages[i].topic));
  }
}

void KafkaProducer::Impl::report(const rd_kafka_message_t& message) {
  std::unique_ptr<Ticket> ticket(static_cast<Ticket*>(message._private));
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) return delivered(*ticket, message);
  const bool maybe = rd_kafka_message_status(&message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
  const std::string topic = ticket->send->messages[ticket->index].topic;
  if (message.err != RD_KAFKA_RESP_ERR__PURGE_QUEUE) {
    return failed(*ticket, maybe ? Fate::kMaybeSent : Fate::kNotSent, rdkafka::error_of(message.err, topic));
  }
  const std::string away = refusal();
  if (!ticket->send->late && away.empty()) {
    // Taken back for the sake of another's deadline.
    const Ticket again = *ticket;
    if (maybe) {
      const std::lock_guard lock(mutex);
      again.send->maybe = true;
    }
    const auto code = produce(std::move(ticket));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      failed(again, maybe ? Fate::kMaybeSent : Fate::kNotSent, rdkafka::error_of(code, topic));
    }
    return;
  }
  core::Error error =
      away.empty() ? core::fail(core::ErrorCode::kDeadlineExceeded, "kafka: " + topic + ": not sent within the deadline").error()
                   : core::fail(core::ErrorCode::kUnavailable, away).error();
  failed(*ticket, maybe ? Fate::kMaybeSent : Fate::kNotSent, std::move(error));
}

void KafkaProducer::Impl::delivered(const Ticket& ticket, const rd_kafka_message_t& message) {
  bool last = false;
  {
    const std::lock_guard lock(mutex);
    Send& send = *ticket.send;
    send.places[ticket.index] = {message.partition, message.offset};
    ++send.delivered;
    last = --send.open == 0;
  }
  acknowledged_count.add();
  close(ticket.send, last);
}

void KafkaProducer::Impl::failed(const Ticket& ticket, Fate fate, core::Error error) {
  bool last = false;
  {
    const std::lock_guard lock(mutex);
    Send& send = *ticket.send;
    if (!send.error) send.error = std::move(error);
    if (fate == Fate::kMaybeSent) send.maybe = true;
    last = --send.open == 0;
  }
  (fate == Fate::kMaybeSent ? unknown_count : refused_count).add();
  close(ticket.send, last);
}

void KafkaProducer::Impl::close(const std::shared_ptr<Send>& send, bool last) {
  if (!last) return;
  {
    const std::lock_guard lock(mutex);
    messages_held -= send->messages.size();
    held.set(static_cast<double>(messages_held));
    bytes_held -= send->bytes;
  }
  if (send->posted && send->error) lost_posts.fetch_add(1, std::memory_order_relaxed);
  // All messages have ended: no other thread touches the send any more.
  if (!send->error) {
    send->waiter.settle(send->places);
    return;
  }
  const bool certain = !send->maybe && send->delivered == 0;
  send->waiter.settle(std::unexpected(
      ports::AppendFailure{certain ? ports::AppendOutcome::kNotKept : ports::AppendOutcome::kUnknown, *send->error}));
}

void KafkaProducer::Impl::be_late(Send& send) {
  send.late = true;
  take_back_wanted = true;
}

void KafkaProducer::Impl::take_back_when_due() {
  const bool away = !watch.trouble(options.down_grace).empty() && outstanding() > 0;
  if (!away && !take_back_wanted) return;
  const auto now = use.clock.steady_now();
  if (last_taken_back != core::SteadyTime::min() && now - last_taken_back < kTakeBackPause) return;
  last_taken_back = now;
  take_back_wanted = false;
  rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void KafkaProducer::Impl::drain() {
  const auto until = use.clock.steady_now() + kDrainTime;
  while (outstanding() > 0 && use.clock.steady_now() < until) rd_kafka_flush(client.get(), static_cast<int>(kPollWait.count()));
  while (outstanding() > 0) {
    rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(client.get(), static_cast<int>(kPollWait.count()));
  }
}

KafkaProducer::KafkaProducer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaProducer::~KafkaProducer() = default;

core::Result<std::unique_ptr<KafkaProducer>> KafkaProducer::open(const KafkaOptions& kafka, Options options, Services services) {
  CORE_CHECK(options.validate());
  auto impl = std::make_unique<Impl>(options, services, kafka.brokers);
  CORE_CHECK(impl->start(kafka));
  return std::unique_ptr<KafkaProducer>(new KafkaProducer(std::move(impl)));
}

void KafkaProducer::run() {
  while (!impl_->stopping) {
    rd_kafka_poll(impl_->client.get(), static_cast<int>(kPollWait.count()));
    impl_->take_back_when_due();
  }
  impl_->drain();
}

void KafkaProducer::stop() { impl_->stopping = true; }

std::string KafkaProducer::refusal() const { return impl_->refusal(); }

std::uint64_t KafkaProducer::lost_posts() const { return impl_->lost_posts.load(std::memory_order_relaxed); }

core::Task<KafkaSent> KafkaProducer::send(std::vector<KafkaMessage> messages, core::Deadline deadline) {
  const auto not_kept = [](core::Error error) {
    return KafkaSent(std::unexpected(ports::AppendFailure{ports::AppendOutcome::kNotKept, std::move(error)}));
  };
  if (messages.empty()) co_return KafkaSent(std::vector<KafkaPlace>{});
  if (deadline.expired(impl_->use.clock)) {
    co_return not_kept(
        core::fail(core::ErrorCode::kDeadlineExceeded, "kafka: the deadline had passed before anything was sent").error());
  }
  if (std::string away = impl_->refusal(); !away.empty()) {
    co_return not_kept(core::fail(core::ErrorCode::kUnavailable, std::move(away)).error());
  }
  const std::stop_token stop = co_await core::current_stop_token();
  if (stop.stop_requested()) {
    co_return not_kept(core::fail(core::ErrorCode::kCancelled, "kafka: given up before anything was sent").error());
  }
  auto send = std::make_shared<Impl::Send>();
  for (const KafkaMessage& message : messages) send->bytes += message.key.size() + message.value.size() + 256;
  send->places.resize(messages.size());
  send->open = messages.size();
  send->messages = std::move(messages);
  if (auto room = impl_->reserve(*send, 2); !room) co_return not_kept(std::move(room).error());

  // Behind the deadline the send's end is not known, whatever comes of it later.
  const auto over = [send](core::ErrorCode code, const char* text) {
    send->waiter.settle(std::unexpected(ports::AppendFailure{ports::AppendOutcome::kUnknown, core::fail(code, text).error()}));
  };
  Impl* const impl = impl_.get();
  core::WaitTimers timers(impl->use.timers);
  if (!deadline.is_never()) {
    const auto lead = std::min<std::chrono::nanoseconds>(kTakeBackLead, deadline.remaining(impl->use.clock) / 4);
    timers.at(deadline.time() - lead, [impl, send] { impl->be_late(*send); });
    timers.at(deadline.time(),
              [over] { over(core::ErrorCode::kDeadlineExceeded, "kafka: no acknowledgement within the deadline"); });
  }
  const auto give_up = [impl, send, over] {
    impl->be_late(*send);
    over(core::ErrorCode::kCancelled, "kafka: the send was given up");
  };
  const std::stop_callback on_stop(stop, give_up);
  impl->produce_all(send);
  KafkaSent sent = co_await send->waiter;
  co_return sent;
}

bool KafkaProducer::post(KafkaMessage message) {
  if (!impl_->refusal().empty()) return false;
  auto send = std::make_shared<Impl::Send>();
  send->bytes = message.key.size() + message.value.size() + 256;
  send->posted = true;
  send->places.resize(1);
  send->open = 1;
  send->messages.push_back(std::move(message));
  if (!impl_->reserve(*send, 1)) return false;
  impl_->produce_all(send);
  return true;
}

}  // namespace scalestyle::adapters::kafka
