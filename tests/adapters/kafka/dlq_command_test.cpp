// scalestyle dlq, the program itself, on a real broker.

#include <sys/wait.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "adapters/kafka/kafka_record_router.hpp"
#include "kafka_support.hpp"
#include "support/sample_event.hpp"

namespace scalestyle::support {
namespace {

using namespace std::chrono_literals;

[[maybe_unused]] ::testing::Environment* const kBrokers = ::testing::AddGlobalTestEnvironment(new KafkaBrokers);

class DlqCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    KAFKA_OR_SKIP(server, "1");
    kafka_ = plain_options(*server);
    topics_.events = new_topic_name();
    const auto made = ensure_topics(kafka_, topics_, {.partitions = 2}, 30s);
    ASSERT_TRUE(made) << made.error().message;
    producer_ = running_producer(kafka_, time_, metrics_);
  }
  void lay_down(const std::string& id) {
    KafkaRecordRouter router(**producer_, time_.clock(), metrics_, topics_);
    events::LoggedEvent event;
    event.event = sample_click(id, "ann");
    event.position = {topics_.events, 0, 1};
    event.delivery.retries = 3;
    ASSERT_TRUE(core::sync_wait(
        router.put_off(event, {core::ErrorCode::kInternal, "wrong \x1b[31m type"}, core::Deadline::after(30s, time_.clock()))));
  }
  // The exit code and standard output of `scalestyle dlq …`.
  std::pair<int, std::string> run(const std::string& arguments) {
    const std::string command = std::string(SCALESTYLE_PROGRAM) + " dlq " + arguments + " --kafka-brokers " + kafka_.brokers +
                                " --kafka-topic " + topics_.events + " 2>&1 </dev/null";
    FILE* const pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return {-1, {}};
    std::string output;
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;) output += static_cast<char>(c);
    const int ended = ::pclose(pipe);
    return {WIFEXITED(ended) ? WEXITSTATUS(ended) : -1, output};
  }
  boost::json::value json(const std::string& arguments) {
    const auto [code, output] = run(arguments + " --json");
    EXPECT_EQ(code, 0) << output;
    boost::system::error_code error;
    auto value = boost::json::parse(output, error);
    EXPECT_FALSE(error) << output;
    return value;
  }

  RunningTimers time_;
  telemetry::Metrics metrics_;
  KafkaOptions kafka_;
  KafkaTopics topics_;
  std::unique_ptr<Running<KafkaProducer>> producer_;
};

TEST_F(DlqCommandTest, ListsShowsReplaysAndDrops) {
  for (const char* id : {"one", "two", "three"}) lay_down(id);
  EXPECT_EQ(json("list").at("total"), 3);
  EXPECT_EQ(json("list --limit 1").at("letters").as_array().size(), 1U);
  EXPECT_EQ(json("list --reason permanent_failure").at("total"), 0);
  const auto [code, text] = run("list");
  EXPECT_EQ(code, 0);
  EXPECT_NE(text.find("3 dead letters; 3 of \"max_retries_exceeded\""), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "a letter moved the terminal's cursor";
  const auto shown = json("show two");
  EXPECT_EQ(shown.at("id"), "two");
  EXPECT_EQ(shown.at("retry_count"), 3);
  EXPECT_NE(std::string(shown.at("original_value").as_string()).find(R"("event_id":"two")"), std::string::npos);

  EXPECT_EQ(json("replay one --keep").at("done"), 1);
  EXPECT_EQ(json("list").at("total"), 3);
  EXPECT_EQ(json("replay one").at("done"), 1);
  EXPECT_EQ(json("list").at("total"), 2);
  EXPECT_EQ(read_raw_records(kafka_, topics_.events, 2).size(), 2U);
  EXPECT_EQ(json("drop two").at("done"), 1);
  EXPECT_EQ(json("replay --all").at("done"), 1);
  EXPECT_EQ(json("list").at("total"), 0);
}

TEST_F(DlqCommandTest, MistakesAreToldAndChangeNothing) {
  lay_down("one");
  EXPECT_EQ(run("drop").first, 2);            // which?
  EXPECT_EQ(run("drop one --all").first, 2);  // which?
  EXPECT_EQ(run("show nobody").first, 2);
  EXPECT_EQ(run("show").first, 2);
  const auto [code, text] = run("replay nobody");
  EXPECT_EQ(code, 1);
  EXPECT_NE(text.find("there is no letter \"nobody\""), std::string::npos) << text;
  EXPECT_EQ(run("list --kafka-security ssl2").first, 2);
  EXPECT_EQ(json("list").at("total"), 1);
}

}  // namespace
}  // namespace scalestyle::support
