#include "core/hash.hpp"

#include <gtest/gtest.h>

#include "core/files.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::core {
namespace {

// FIPS 180-2, appendix B.
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256_hex("abc"), kAbc);
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, PiecesEqualTheWhole) {
  Sha256 hash;
  hash.update("a");
  hash.update("bc");
  EXPECT_EQ(to_hex(hash.finish()), kAbc);
}

TEST(Sha256, Files) {
  const support::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "file", "abc"));
  EXPECT_EQ(sha256_file_hex(folder / "file").value(), kAbc);
  EXPECT_EQ(sha256_file_hex(folder / "missing").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace scalestyle::core
