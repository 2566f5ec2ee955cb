#pragma once
// librdkafka's C interface made safe to use: owners of its objects, and its errors as core::Error.

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/kafka/broker_watch.hpp"
#include "adapters/kafka/kafka_options.hpp"
#include "core/result.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::adapters::kafka::rdkafka {

struct Destroy {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_AdminOptions_t* options) const { rd_kafka_AdminOptions_destroy(options); }
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
  void operator()(rd_kafka_ConfigResource_t* resource) const { rd_kafka_ConfigResource_destroy(resource); }
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
};
template <class T>
using Owned = std::unique_ptr<T, Destroy>;

using Properties = std::vector<std::pair<std::string, std::string>>;

// "kafka <brokers>: <what>: <cause>", with the code that fits.
[[nodiscard]] core::Error error_of(rd_kafka_resp_err_t code, std::string_view what, std::string_view detail = {});
[[nodiscard]] inline std::unexpected<core::Error> fail(rd_kafka_resp_err_t code, std::string_view what,
                                                       std::string_view detail = {}) {
  return std::unexpected(error_of(code, what, detail));
}

// The connection's properties, and then `more`. kInvalidArgument names what librdkafka does not take.
[[nodiscard]] core::Result<Owned<rd_kafka_conf_t>> make_conf(const KafkaOptions& options, const Properties& more);

// Makes the client; `conf` is used up.
[[nodiscard]] core::Result<Owned<rd_kafka_t>> make_client(rd_kafka_type_t type, Owned<rd_kafka_conf_t> conf);

// A client for admin calls and short readings: made, used and ended by one caller; what it logs is dropped.
class Tool {
 public:
  [[nodiscard]] static core::Result<Tool> make(const KafkaOptions& options, rd_kafka_type_t type, const Properties& more);
  [[nodiscard]] rd_kafka_t* get() const { return client_.get(); }
  // `code` of a call that failed, or what the client complained of meanwhile, which is nearer to the cause ("authentication").
  [[nodiscard]] std::unexpected<core::Error> fail(rd_kafka_resp_err_t code, std::string_view what) const;

 private:
  struct Complaint {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string text{};
  };
  std::unique_ptr<Complaint> complaint_;
  Owned<rd_kafka_t> client_;  // last: it writes the complaint
};

// The client that is made of `conf` tells `watch`, which outlives it, of its connections.
void watch_brokers(rd_kafka_conf_t* conf, BrokerWatch& watch);

// What librdkafka logs, as records of `log` (may be null: dropped).
void log_line(telemetry::Logger* log, int level, const char* facility, const char* text);

[[nodiscard]] inline std::string_view bytes_of(const void* data, std::size_t size) {
  return data == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

// The last header of that name; empty when there is none.
[[nodiscard]] std::string header_of(const rd_kafka_message_t& message, const char* name);

}  // namespace scalestyle::adapters::kafka::rdkafka
