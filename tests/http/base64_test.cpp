#include "http/base64.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace scalestyle::http {
namespace {

std::string encode(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8U | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) text += at + i > bytes.size() ? '=' : kAlphabet[group >> (18U - 6U * i) & 63U];
  }
  return text;
}

TEST(Base64, DecodesTheExamplesOfTheStandard) {
  const std::vector<std::pair<std::string, std::string>> examples{{"", ""},         {"Zg==", "f"},        {"Zm8=", "fo"},        {"Zm9v", "foo"},
                                                                  {"Zm9vYg==", "foob"}, {"Zm9vYmE=", "fooba"}, {"Zm9vYmFy", "foobar"}};
  for (const auto& [text, bytes] : examples) EXPECT_EQ(base64_decode(text).value(), bytes) << text;
}

TEST(Base64, DecodesWhatWasEncoded) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_EQ(base64_decode(encode(bytes)).value(), bytes) << size;
  }
}

TEST(Base64, RefusesEverythingElse) {
  for (const std::string text : {"Z", "Zg", "Zg=", "Zg===", "=", "==", "====", "Z===", "Zm9v=", "Zm9v Zg==", "Zm9v\nZm9v", "Zm-_", "Zm9vé",
                                 "Z=g=", "Zh==", "Zm9="}) {
    const auto refused = base64_decode(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, core::ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(base64_decode("Zm9v!A==").error().message, "is not Base64 at character 5");
  EXPECT_EQ(base64_decode(std::string("Zm\0v", 4)).error().message, "is not Base64 at character 3");
}

TEST(Base64, DataUrlsAreTakenOff) {
  EXPECT_EQ(without_data_url("Zm9v").value(), "Zm9v");
  EXPECT_EQ(without_data_url("data:image/jpeg;base64,Zm9v").value(), "Zm9v");
  EXPECT_EQ(without_data_url("DATA:;Base64,Zm9v").value(), "Zm9v");
  EXPECT_EQ(without_data_url("data:image/png;name=a;base64,").value(), "");
  EXPECT_FALSE(without_data_url("data:image/jpeg,Zm9v"));
  EXPECT_FALSE(without_data_url("data:image/jpeg;base64"));
  EXPECT_FALSE(without_data_url("data:" + std::string(1'000, 'a') + ";base64,Zm9v"));
}

}  // namespace
}  // namespace scalestyle::http
