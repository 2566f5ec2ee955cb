// The measuring of clicks: a load generator that calls a bad answer good would hide what it is there to find.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "click_exchange.hpp"
#include "command_line.hpp"
#include "support/temporary_folder.hpp"
#include "sync_probe.hpp"

namespace scalestyle::load {
namespace {

using ::testing::HasSubstr;

std::string body_of(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }

ClickOptions options(std::size_t batch) { return {.host = "h:1", .items = {"1", "2", "3"}, .users = 7, .seed = 5, .batch = batch}; }

TEST(ClickExchangeTest, ClicksAreWholeRequestsWithIdsThatNeverRepeat) {
  ClickExchange exchange(options(1));
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    const std::string request = exchange.next_request().value();
    const std::string body = body_of(request);
    EXPECT_TRUE(request.starts_with("POST /api/events/click HTTP/1.1\r\n"));
    EXPECT_THAT(request, HasSubstr("Content-Length: " + std::to_string(body.size()) + "\r\n"));
    ids.insert(std::string(boost::json::parse(body).at("event_id").as_string()));
  }
  EXPECT_EQ(ids.size(), 100U);
  EXPECT_NE(exchange.next_request(), ClickExchange({.host = "h:1", .items = {"1"}, .seed = 6}).next_request());
}

TEST(ClickExchangeTest, AFillVisitsEveryUserOnce) {
  auto wanted = options(10);
  wanted.users = 30;
  wanted.each_user_once = true;
  ClickExchange exchange(wanted);
  std::set<std::string> users;
  std::size_t requests = 0;
  while (const auto request = exchange.next_request()) {
    ++requests;
    EXPECT_TRUE(request->starts_with("POST /api/events HTTP/1.1\r\n"));
    const auto body = boost::json::parse(body_of(*request));
    for (const auto& event : body.at("events").as_array()) users.insert(std::string(event.at("user_id").as_string()));
  }
  EXPECT_EQ(requests, 3U);
  EXPECT_EQ(users.size(), 30U);
}

TEST(ClickExchangeTest, OnlyATokenForEveryEventIsGood) {
  const std::string event = R"({"status":"stored","event_id":"a","token":"t"})";
  const auto judged = [](std::size_t batch, int status, const std::string& body) {
    return ClickExchange(options(batch)).judge({.status = status, .keep_alive = true, .body = body}, 0).error;
  };
  EXPECT_EQ(judged(1, 200, R"({"status":"success","event_id":"a","token":"t"})"), "");
  EXPECT_EQ(judged(2, 200, R"({"status":"success","results":[)" + event + "," + event + "]}"), "");
  EXPECT_THAT(judged(2, 200, R"({"status":"success","results":[)" + event + "]}"), HasSubstr("1 tokens for 2"));
  EXPECT_THAT(judged(1, 503, R"({"status":"error"})"), HasSubstr("503"));
  EXPECT_NE(judged(1, 200, R"({"status":"error"})"), "");
}

TEST(SyncProbeTest, MeasuresAndLeavesNothing) {
  const support::TemporaryFolder folder;
  SyncProbe probe;
  ASSERT_TRUE(probe.start(folder.path(), 1'000));
  while (std::filesystem::is_empty(folder.path()) || std::filesystem::file_size(*std::filesystem::directory_iterator(folder.path())) < 3 * 4'120) {
    std::this_thread::yield();
  }
  const auto latencies = probe.stop();
  ASSERT_TRUE(latencies);
  EXPECT_GE(latencies->size(), 2U);
  EXPECT_GT(latencies->front(), 0.0);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SyncProbeTest, AFolderThatIsNotThereIsAnError) {
  SyncProbe probe;
  const auto started = probe.start("/nonexistent/folder", 10);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("/nonexistent/folder"));
}

core::Status parse(const CommandLine& line, std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "program");
  std::vector<std::string> copies(arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (auto& copy : copies) pointers.push_back(copy.data());
  return line.parse(static_cast<int>(pointers.size()), pointers.data());
}

TEST(CommandLineTest, TakesEachKindAndRefusesTheRest) {
  std::string text;
  double number = 0;
  bool flag = false;
  CommandLine line;
  line.text("text", text);
  line.number("number", number);
  line.flag("flag", flag);
  EXPECT_TRUE(parse(line, {"--text", "--number", "--flag", "--number", "2.5"}));
  EXPECT_EQ(text, "--number");
  EXPECT_EQ(number, 2.5);
  EXPECT_TRUE(flag);
  EXPECT_THAT(parse(line, {"--nubmer", "1"}).error().message, HasSubstr("--nubmer"));
  EXPECT_THAT(parse(line, {"--number", "1x"}).error().message, HasSubstr("1x"));
  EXPECT_THAT(parse(line, {"--number"}).error().message, HasSubstr("value is missing"));
  EXPECT_THAT(parse(line, {"stray"}).error().message, HasSubstr("stray"));
}

}  // namespace
}  // namespace scalestyle::load
