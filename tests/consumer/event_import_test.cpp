#include "consumer/event_import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "consumer/line_reader.hpp"
#include "events/event_json.hpp"

namespace scalestyle::consumer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A pipe that gives `text` in pieces of `piece` bytes.
class TextPipe {
 public:
  explicit TextPipe(std::string text, std::size_t piece = 1'000'000) {
    if (::pipe(ends_) != 0) ADD_FAILURE() << "pipe";
    writer_ = std::thread([this, text = std::move(text), piece] {
      for (std::size_t at = 0; at < text.size(); at += piece) {
        const auto part = std::string_view(text).substr(at, piece);
        if (::write(ends_[1], part.data(), part.size()) != static_cast<ssize_t>(part.size())) break;
      }
      ::close(ends_[1]);
    });
  }
  ~TextPipe() {
    std::string rest(4096, '\0');
    while (::read(ends_[0], rest.data(), rest.size()) > 0) {
    }
    writer_.join();
    ::close(ends_[0]);
  }
  TextPipe(const TextPipe&) = delete;
  TextPipe& operator=(const TextPipe&) = delete;
  [[nodiscard]] int descriptor() const { return ends_[0]; }

 private:
  int ends_[2]{};
  std::thread writer_;
};

std::vector<std::string> all_lines(const std::string& text, std::size_t piece, std::size_t limit = 10) {
  const TextPipe pipe(text, piece);
  LineReader reader(pipe.descriptor(), "pipe", limit);
  std::vector<std::string> lines;
  Line line;
  while (reader.next(line).value()) {
    EXPECT_EQ(line.number, lines.size() + 1);
    lines.push_back(std::string(line.text) + (line.too_long ? "…" : ""));
  }
  return lines;
}

TEST(LineReaderTest, LinesWhateverTheirEndsAndPieces) {
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 1'000u}) {
    SCOPED_TRACE(piece);
    EXPECT_THAT(all_lines("a\r\n\nbc\nlast", piece), ElementsAre("a", "", "bc", "last"));
    EXPECT_THAT(all_lines("a\n", piece), ElementsAre("a"));
    EXPECT_TRUE(all_lines("", piece).empty());
    EXPECT_THAT(all_lines("0123456789\n0123456789\r\n01234567890\nnext\n", piece),
                ElementsAre("0123456789", "0123456789", "0123456789…", "next"));
  }
}

TEST(LineReaderTest, ALongLineTakesNoMoreThanItsLimit) {
  const std::string text = std::string(3'000'000, 'x') + "\nshort\n";
  EXPECT_THAT(all_lines(text, 100'000), ElementsAre("xxxxxxxxxx…", "short"));
}

TEST(LineReaderTest, EndsWhenInterruptedAndNamesWhatItCannotRead) {
  const TextPipe pipe("a\n");
  const TextPipe cancel("stop");
  pollfd ready{cancel.descriptor(), POLLIN, 0};
  ASSERT_EQ(::poll(&ready, 1, -1), 1);
  LineReader interrupted(pipe.descriptor(), "pipe", 10, cancel.descriptor());
  Line line;
  EXPECT_EQ(interrupted.next(line).error().code, core::ErrorCode::kCancelled);
  LineReader closed(1'000'000, "events.jsonl", 10);  // no such descriptor
  EXPECT_THAT(closed.next(line).error().message, HasSubstr("events.jsonl"));
}

events::Event click(const std::string& id) {
  return {.event_id = id, .user_id = core::UserId("u-1"), .event_time_ms = 1'772'366'400'000,
          .received_time_ms = 1'772'366'400'000, .item_id = "0108775015", .category = "Vest top", .weight = 1};
}

struct Collected {
  std::vector<std::size_t> batches;
  std::vector<std::string> ids;
  std::vector<std::string> rejects;
  int fail_at_batch = -1;

  ImportSink sink() {
    return {.append = [this](std::vector<events::Event> batch, ImportCounts& counts) -> core::Status {
              if (static_cast<int>(batches.size()) == fail_at_batch) return core::fail(core::ErrorCode::kResourceExhausted, "disk full");
              batches.push_back(batch.size());
              for (const auto& event : batch) ids.push_back(event.event_id);
              counts.kept += batch.size();
              return {};
            },
            .reject = [this](const std::string& message) { rejects.push_back(message); }};
  }
};

core::Status import_text(const std::string& text, Collected& collected, ImportCounts& counts) {
  const TextPipe pipe(text, 4096);
  LineReader lines(pipe.descriptor(), "events.jsonl", events::kMaxEventJsonBytes);
  return import_events(lines, 2, collected.sink(), counts);
}

TEST(EventImportTest, GoodLinesInBatchesBadLinesByNumber) {
  std::string text = events::to_json(click("a")) + "\n\n" + events::to_json(click("b")) + "\nnot json\n" +
                     events::to_json(click("c")) + "\n" + std::string(events::kMaxEventJsonBytes + 1, ' ') + "x\n{}\n";
  Collected collected;
  ImportCounts counts;
  ASSERT_TRUE(import_text(text, collected, counts));
  EXPECT_THAT(collected.ids, ElementsAre("a", "b", "c"));
  EXPECT_THAT(collected.batches, ElementsAre(2u, 1u));
  EXPECT_EQ(counts.lines, 6u);
  EXPECT_EQ(counts.rejected, 3u);
  EXPECT_EQ(counts.kept, 3u);
  EXPECT_EQ(counts.done_through_line, 7u);
  ASSERT_EQ(collected.rejects.size(), 3u);
  EXPECT_THAT(collected.rejects[0], HasSubstr("events.jsonl, line 4"));
  EXPECT_THAT(collected.rejects[1], HasSubstr("line 6: longer than"));
  EXPECT_THAT(collected.rejects[2], HasSubstr("line 7"));
}

TEST(EventImportTest, AFailedBatchEndsItAndSaysHowFarItCame) {
  std::string text;
  for (const auto* id : {"a", "b", "c", "d", "e"}) text += events::to_json(click(id)) + "\n";
  Collected collected;
  collected.fail_at_batch = 1;
  ImportCounts counts;
  const auto imported = import_text(text, collected, counts);
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().message, "disk full");
  EXPECT_EQ(counts.done_through_line, 2u);
  EXPECT_THAT(collected.ids, ElementsAre("a", "b"));
}

TEST(EventImportTest, NothingIsNothing) {
  Collected collected;
  ImportCounts counts;
  ASSERT_TRUE(import_text("", collected, counts));
  ASSERT_TRUE(import_text("\n \n\t\n", collected, counts));
  EXPECT_EQ(counts.lines, 0u);
  EXPECT_TRUE(collected.batches.empty());
}

}  // namespace
}  // namespace scalestyle::consumer
