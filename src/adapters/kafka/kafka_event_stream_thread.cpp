#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "adapters/kafka/kafka_event_stream_impl.hpp"

namespace scalestyle::adapters::kafka {

namespace {

using namespace std::chrono_literals;
using rdkafka::Owned;

constexpr std::chrono::milliseconds kReadWait = 50ms;
constexpr std::size_t kReadAtOnce = 1'000;
constexpr auto kLagPause = 100ms;
constexpr auto kHeldLagPause = 1s;
constexpr int kBrokerWaitMs = 1'000;
constexpr std::size_t kRecordOverhead = 512;

using PartitionList = Owned<rd_kafka_topic_partition_list_t>;

PartitionList list_of(const std::string& topic, const std::vector<std::int32_t>& partitions) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const auto partition : partitions) rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  return list;
}

// What a rebalance does to a commit: the records are given again, to whoever holds the partition now.
bool is_of_rebalance(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS || code == RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST ||
         code == RD_KAFKA_RESP_ERR__NO_OFFSET;
}

}  // namespace

void KafkaEventStream::Impl::run() {
  while (!stopping) {
    if (!joined) joined = join();
    seek_all();
    follow_holds();
    read();
    refresh_lag();
    commit_noted(false);
  }
  if (watch.trouble(0ms).empty()) commit_noted(true);  // or it would wait for a broker
  rd_kafka_consumer_close(client.get());
  std::deque<Seek> left;
  {
    const std::lock_guard lock(mutex);
    left.swap(seeks);
  }
  for (const Seek& seek : left) {
    seek.waiter->settle(core::fail(core::ErrorCode::kUnavailable, "kafka: the stream has been stopped"));
  }
}

bool KafkaEventStream::Impl::join() {
  if (options.group.empty()) return assign_all();
  const auto list = list_of(options.topic, {RD_KAFKA_PARTITION_UA});
  const auto code = rd_kafka_subscribe(client.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) complain(rdkafka::error_of(code, "joining group " + options.group).message);
  return code == RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool KafkaEventStream::Impl::assign_all() {
  rd_kafka_topic_t* const topic = rd_kafka_topic_new(client.get(), options.topic.c_str(), nullptr);
  const rd_kafka_metadata_t* got = nullptr;
  const auto code = rd_kafka_metadata(client.get(), 0, topic, &got, kBrokerWaitMs);
  rd_kafka_topic_destroy(topic);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    complain(rdkafka::error_of(code, "asking for the partitions of " + options.topic).message);
    return false;
  }
  const Owned<const rd_kafka_metadata_t> metadata(got);
  const auto problem = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (problem != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topics[0].partition_cnt == 0) {
    complain(rdkafka::error_of(problem, "topic " + options.topic).message);
    std::unique_lock lock(mutex);
    room.wait_for(lock, kReadWait, [this] { return stopping.load(); });
    return false;
  }
  std::vector<std::int32_t> all;
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) all.push_back(metadata->topics[0].partitions[i].id);
  const auto list = list_of(options.topic, all);
  for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = RD_KAFKA_OFFSET_BEGINNING;
  came(list.get());
  return true;
}

void KafkaEventStream::Impl::read() {
  {
    std::unique_lock lock(mutex);
    const auto is_full = [this] {
      return buffers.records() >= options.max_buffered_records || buffers.bytes() >= options.max_buffered_bytes;
    };
    if (is_full()) {
      room.wait_for(lock, kReadWait, [&] { return stopping || !seeks.empty() || !is_full(); });
      if (is_full()) return;
    }
  }
  std::size_t bytes = 0;
  rd_kafka_message_t* message = rd_kafka_consumer_poll(client.get(), static_cast<int>(kReadWait.count()));
  while (message != nullptr) {
    bytes += take_in(message);
    if (reading.size() >= kReadAtOnce || bytes >= options.max_buffered_bytes / 2) break;
    message = rd_kafka_consumer_poll(client.get(), 0);
  }
  if (!reading.empty()) {
    const std::lock_guard lock(mutex);
    complaint.clear();
    for (auto& [partition, record] : reading) buffers.push(partition, std::move(record));
    reading.clear();
  }
  wake_poll();
}

std::size_t KafkaEventStream::Impl::take_in(rd_kafka_message_t* message) {
  const Owned<rd_kafka_message_t> owned(message);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    reading.emplace_back(message->partition, decode(*message));
    return reading.back().second.bytes;
  }
  if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    complain(rdkafka::error_of(message->err, "reading " + options.topic, rd_kafka_message_errstr(message)).message);
  }
  return 0;
}

PartitionBuffers::Record KafkaEventStream::Impl::decode(const rd_kafka_message_t& message) const {
  KafkaEnvelope envelope;
  envelope.position = {options.topic, message.partition, message.offset};
  rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  envelope.timestamp_ms = rd_kafka_message_timestamp(&message, &kind);
  envelope.traceparent = rdkafka::header_of(message, "traceparent");
  envelope.tracestate = rdkafka::header_of(message, "tracestate");
  envelope.retry_count = rdkafka::header_of(message, "x-retry-count");
  const std::string_view value = rdkafka::bytes_of(message.payload, message.len);
  PartitionBuffers::Record record;
  record.offset = message.offset;
  record.bytes = value.size() * 2 + message.key_len + kRecordOverhead;
  auto read = read_record(value, envelope, options.read);
  if (!read) {
    ports::UndecodableRecord undecodable;
    undecodable.position = envelope.position;
    undecodable.bytes = std::string(value);
    undecodable.problem = std::move(read).error();
    undecodable.key = std::string(rdkafka::bytes_of(message.key, message.key_len));
    undecodable.delivery.traceparent = envelope.traceparent;
    undecodable.delivery.tracestate = envelope.tracestate;
    record.what = std::move(undecodable);
    return record;
  }
  read->logged.delivery.bytes = std::make_shared<const std::string>(value);
  if (read->due_after_seconds > 0) {
    const std::chrono::duration<double> now = use.clock.wall_now().time_since_epoch();
    // Another machine's clock may be far ahead: never longer than the tier's delay.
    const double wait = std::clamp(read->due_after_seconds - now.count(), 0.0, read->delay_seconds);
    // A double holds today's seconds to a quarter of a microsecond.
    const auto whole_wait = std::chrono::ceil<std::chrono::microseconds>(std::chrono::duration<double>(wait)) + 1us;
    if (wait > 0) record.due = use.clock.steady_now() + whole_wait;
  }
  record.what = std::move(read->logged);
  return record;
}

void KafkaEventStream::Impl::wake_poll() {
  PollWaiter woken;
  {
    const std::lock_guard lock(mutex);
    if (waiter && (!fatal.empty() || buffers.can_give(use.clock.steady_now()))) woken = std::move(waiter);
    // A record whose time has not come yet: the poll waits until then, no longer.
    else if (waiter && buffers.next_release(use.clock.steady_now())) woken = std::move(waiter);
  }
  if (woken) woken->settle(Wake::kLook);
}

void KafkaEventStream::Impl::seek_all() {
  while (true) {
    Seek seek{0, 0, core::Deadline::never(), {}};
    {
      const std::lock_guard lock(mutex);
      if (seeks.empty()) return;
      // Without a group all partitions come soon; a seek waits for that.
      if (options.group.empty() && !joined && !seeks.front().deadline.expired(use.clock)) return;
      seek = std::move(seeks.front());
      seeks.pop_front();
    }
    seek.waiter->settle(do_seek(seek));
  }
}

core::Status KafkaEventStream::Impl::do_seek(const Seek& seek) {
  {
    const std::lock_guard lock(mutex);
    if (!buffers.holds(seek.partition)) {
      if (options.group.empty()) {
        return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} has no partition {}", options.topic, seek.partition),
                          "position");
      }
      starts[seek.partition] = seek.after < 0 ? RD_KAFKA_OFFSET_BEGINNING : seek.after + 1;
      return {};
    }
  }
  std::int64_t low = 0;
  std::int64_t high = 0;
  auto code = rd_kafka_query_watermark_offsets(client.get(), options.topic.c_str(), seek.partition, &low, &high, kBrokerWaitMs);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return rdkafka::fail(code, "seek in " + options.topic);
  const std::int64_t target = seek.after < 0 ? low : seek.after + 1;
  if (target < low) {
    return core::fail(core::ErrorCode::kNotFound,
                      fmt::format("{}, partition {}: what follows offset {} was removed by retention, up to offset {}",
                                  options.topic, seek.partition, seek.after, low - 1));
  }
  if (target > high) {
    return core::fail(core::ErrorCode::kDataLoss,
                      fmt::format("{}, partition {} ends at offset {}, but {} was reached before: acknowledged events were lost",
                                  options.topic, seek.partition, high - 1, seek.after));
  }
  const auto list = list_of(options.topic, {seek.partition});
  list->elems[0].offset = target;
  // A partition that was assigned a moment ago is not being read yet, and cannot be sought in until it is.
  const auto until = use.clock.steady_now() + 2s;
  do {
    const Owned<rd_kafka_error_t> error(rd_kafka_seek_partitions(client.get(), list.get(), kBrokerWaitMs));
    code = error ? rd_kafka_error_code(error.get()) : list->elems[0].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      std::unique_lock lock(mutex);
      room.wait_for(lock, 10ms, [this] { return stopping.load(); });
    }
  } while (code != RD_KAFKA_RESP_ERR_NO_ERROR && !stopping && use.clock.steady_now() < until);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return rdkafka::fail(code, "seek in " + options.topic);
  const std::lock_guard lock(mutex);
  buffers.seek(seek.partition, target);
  buffers.note_high(seek.partition, high);
  noted.erase(seek.partition);
  return {};
}

// A partition that is kept back is not read on either, or its records would fill the buffer.
void KafkaEventStream::Impl::follow_holds() {
  std::vector<std::int32_t> hold;
  std::vector<std::int32_t> release;
  {
    const std::lock_guard lock(mutex);
    const auto now = use.clock.steady_now();
    for (const auto partition : buffers.held()) {
      const bool kept_back = buffers.is_kept_back(partition, now);
      if (kept_back && held_back.insert(partition).second) hold.push_back(partition);
      if (!kept_back && held_back.erase(partition) > 0) release.push_back(partition);
    }
  }
  if (!hold.empty()) rd_kafka_pause_partitions(client.get(), list_of(options.topic, hold).get());
  if (!release.empty()) rd_kafka_resume_partitions(client.get(), list_of(options.topic, release).get());
}

void KafkaEventStream::Impl::refresh_lag() {
  const auto now = use.clock.steady_now();
  if (last_lag != core::SteadyTime::min() && now - last_lag < kLagPause) return;
  last_lag = now;
  const bool ask_held = last_held_lag == core::SteadyTime::min() || now - last_held_lag >= kHeldLagPause;
  if (ask_held) last_held_lag = now;
  std::vector<std::int32_t> all;
  std::vector<std::int32_t> unknown;
  {
    const std::lock_guard lock(mutex);
    all = buffers.held();
    std::ranges::copy_if(all, std::back_inserter(unknown),
                         [this](std::int32_t partition) { return !buffers.has_next(partition); });
  }
  const bool reachable = watch.trouble(0ms).empty();  // else each question would only wait
  for (const auto partition : all) {
    if (stopping) return;
    std::int64_t low = -1;
    std::int64_t high = -1;
    const bool is_unknown = reachable && std::ranges::count(unknown, partition) > 0;
    const bool ask = is_unknown || (reachable && ask_held && held_back.contains(partition));
    const auto code =
        ask ? rd_kafka_query_watermark_offsets(client.get(), options.topic.c_str(), partition, &low, &high, kBrokerWaitMs)
            : rd_kafka_get_watermark_offsets(client.get(), options.topic.c_str(), partition, &low, &high);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0) continue;
    std::int64_t start = -1;
    if (is_unknown) {
      const auto list = list_of(options.topic, {partition});
      const bool asked = rd_kafka_committed(client.get(), list.get(), kBrokerWaitMs) == RD_KAFKA_RESP_ERR_NO_ERROR;
      start = asked && list->elems[0].offset >= 0 ? list->elems[0].offset : low;
    }
    const std::lock_guard lock(mutex);
    buffers.note_high(partition, high);
    if (start >= 0) buffers.note_next(partition, start);
  }
}

void KafkaEventStream::Impl::commit_noted(bool wait) {
  const auto now = use.clock.steady_now();
  if (!wait && last_commit != core::SteadyTime::min() && now - last_commit < options.commit_interval) return;
  last_commit = now;
  std::map<std::int32_t, std::int64_t> due;
  {
    const std::lock_guard lock(mutex);
    due.swap(noted);
  }
  if (due.empty()) return;
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(due.size())));
  for (const auto& [partition, offset] : due) {
    rd_kafka_topic_partition_list_add(list.get(), options.topic.c_str(), partition)->offset = offset;
  }
  const auto code = rd_kafka_commit(client.get(), list.get(), wait ? 0 : 1);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) commit_ended(code, list.get());
}

void KafkaEventStream::Impl::commit_ended(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t* offsets) {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR || offsets == nullptr) return;
  if (!is_of_rebalance(code)) {
    complain(rdkafka::error_of(code, fmt::format("committing positions of group {}", options.group)).message);
  }
  const std::lock_guard lock(mutex);
  for (int i = 0; i < offsets->cnt; ++i) {
    const auto& one = offsets->elems[i];
    if (one.offset < 0 || !buffers.holds(one.partition)) continue;
    auto& offset = noted[one.partition];  // again, with what was noted since
    offset = std::max(offset, one.offset);
  }
}

void KafkaEventStream::Impl::rebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions) {
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) return came(partitions);
  if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) return went(partitions);
  complain(rdkafka::error_of(code, "sharing the partitions of group " + options.group).message);
  rd_kafka_assign(client.get(), nullptr);
}

void KafkaEventStream::Impl::came(rd_kafka_topic_partition_list_t* partitions) {
  {
    const std::lock_guard lock(mutex);
    placed = true;
    complaint.clear();
    for (int i = 0; i < partitions->cnt; ++i) {
      auto& one = partitions->elems[i];
      if (const auto start = starts.find(one.partition); start != starts.end()) {
        one.offset = start->second;
        starts.erase(start);
      }
      held_back.erase(one.partition);
      buffers.assign(one.partition, one.offset >= 0 ? one.offset : -1);
    }
  }
  if (options.group.empty()) {
    const auto code = rd_kafka_assign(client.get(), partitions);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      complain(rdkafka::error_of(code, "taking the partitions of " + options.topic).message);
    }
    return;
  }
  const Owned<rd_kafka_error_t> error(rd_kafka_incremental_assign(client.get(), partitions));
  if (error) complain(fmt::format("kafka: taking partitions of {}: {}", options.topic, rd_kafka_error_string(error.get())));
}

void KafkaEventStream::Impl::went(rd_kafka_topic_partition_list_t* partitions) {
  // What took effect is said before another takes over; where the partition is lost already that can only fail.
  if (rd_kafka_assignment_lost(client.get()) == 0) commit_noted(true);
  {
    const std::lock_guard lock(mutex);
    for (int i = 0; i < partitions->cnt; ++i) {
      held_back.erase(partitions->elems[i].partition);
      noted.erase(partitions->elems[i].partition);
      buffers.revoke(partitions->elems[i].partition);
      std::erase_if(reading, [&](const auto& one) { return one.first == partitions->elems[i].partition; });
    }
  }
  const Owned<rd_kafka_error_t> error(rd_kafka_incremental_unassign(client.get(), partitions));
  if (error) complain(fmt::format("kafka: giving partitions of {} up: {}", options.topic, rd_kafka_error_string(error.get())));
}

void KafkaEventStream::Impl::complain(std::string text) {
  bool fresh = false;
  {
    const std::lock_guard lock(mutex);
    fresh = complaint != text;
    complaint = text;
  }
  if (fresh && use.log != nullptr) use.log->warning("kafka consumer", {{"topic", options.topic}, {"cause", text}});
}

}  // namespace scalestyle::adapters::kafka
