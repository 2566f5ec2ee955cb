#include "kafka_support.hpp"

#include "adapters/kafka/rdkafka_impl.hpp"

namespace scalestyle::support {

std::vector<std::pair<std::string, std::string>> read_raw_records(const KafkaOptions& kafka, const std::string& topic,
                                                                  std::size_t count) {
  std::vector<std::pair<std::string, std::string>> records;
  auto client = rdkafka::Tool::make(kafka, RD_KAFKA_CONSUMER, {{"group.id", "raw"}, {"auto.offset.reset", "earliest"}});
  EXPECT_TRUE(client) << client.error().message;
  if (!client) return records;
  rd_kafka_poll_set_consumer(client->get());
  const rdkafka::Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(8));
  const rd_kafka_metadata_t* got = nullptr;
  rd_kafka_topic_t* const handle = rd_kafka_topic_new(client->get(), topic.c_str(), nullptr);
  EXPECT_EQ(rd_kafka_metadata(client->get(), 0, handle, &got, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  rd_kafka_topic_destroy(handle);
  if (got == nullptr) return records;
  const rdkafka::Owned<const rd_kafka_metadata_t> metadata(got);
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(client->get(), list.get());
  eventually([&] {
    const rdkafka::Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(client->get(), 200));
    if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      records.emplace_back(rdkafka::bytes_of(message->key, message->key_len), rdkafka::bytes_of(message->payload, message->len));
    }
    return records.size() >= count;
  });
  return records;
}

}  // namespace scalestyle::support
