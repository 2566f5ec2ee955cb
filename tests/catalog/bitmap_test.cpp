#include "catalog/bitmap.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace scalestyle::catalog {
namespace {

TEST(Bitmap, AgreesWithAVectorOfBool) {
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 128U, 1000U}) {
    Bitmap a(size);
    Bitmap b(size, true);
    std::vector<bool> in_a(size);
    std::vector<bool> in_b(size, true);
    for (std::uint32_t i = 0; i < size; ++i) {
      if (i % 3 == 0) a.set(RowIndex{i}), in_a[i] = true;
      if (i % 5 == 0) b.reset(RowIndex{i}), in_b[i] = false;
    }
    Bitmap both = a;
    both &= b;
    Bitmap either = a;
    either |= b;
    Bitmap only_a = a;
    only_a.and_not(b);
    std::size_t count_both = 0;
    for (std::uint32_t i = 0; i < size; ++i) {
      EXPECT_EQ(both.test(RowIndex{i}), in_a[i] && in_b[i]);
      EXPECT_EQ(either.test(RowIndex{i}), in_a[i] || in_b[i]);
      EXPECT_EQ(only_a.test(RowIndex{i}), in_a[i] && !in_b[i]);
      if (in_a[i] && in_b[i]) ++count_both;
    }
    EXPECT_EQ(both.count(), count_both);
    EXPECT_EQ(both.none(), count_both == 0);
    std::vector<std::uint32_t> visited;
    a.for_each([&](RowIndex row) { visited.push_back(row.value); });
    EXPECT_EQ(visited.size(), a.count());
    for (std::size_t i = 0; i < visited.size(); ++i) EXPECT_EQ(visited[i], i * 3);
  }
}

TEST(Bitmap, BitsBeyondTheEndStayZero) {
  Bitmap full(70, true);
  EXPECT_EQ(full.count(), 70U);
  EXPECT_TRUE(full.all());
  EXPECT_EQ(full.words().back(), 0x3FU);
  full.set_word(1, ~std::uint64_t{0});
  EXPECT_EQ(full.words().back(), 0x3FU);
  EXPECT_TRUE(Bitmap().none());
}

}  // namespace
}  // namespace scalestyle::catalog
