// A broker that demands SASL over TLS.

#include <chrono>
#include <string>

#include "kafka_support.hpp"
#include "support/sample_event.hpp"

namespace scalestyle::support {
namespace {

using namespace std::chrono_literals;

KafkaOptions sasl_options(const RealServer& server, const std::string& mechanism) {
  KafkaOptions options = plain_options(server);
  options.security = KafkaSecurity::kSaslSsl;
  options.ca_file = server.value("ca_file");
  options.sasl_mechanism = mechanism;
  options.username = server.value("username");
  options.password = server.value("password");
  return options;
}

TEST(KafkaSecurityTest, EachMechanismWritesAndReads) {
  KAFKA_OR_SKIP(server, "sasl");
  for (const std::string mechanism : {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}) {
    const auto kafka = sasl_options(*server, mechanism);
    const std::string topic = new_topic_name();
    make_topic(kafka, topic);
    RunningTimers time;
    telemetry::Metrics metrics;
    const auto producer = running_producer(kafka, time, metrics);
    KafkaEventLog log(**producer, time.clock(), {.topic = topic});
    const auto appended = core::sync_wait(log.append({sample_click("a")}, core::Deadline::after(30s, time.clock())));
    ASSERT_TRUE(appended) << mechanism << ": " << appended.error().error.message;
    const auto stream = running_stream(kafka, time, {.topic = topic});
    bool read = false;
    ASSERT_TRUE(eventually([&] {
      const auto batch = core::sync_wait((*stream)->poll(10, core::Deadline::after(1s, time.clock())));
      read = read || (batch && !batch->events.empty());
      return read;
    })) << (*stream)->trouble();
  }
}

TEST(KafkaSecurityTest, AWrongPasswordIsToldAndNothingIsKept) {
  KAFKA_OR_SKIP(server, "sasl");
  for (const std::string mechanism : {"PLAIN", "SCRAM-SHA-512"}) {
    auto kafka = sasl_options(*server, mechanism);
    kafka.password = "wrong";
    RunningTimers time;
    telemetry::Metrics metrics;
    const auto producer = running_producer(kafka, time, metrics);
    KafkaEventLog log(**producer, time.clock(), {.topic = "some.topic"});
    const auto appended = core::sync_wait(log.append({sample_click("a")}, core::Deadline::after(5s, time.clock())));
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().outcome, ports::AppendOutcome::kNotKept);
    ASSERT_TRUE(eventually([&] { return log.refusal().find("uthentication") != std::string::npos; })) << log.refusal();
    const auto topics = ensure_topics(kafka, {}, {}, 3s);
    ASSERT_FALSE(topics);
    EXPECT_EQ(topics.error().code, core::ErrorCode::kPermissionDenied) << topics.error().message;
  }
}

TEST(KafkaSecurityTest, ACertificateOfAStrangerIsRefused) {
  KAFKA_OR_SKIP(server, "sasl");
  auto kafka = sasl_options(*server, "PLAIN");
  kafka.ca_file = server->value("other_ca_file");
  RunningTimers time;
  telemetry::Metrics metrics;
  const auto producer = running_producer(kafka, time, metrics);
  ASSERT_TRUE(eventually([&] { return (*producer)->refusal().find("certificate") != std::string::npos; }))
      << (*producer)->refusal();
  const auto stream = running_stream(kafka, time, {.topic = "some.topic"});
  ASSERT_TRUE(eventually([&] { return !(*stream)->trouble().empty(); }));
}

TEST(KafkaSecurityTest, ACaFileThatCannotBeReadIsAnErrorAtTheStart) {
  RunningTimers time;
  telemetry::Metrics metrics;
  KafkaOptions kafka{.brokers = "127.0.0.1:1", .security = KafkaSecurity::kSsl, .ca_file = "/no/such/file"};
  const auto producer = KafkaProducer::open(kafka, {}, {time.clock(), time.timers(), metrics, nullptr});
  ASSERT_FALSE(producer);
  EXPECT_NE(producer.error().message.find("/no/such/file"), std::string::npos) << producer.error().message;
}

}  // namespace
}  // namespace scalestyle::support
