#include "http/image_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace scalestyle::http {
namespace {

using core::ErrorCode;

TEST(ImageType, ComesFromTheFirstBytes) {
  EXPECT_EQ(image_type("\xFF\xD8\xFF\xE0"), "image/jpeg");
  EXPECT_EQ(image_type("\x89PNG\r\n\x1A\n"), "image/png");
  EXPECT_EQ(image_type("GIF89a"), "image/gif");
  EXPECT_EQ(image_type("RIFF____WEBPVP8 "), "image/webp");
  EXPECT_EQ(image_type("RIFF____WAVE"), "");
  EXPECT_EQ(image_type("<svg>"), "");
  EXPECT_EQ(image_type(""), "");
}

TEST(EtagMatches, ReadsLists) {
  EXPECT_TRUE(etag_matches("\"a\"", "\"a\""));
  EXPECT_TRUE(etag_matches("\"b\" , W/\"a\"", "\"a\""));
  EXPECT_TRUE(etag_matches("*", "\"a\""));
  EXPECT_FALSE(etag_matches("", "\"a\""));
  EXPECT_FALSE(etag_matches("\"b\",", "\"a\""));
}

class ImageFileTest : public testing::Test {
 protected:
  ImageFileTest() : folder_(std::filesystem::temp_directory_path() / ("scalestyle_image_file_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_ / "images" / "sub");
    write("images/sub/a.jpg", "\xFF\xD8\xFF jpeg");
    write("outside.jpg", "\xFF\xD8\xFF jpeg");
  }
  ~ImageFileTest() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& content) const { std::ofstream(folder_ / name) << content; }
  [[nodiscard]] core::Result<ImageFile> read(const std::string& path, std::size_t max_bytes = 1000) const {
    return read_image_file((folder_ / "images").string(), path, max_bytes);
  }
  void expect_missing(const std::string& path) const {
    const auto file = read(path);
    ASSERT_FALSE(file) << path;
    EXPECT_EQ(file.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(file.error().message.find(folder_.string()), std::string::npos) << "tells the server's paths";
  }

  std::filesystem::path folder_;
};

TEST_F(ImageFileTest, ReadsWithTypeAndEtag) {
  const auto file = read("sub//./a.jpg");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->content, "\xFF\xD8\xFF jpeg");
  EXPECT_EQ(file->content_type, "image/jpeg");
  write("images/sub/a.jpg", "\xFF\xD8\xFF longer");
  EXPECT_NE(read("sub/a.jpg")->etag, file->etag);
}

TEST_F(ImageFileTest, NothingButRegularPicturesInsideTheFolder) {
  std::filesystem::create_symlink(folder_ / "outside.jpg", folder_ / "images/link.jpg");
  std::filesystem::create_directory_symlink(folder_, folder_ / "images/up");
  ASSERT_EQ(::mkfifo((folder_ / "images/pipe.jpg").c_str(), 0600), 0);
  write("images/big.jpg", std::string("\xFF\xD8\xFF") + std::string(2000, 'x'));
  write("images/empty.jpg", "");
  for (const char* path : {"", "/etc/passwd", "../outside.jpg", "sub/../../outside.jpg", "sub/../sub/a.jpg", "link.jpg", "up/outside.jpg",
                           "pipe.jpg", "sub", "none.jpg", "sub/a.jpg/b", "big.jpg", "empty.jpg"}) {
    expect_missing(path);
  }
  expect_missing(std::string("sub/a.jpg\0.png", 14));
}

}  // namespace
}  // namespace scalestyle::http
