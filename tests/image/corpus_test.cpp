// Every file of the corpus becomes what it says: the right picture, or the right error with a reason; and none takes more
// memory than the limits allow.

#include "image/corpus.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "image/picture_difference.hpp"

namespace scalestyle::image {
namespace {

using ::testing::HasSubstr;

#ifdef __SANITIZE_ADDRESS__
constexpr bool kSanitized = true;  // what is freed stays for a while
#else
constexpr bool kSanitized = false;
#endif

// Of this process, in bytes: the most resident since reset_peak(), and what is resident now.
struct Resident {
  std::uint64_t peak = 0;
  std::uint64_t now = 0;
};

Resident resident() {
  Resident out;
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") status >> out.peak;
    if (word == "VmRSS:") status >> out.now;
  }
  return {out.peak * 1024, out.now * 1024};
}

void reset_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

void check_result(const Specimen& specimen, const core::Result<Picture>& result) {
  if (result) {
    ASSERT_EQ(result->rgb.size(), std::size_t{result->width} * result->height * 3);
    EXPECT_LE(std::uint64_t{result->width} * result->height, corpus_limits().max_pixels);
  } else {
    EXPECT_FALSE(result.error().message.empty());
    EXPECT_FALSE(result.error().retryable);
  }
  if (specimen.picture) {
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_EQ(result->width, specimen.picture->width);
    ASSERT_EQ(result->height, specimen.picture->height);
    EXPECT_LE(difference(*result, *specimen.picture).mean, specimen.tolerance);
  } else if (specimen.error) {
    ASSERT_FALSE(result) << "decoded to " << result->width << " x " << result->height;
    EXPECT_EQ(core::to_string(result.error().code), core::to_string(*specimen.error)) << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(specimen.message));
  } else if (!result) {
    EXPECT_EQ(result.error().code, core::ErrorCode::kInvalidArgument) << result.error().message;
  }
}

void check_specimen(const Specimen& specimen) {
  SCOPED_TRACE(specimen.name);
  const std::span<const char> file(specimen.file);
  reset_peak();
  const std::uint64_t before = resident().now;
  const core::Result<Picture> result = decode(std::as_bytes(file), corpus_limits());
  const std::uint64_t peak = resident().peak;
  check_result(specimen, result);
  if (kSanitized) return;
  EXPECT_LE(peak - std::min(peak, before), 8 * corpus_limits().max_pixels + (std::uint64_t{4} << 20U));
}

class Corpus : public ::testing::Test {
 protected:
  static void check(const std::vector<Specimen>& specimens, std::size_t at_least) {
    EXPECT_GE(specimens.size(), at_least);
    for (const Specimen& specimen : specimens) check_specimen(specimen);
  }
};

TEST_F(Corpus, ValidJpegs) { check(valid_jpegs(), 60); }
TEST_F(Corpus, ValidPngs) { check(valid_pngs(), 80); }
TEST_F(Corpus, ValidWebps) { check(valid_webps(), 45); }
TEST_F(Corpus, OtherFormats) { check(other_formats(), 20); }
TEST_F(Corpus, Truncated) { check(truncated_files(), 160); }
TEST_F(Corpus, FlippedBits) { check(flipped_bits(), 200); }
TEST_F(Corpus, HostileJpegs) { check(hostile_jpegs(), 45); }
TEST_F(Corpus, HostilePngs) { check(hostile_pngs(), 30); }
TEST_F(Corpus, HostileWebps) { check(hostile_webps(), 15); }

}  // namespace
}  // namespace scalestyle::image
