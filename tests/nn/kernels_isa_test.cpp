#include "nn/kernels/isa.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "nn/kernels_support.hpp"

namespace scalestyle::nn::kernels {
namespace {

TEST(KernelsIsa, ScalarIsAlwaysThereAndTheBestIsActive) {
  const auto isas = supported_isas();
  ASSERT_FALSE(isas.empty());
  EXPECT_EQ(isas.front(), Isa::kScalar);
  EXPECT_TRUE(std::is_sorted(isas.begin(), isas.end()));
  EXPECT_EQ(active_isa(), isas.back());
  EXPECT_NE(describe_active_isa().find(to_string(best_isa())), std::string::npos);
  EXPECT_FALSE(cpu_features().brand.empty());
}

TEST(KernelsIsa, EverySupportedOneCanBeForcedAndAutoGoesBack) {
  for (const Isa isa : supported_isas()) {
    ASSERT_TRUE(force_isa(to_string(isa)));
    EXPECT_EQ(active_isa(), isa);
  }
  ASSERT_TRUE(force_isa("auto"));
  EXPECT_EQ(active_isa(), best_isa());
}

TEST(KernelsIsa, UnknownAndUnsupportedNamesAreErrorsAndChangeNothing) {
  const auto unknown = force_isa("avx1024");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_NE(unknown.error().message.find("avx1024"), std::string::npos);
  for (const Isa isa : {Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512, Isa::kAvx512Vnni, Isa::kAmxInt8}) {
    if (supports(isa)) continue;
    const auto status = force_isa(to_string(isa));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, core::ErrorCode::kUnsupported);
  }
  EXPECT_EQ(active_isa(), best_isa());
}

}  // namespace
}  // namespace scalestyle::nn::kernels
