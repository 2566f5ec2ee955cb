#include "catalog/csv_reader.hpp"

#include <gmock/gmock.h>

namespace scalestyle::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<CsvRecord> read(std::string_view text) {
  CsvReader reader(text);
  std::vector<CsvRecord> records;
  CsvRecord record;
  while (reader.next(record)) records.push_back(record);
  EXPECT_EQ(reader.position(), text.size());
  return records;
}

TEST(CsvReader, PlainAndQuotedFields) {
  const auto records = read("a,b,c\n1,\"two, \"\"2\"\"\",\n");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_THAT(records[0].fields, ElementsAre("a", "b", "c"));
  EXPECT_THAT(records[1].fields, ElementsAre("1", "two, \"2\"", ""));
}

TEST(CsvReader, EveryLineEndAndTheBom) {
  for (const std::string_view text : {"\xEF\xBB\xBF" "a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2\r", "a,b\n1,2", "\n\na,b\r\n\r\n1,2\n\n"}) {
    const auto records = read(text);
    ASSERT_EQ(records.size(), 2U) << text;
    EXPECT_THAT(records[0].fields, ElementsAre("a", "b"));
    EXPECT_THAT(records[1].fields, ElementsAre("1", "2"));
  }
}

TEST(CsvReader, LinesArePhysical) {
  const auto records = read("h\n\"one\r\ntwo\nthree\"\n\nx\n");
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[1].line, 2U);
  EXPECT_EQ(records[1].fields[0], "one\r\ntwo\nthree");
  EXPECT_EQ(records[2].line, 6U);
}

TEST(CsvReader, StrayQuoteCostsOneLine) {
  const auto records = read("a,b\n1,\"never closed\n2,\"good\"\n3,ok\n");
  ASSERT_EQ(records.size(), 4U);
  EXPECT_THAT(records[1].error, HasSubstr("closing quote"));
  EXPECT_EQ(records[1].line, 2U);
  EXPECT_THAT(records[2].fields, ElementsAre("2", "good"));
  EXPECT_EQ(records[2].line, 3U);
  EXPECT_THAT(records[3].fields, ElementsAre("3", "ok"));
}

TEST(CsvReader, QuoteOpenAtTheEnd) {
  const auto records = read("a,b\n1,\"cut of");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_THAT(records[1].error, HasSubstr("opened on line 2 is not closed"));
}

TEST(CsvReader, QuoteInsideAPlainFieldIsText) {
  const auto records = read("5\" heel,x\n");
  ASSERT_EQ(records.size(), 1U);
  EXPECT_THAT(records[0].fields, ElementsAre("5\" heel", "x"));
}

TEST(CsvReader, QuotedFieldAboveTheLimitIsAnError) {
  const std::string text = "\"" + std::string(CsvReader::kMaxQuotedBytes + 1, 'x') + "\"\nnext\n";
  const auto records = read(text);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_FALSE(records[0].error.empty());
  EXPECT_THAT(records[1].fields, ElementsAre("next"));
}

TEST(CsvReader, EndsOnAnyBytes) {
  std::uint64_t state = 1;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (int i = 0; i < 24; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      text += "\",\n\rab"[(state >> 33) % 6];
    }
    std::uint64_t last_line = 0;
    for (const CsvRecord& record : read(text)) {
      EXPECT_GT(record.line, last_line);
      last_line = record.line;
    }
  }
}

}  // namespace
}  // namespace scalestyle::catalog
