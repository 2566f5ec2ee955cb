// The steps of the request path are counted where they happen.

#include <gtest/gtest.h>

#include <string>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

double seconds_of(const std::string& page, const std::string& step) {
  const std::string line = "\nscalestyle_request_step_seconds_total{step=\"" + step + "\"} ";
  const auto at = page.find(line);
  return at == std::string::npos ? -1 : std::stod(page.substr(at + line.size()));
}

TEST(RequestStepsOfServerTest, ASearchAddsToEveryStepThatItTakes) {
  RunningServer server;
  server.publish();
  const std::string before = server.get("/metrics").body;
  ASSERT_EQ(server.get("/api/recommendation/search?query=name+1").status, 200);
  const std::string after = server.get("/metrics").body;
  // Those of encoder and index are of the real ones, which are not here.
  for (const char* step : {"read", "begin", "parameters", "to_worker", "batch_wait", "batch_back", "record", "json", "back", "write"}) {
    ASSERT_GE(seconds_of(before, step), 0) << step;
    EXPECT_GT(seconds_of(after, step), seconds_of(before, step)) << step;
  }
  EXPECT_LE(seconds_of(after, "parameters"), seconds_of(after, "begin"));
}

}  // namespace
}  // namespace scalestyle::http
