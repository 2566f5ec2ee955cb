#include "catalog/date.hpp"

#include <gtest/gtest.h>

namespace scalestyle::catalog {
namespace {

TEST(Date, ReadsCalendarDays) {
  using std::chrono::days;
  EXPECT_EQ(parse_date("1970-01-01").value().time_since_epoch(), days(0));
  EXPECT_EQ(parse_date("1970-01-02").value().time_since_epoch(), days(1));
  EXPECT_EQ(*parse_date("2020-03-01") - *parse_date("2020-02-28"), days(2));
  EXPECT_TRUE(parse_date("0001-01-01"));
  EXPECT_TRUE(parse_date("9999-12-31"));
}

TEST(Date, IsWrittenAsItIsRead) {
  for (const char* text : {"1970-01-01", "2020-02-29", "0001-01-01", "9999-12-31"}) EXPECT_EQ(format_date(*parse_date(text)), text);
}

TEST(Date, EveryOtherTextIsNone) {
  for (const char* text : {"", "2020", "2020-1-01", "2020-01-1", "2020/01/01", "20200101", "2020-01-01 ", " 2020-01-01", "2020-00-01",
                           "2020-01-00", "2020-13-01", "2021-02-29", "2020-04-31", "-020-01-01", "2020-01-0x", "+020-01-01"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

}  // namespace
}  // namespace scalestyle::catalog
