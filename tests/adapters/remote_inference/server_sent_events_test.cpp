#include "adapters/remote_inference/server_sent_events.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace scalestyle::adapters::remote_inference {
namespace {

using Events = std::vector<std::string>;

// "type|data" of every event, the stream coming in pieces of so many bytes.
Events read(const std::string& stream, std::size_t piece) {
  ServerSentEvents parser;
  Events events;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    const auto status = parser.push(std::string_view(stream).substr(at, piece), [&](const ServerSentEvent& event) {
      events.push_back(std::string(event.type) + "|" + std::string(event.data));
      return core::Status();
    });
    EXPECT_TRUE(status) << status.error().message;
  }
  return events;
}

TEST(ServerSentEvents, ReadsEventsHoweverTheyAreCut) {
  const std::string stream =
      "\xEF\xBB\xBF: a comment\n"
      "data: one\n\n"
      "event: note\r\ndata:two\r\ndata:  three\r\n\r\n"
      "data\r\r"            // empty data is an event too
      "id: 7\nretry: 9\n\n"  // no data: none
      "event: lost\n\n"
      "data: {\"a\":\"b:c\"}\n\n"
      "unknown: x\ndata: four\n\n"
      "data: cut off";
  const Events expected = {"message|one", "note|two\n three", "message|", "message|{\"a\":\"b:c\"}", "message|four"};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) EXPECT_EQ(read(stream, piece), expected) << piece;
}

TEST(ServerSentEvents, AnErrorOfTheConsumerEndsThePush) {
  ServerSentEvents parser;
  std::size_t seen = 0;
  const auto status = parser.push("data: a\n\ndata: b\n\n", [&](const ServerSentEvent&) {
    ++seen;
    return core::Status(core::fail(core::ErrorCode::kCancelled, "enough"));
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, core::ErrorCode::kCancelled);
  EXPECT_EQ(seen, 1U);
}

TEST(ServerSentEvents, LinesAndEventsHaveBounds) {
  const auto ignore = [](const ServerSentEvent&) { return core::Status(); };
  const ServerSentEvents::Limits limits{.max_line_bytes = 20, .max_event_bytes = 30};
  ServerSentEvents endless(limits);
  core::Status status;
  std::size_t pushed = 0;
  for (; status && pushed < 100; ++pushed) status = endless.push("x", ignore);
  EXPECT_EQ(pushed, 21U);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, core::ErrorCode::kResourceExhausted);
  ServerSentEvents many(limits);
  EXPECT_TRUE(many.push("data: 012345678901\ndata: 012345678901\n\n", ignore));
  EXPECT_TRUE(many.push("data: 012345678901\ndata: 012345678901\n", ignore));
  EXPECT_FALSE(many.push("data: 012345678901\n", ignore));
}

}  // namespace
}  // namespace scalestyle::adapters::remote_inference
