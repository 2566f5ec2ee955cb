#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>

#include "adapters/kafka/rdkafka_impl.hpp"

namespace scalestyle::adapters::kafka::rdkafka {

namespace {

core::ErrorCode code_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED: return core::ErrorCode::kPermissionDenied;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: return core::ErrorCode::kNotFound;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return core::ErrorCode::kAlreadyExists;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL: return core::ErrorCode::kResourceExhausted;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT: return core::ErrorCode::kDeadlineExceeded;
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: return core::ErrorCode::kInvalidArgument;
    case RD_KAFKA_RESP_ERR__FATAL: return core::ErrorCode::kFailedPrecondition;
    default: return core::ErrorCode::kUnavailable;
  }
}

rd_kafka_resp_err_t on_broker(rd_kafka_t*, std::int32_t id, const char*, const char* name, int port, const char* state,
                              void* opaque) {
  const std::string_view now = state;
  const bool up = now == "UP" || now == "REAUTH";
  static_cast<BrokerWatch*>(opaque)->changed(fmt::format("{}/{}:{}", id, name, port), up);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t on_new(rd_kafka_t* client, const rd_kafka_conf_t*, void* opaque, char*, std::size_t) {
  return rd_kafka_interceptor_add_on_broker_state_change(client, "scalestyle", on_broker, opaque);
}

}  // namespace

core::Error error_of(rd_kafka_resp_err_t code, std::string_view what, std::string_view detail) {
  const std::string_view cause = detail.empty() ? std::string_view(rd_kafka_err2str(code)) : detail;
  return core::fail(code_of(code), fmt::format("kafka: {}: {}", what, cause)).error();
}

core::Result<Owned<rd_kafka_conf_t>> make_conf(const KafkaOptions& options, const Properties& more) {
  CORE_CHECK(options.validate());
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  Properties all{{"bootstrap.servers", options.brokers},
                 {"client.id", options.client_id},
                 {"security.protocol", std::string(to_string(options.security))},
                 {"allow.auto.create.topics", "false"},  // a misspelt topic is an error, not a new topic
                 {"socket.keepalive.enable", "true"},
                 {"log.connection.close", "false"},
                 {"reconnect.backoff.max.ms", "2000"}};
  if (!options.ca_file.empty() && !std::ifstream(options.ca_file)) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("kafka_ca_file: {} cannot be read", options.ca_file),
                      "kafka_ca_file");
  }
  if (options.uses_tls()) {
    all.emplace_back("enable.ssl.certificate.verification", "true");
    all.emplace_back("ssl.endpoint.identification.algorithm", "https");
    if (!options.ca_file.empty()) all.emplace_back("ssl.ca.location", options.ca_file);
  }
  if (options.uses_sasl()) {
    all.emplace_back("sasl.mechanism", options.sasl_mechanism);
    all.emplace_back("sasl.username", options.username);
    all.emplace_back("sasl.password", options.password);
  }
  all.insert(all.end(), more.begin(), more.end());
  std::array<char, 512> problem{};
  for (const auto& [name, value] : all) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), problem.data(), problem.size()) != RD_KAFKA_CONF_OK) {
      return core::fail(core::ErrorCode::kInvalidArgument,
                        fmt::format("kafka: the client library refuses {}: {}", name, problem.data()), name);
    }
  }
  return conf;
}

core::Result<Owned<rd_kafka_t>> make_client(rd_kafka_type_t type, Owned<rd_kafka_conf_t> conf) {
  std::array<char, 512> problem{};
  rd_kafka_t* const client = rd_kafka_new(type, conf.get(), problem.data(), problem.size());
  if (client == nullptr) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("kafka: the client cannot be made: {}", problem.data()));
  }
  static_cast<void>(conf.release());  // the client's from here on
  return Owned<rd_kafka_t>(client);
}

core::Result<Tool> Tool::make(const KafkaOptions& options, rd_kafka_type_t type, const Properties& more) {
  CORE_TRY(auto conf, make_conf(options, more));
  Tool tool;
  tool.complaint_ = std::make_unique<Complaint>();
  rd_kafka_conf_set_opaque(conf.get(), tool.complaint_.get());
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
  rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t*, int code, const char* text, void* complaint) {
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;  // says nothing of why
    *static_cast<Complaint*>(complaint) = {static_cast<rd_kafka_resp_err_t>(code), text};
  });
  CORE_TRY(tool.client_, make_client(type, std::move(conf)));
  return tool;
}

std::unexpected<core::Error> Tool::fail(rd_kafka_resp_err_t code, std::string_view what) const {
  rd_kafka_poll(client_.get(), 0);  // serves what it has to complain of
  if (complaint_->code == RD_KAFKA_RESP_ERR_NO_ERROR) return rdkafka::fail(code, what);
  return rdkafka::fail(complaint_->code, what, complaint_->text);
}

void watch_brokers(rd_kafka_conf_t* conf, BrokerWatch& watch) {
  rd_kafka_conf_interceptor_add_on_new(conf, "scalestyle", on_new, &watch);
}

void log_line(telemetry::Logger* log, int level, const char* facility, const char* text) {
  constexpr int kError = 3;    // of syslog
  constexpr int kWarning = 4;
  if (log == nullptr || level > kWarning) return;
  if (level <= kError) {
    log->error("kafka client", {{"facility", facility}, {"cause", text}});
  } else {
    log->warning("kafka client", {{"facility", facility}, {"cause", text}});
  }
}

std::string header_of(const rd_kafka_message_t& message, const char* name) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return std::string(bytes_of(value, size));
}

}  // namespace scalestyle::adapters::kafka::rdkafka
