// The names of the settings of engines that a program may be built without: flags stay the same.

#include <initializer_list>
#include <utility>

#include "kafka_stack.hpp"
#include "milvus_stack.hpp"

namespace scalestyle::app {

namespace {

std::vector<std::string> joined(std::vector<std::string> names, std::initializer_list<const char*> more) {
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

}  // namespace

std::vector<std::string> with_kafka_settings(std::vector<std::string> names) {
  return joined(std::move(names), {"kafka_brokers", "kafka_topic", "kafka_security", "kafka_ca_file", "kafka_sasl_mechanism",
                                   "kafka_username", "kafka_password", "kafka_password_file", "kafka_group", "kafka_session_timeout_ms", "kafka_ack_timeout_ms", "kafka_partitions",
                                   "kafka_replication"});
}

std::vector<std::string> with_milvus_filling_settings(std::vector<std::string> names) {
  return joined(std::move(names), {"milvus_address", "milvus_tls", "milvus_ca_file", "milvus_username", "milvus_password",
                                   "milvus_token", "milvus_timeout_ms", "milvus_prefix", "milvus_index", "milvus_m",
                                   "milvus_ef_construction", "milvus_nlist"});
}

std::vector<std::string> with_milvus_settings(std::vector<std::string> names) {
  return joined(std::move(names), {"milvus_address", "milvus_tls", "milvus_ca_file", "milvus_username", "milvus_password",
                                   "milvus_token", "milvus_timeout_ms", "milvus_prefix", "milvus_consistency", "milvus_ef",
                                   "milvus_nprobe", "vector_recall_one_in"});
}

}  // namespace scalestyle::app
