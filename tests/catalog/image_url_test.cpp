#include "catalog/image_url.hpp"

#include <gtest/gtest.h>

namespace scalestyle::catalog {
namespace {

TEST(ImageUrl, IdsAreEncoded) {
  EXPECT_EQ(image_url("0108775015"), "/images/0108775015");
  EXPECT_EQ(image_url("a/../b"), "/images/a%2F%2E%2E%2Fb");
}

}  // namespace
}  // namespace scalestyle::catalog
