#include "core/text_distance.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace scalestyle::core {
namespace {

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("port", "port"), 0U);
  EXPECT_EQ(edit_distance("prot", "port"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(NearestName, FindsATypoAndRefusesTheUnrelated) {
  const std::vector<std::string> names = {"host", "port", "query_prefix"};
  EXPECT_EQ(nearest_name("prot", names), "port");
  EXPECT_EQ(nearest_name("query_perfix", names), "query_prefix");
  EXPECT_EQ(nearest_name("entirely_else", names), "");
  EXPECT_EQ(nearest_name(std::string(10'000, 'x'), names), "");
}

}  // namespace
}  // namespace scalestyle::core
