#include "adapters/kafka/kafka_dead_letters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adapters/kafka/rdkafka_impl.hpp"
#include "core/task.hpp"

namespace scalestyle::adapters::kafka {

namespace {

using rdkafka::Owned;

constexpr std::string_view kUnreadable = "unreadable";
constexpr std::size_t kSendAtOnce = 100;

bool is_of(const DeadLetterChoice& choice, const std::string& id, std::string_view reason) {
  return (choice.ids.empty() || choice.ids.contains(id)) && (!choice.reason || *choice.reason == reason);
}

StoredLetter stored_letter(const rd_kafka_message_t& message, const std::string& topic) {
  StoredLetter stored;
  stored.partition = message.partition;
  stored.offset = message.offset;
  rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  stored.stored_ms = rd_kafka_message_timestamp(&message, &kind);
  stored.key = std::string(rdkafka::bytes_of(message.key, message.key_len));
  const auto value = rdkafka::bytes_of(message.payload, message.len);
  if (auto letter = read_dead_letter(value)) {
    stored.letter = std::move(*letter);
  } else {
    stored.letter.reason = kUnreadable;
    stored.letter.cause = letter.error().message;
    stored.letter.value = std::string(value);
  }
  // The key is what the broker knows it by.
  if (!stored.key.empty()) stored.letter.id = stored.key;
  if (stored.letter.id.empty()) stored.letter.id = fmt::format("{}:{}:{}", topic, message.partition, message.offset);
  return stored;
}

// All partitions of the topic, from their first record; how many of them have records.
core::Result<std::size_t> begin_reading(const rdkafka::Tool& client, const std::string& topic,
                                        std::chrono::milliseconds patience) {
  rd_kafka_topic_t* const handle = rd_kafka_topic_new(client.get(), topic.c_str(), nullptr);
  const rd_kafka_metadata_t* got = nullptr;
  const auto code = rd_kafka_metadata(client.get(), 0, handle, &got, static_cast<int>(patience.count()));
  rd_kafka_topic_destroy(handle);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return client.fail(code, "asking for the partitions of " + topic);
  const Owned<const rd_kafka_metadata_t> metadata(got);
  const auto problem = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (problem != RD_KAFKA_RESP_ERR_NO_ERROR) return rdkafka::fail(problem, "topic " + topic);
  const int count = metadata->topics[0].partition_cnt;
  const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(count));
  for (int i = 0; i < count; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), metadata->topics[0].partitions[i].id)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  const auto assigned = rd_kafka_assign(client.get(), list.get());
  if (assigned != RD_KAFKA_RESP_ERR_NO_ERROR) return rdkafka::fail(assigned, "reading " + topic);
  return static_cast<std::size_t>(count);
}

}  // namespace

KafkaDeadLetters::KafkaDeadLetters(KafkaOptions kafka, KafkaTopics topics, const core::Clock& clock,
                                   std::chrono::milliseconds patience)
    : kafka_(std::move(kafka)), topics_(std::move(topics)), clock_(clock), patience_(patience) {}

core::Status KafkaDeadLetters::scan(const Visitor& visit) const {
  const std::string topic = topics_.dead_letters();
  CORE_TRY(const auto client, rdkafka::Tool::make(kafka_, RD_KAFKA_CONSUMER,
                                                  {{"group.id", "scalestyle-no-group"},
                                                   {"enable.auto.commit", "false"},
                                                   {"enable.partition.eof", "true"},
                                                   {"auto.offset.reset", "earliest"},
                                                   {"fetch.wait.max.ms", "20"}}));
  CORE_TRY(const std::size_t open, begin_reading(client, topic, patience_));
  rd_kafka_poll_set_consumer(client.get());
  std::set<std::int32_t> ended;
  while (ended.size() < open) {
    const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(client.get(), static_cast<int>(patience_.count())));
    if (!message) {
      return client.fail(RD_KAFKA_RESP_ERR__TIMED_OUT,
                         fmt::format("reading {}: no answer within {} ms", topic, patience_.count()));
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ended.insert(message->partition);
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      // What is laid down behind the end that was seen is for the next reading.
      if (!ended.contains(message->partition)) CORE_CHECK(visit(stored_letter(*message, topic), message->payload == nullptr));
    } else {
      return rdkafka::fail(message->err, "reading " + topic, rd_kafka_message_errstr(message.get()));
    }
  }
  rd_kafka_consumer_close(client.get());
  return {};
}

core::Result<KafkaDeadLetters::Index> KafkaDeadLetters::index(const DeadLetterChoice& choice) const {
  Index all;
  CORE_CHECK(scan([&](const StoredLetter& stored, bool tombstone) -> core::Status {
    const std::string& id = stored.letter.id;
    all.erase(id);  // an older letter of the key
    if (tombstone || !is_of(choice, id, stored.letter.reason)) return {};
    if (all.size() == kMaxLetters) {
      return core::fail(core::ErrorCode::kResourceExhausted,
                        fmt::format("{} holds more than {} letters: choose by reason", topics_.dead_letters(), kMaxLetters));
    }
    all.emplace(id, Place{stored.partition, stored.offset, stored.stored_ms, stored.letter.reason});
    return {};
  }));
  return all;
}

core::Status KafkaDeadLetters::visit_chosen(const Index& chosen, const std::function<core::Status(StoredLetter)>& visit) const {
  if (chosen.empty()) return {};
  return scan([&](StoredLetter stored, bool tombstone) -> core::Status {
    const auto wanted = chosen.find(stored.letter.id);
    const bool is_wanted = !tombstone && wanted != chosen.end() && wanted->second.partition == stored.partition &&
                           wanted->second.offset == stored.offset;
    return is_wanted ? visit(std::move(stored)) : core::Status{};
  });
}

core::Result<DeadLetterList> KafkaDeadLetters::list(const DeadLetterChoice& choice, std::size_t limit) {
  CORE_TRY(const Index all, index(choice));
  DeadLetterList list;
  list.total = all.size();
  std::vector<Index::const_iterator> order;
  for (auto place = all.begin(); place != all.end(); ++place) {
    ++list.by_reason[place->second.reason];
    order.push_back(place);
  }
  std::ranges::sort(order, [](const auto& a, const auto& b) {
    return a->second.stored_ms != b->second.stored_ms ? a->second.stored_ms > b->second.stored_ms : a->first < b->first;
  });
  if (order.size() > limit) order.resize(limit);
  Index newest;
  for (const auto& place : order) newest.insert(*place);
  std::map<std::string, StoredLetter> found;
  CORE_CHECK(visit_chosen(newest, [&](StoredLetter stored) -> core::Status {
    std::string id = stored.letter.id;
    found.insert_or_assign(std::move(id), std::move(stored));
    return {};
  }));
  for (const auto& place : order) {
    if (const auto stored = found.find(place->first); stored != found.end()) list.newest.push_back(std::move(stored->second));
  }
  return list;
}

core::Result<StoredLetter> KafkaDeadLetters::find(const std::string& id) {
  CORE_TRY(auto list, this->list({.ids = {id}}, 1));
  if (list.newest.empty()) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("{} has no letter \"{}\"", topics_.dead_letters(), id), "id");
  }
  return std::move(list.newest.front());
}

core::Status KafkaDeadLetters::send(std::vector<KafkaMessage> messages, KafkaProducer& producer) const {
  if (messages.empty()) return {};
  constexpr auto kDeadline = std::chrono::seconds(30);
  auto sent = core::sync_wait(producer.send(std::move(messages), core::Deadline::after(kDeadline, clock_)));
  if (!sent) return std::unexpected(std::move(sent).error().error);
  return {};
}

core::Result<DeadLetterOutcome> KafkaDeadLetters::replay(const DeadLetterChoice& choice, bool keep, KafkaProducer& producer) {
  CORE_TRY(const Index chosen, index(choice));
  DeadLetterOutcome outcome;
  for (const auto& id : choice.ids) {
    if (!chosen.contains(id)) outcome.not_found.push_back(id);
  }
  std::vector<KafkaMessage> records;
  std::vector<KafkaMessage> tombstones;
  const auto flush = [&]() -> core::Status {
    const std::size_t count = records.size();
    CORE_CHECK(send(std::exchange(records, {}), producer));
    CORE_CHECK(send(std::exchange(tombstones, {}), producer));  // only what was acknowledged above
    outcome.done += count;
    return {};
  };
  const auto visited = visit_chosen(chosen, [&](StoredLetter stored) -> core::Status {
    const DeadLetter& letter = stored.letter;
    if (letter.reason == kUnreadable) {
      outcome.refused.push_back(letter.id + ": " + letter.cause);
      return {};
    }
    KafkaMessage record{
        .topic = topics_.events, .key = letter.key, .value = replayed_value(letter), .headers = {{"x-dlq-replay", letter.id}}};
    if (!letter.traceparent.empty()) record.headers.emplace_back("traceparent", letter.traceparent);
    if (!letter.tracestate.empty()) record.headers.emplace_back("tracestate", letter.tracestate);
    records.push_back(std::move(record));
    if (!keep && !stored.key.empty()) {
      tombstones.push_back({.topic = topics_.dead_letters(), .key = stored.key, .tombstone = true});
    }
    return records.size() < kSendAtOnce ? core::Status{} : flush();
  });
  core::Status ended = visited ? flush() : visited;
  if (!ended) {
    return core::fail(ended.error().code, fmt::format("{} (after {} of {} letters; what was not done is still there)",
                                                      ended.error().message, outcome.done, chosen.size()));
  }
  return outcome;
}

core::Result<DeadLetterOutcome> KafkaDeadLetters::drop(const DeadLetterChoice& choice, KafkaProducer& producer) {
  CORE_TRY(const Index chosen, index(choice));
  DeadLetterOutcome outcome;
  for (const auto& id : choice.ids) {
    if (!chosen.contains(id)) outcome.not_found.push_back(id);
  }
  std::vector<KafkaMessage> tombstones;
  CORE_CHECK(visit_chosen(chosen, [&](const StoredLetter& stored) -> core::Status {
    if (stored.key.empty()) {
      outcome.refused.push_back(stored.letter.id + ": its record has no key; only the topic's retention removes it");
    } else {
      tombstones.push_back({.topic = topics_.dead_letters(), .key = stored.key, .tombstone = true});
    }
    return {};
  }));
  while (!tombstones.empty()) {
    const std::size_t count = std::min(tombstones.size(), kSendAtOnce);
    std::vector<KafkaMessage> some(std::make_move_iterator(tombstones.end() - static_cast<std::ptrdiff_t>(count)),
                                   std::make_move_iterator(tombstones.end()));
    tombstones.resize(tombstones.size() - count);
    CORE_CHECK(send(std::move(some), producer));
    outcome.done += count;
  }
  return outcome;
}

}  // namespace scalestyle::adapters::kafka
