// picture_variants FROM TO PERCENT QUALITY: every picture of a folder, so many percent of its size, as a JPEG of that quality
// under the same name. For tests.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include "image/decode.hpp"
#include "support/picture_files.hpp"

namespace scalestyle {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The mean of the area that becomes a pixel.
image::Picture resized(const image::Picture& from, unsigned percent) {
  image::Picture to;
  to.width = std::max(from.width * percent / 100, 1U);
  to.height = std::max(from.height * percent / 100, 1U);
  to.rgb.resize(std::size_t{3} * to.width * to.height);
  for (std::uint32_t y = 0; y < to.height; ++y) {
    for (std::uint32_t x = 0; x < to.width; ++x) {
      const std::uint32_t top = y * from.height / to.height;
      const std::uint32_t bottom = std::max(top + 1, (y + 1) * from.height / to.height);
      const std::uint32_t left = x * from.width / to.width;
      const std::uint32_t right = std::max(left + 1, (x + 1) * from.width / to.width);
      for (std::uint32_t channel = 0; channel < 3; ++channel) {
        std::uint32_t sum = 0;
        for (std::uint32_t row = top; row < bottom; ++row) {
          for (std::uint32_t column = left; column < right; ++column) {
            sum += from.rgb[3 * (std::size_t{row} * from.width + column) + channel];
          }
        }
        const std::uint32_t pixels = (bottom - top) * (right - left);
        to.rgb[3 * (std::size_t{y} * to.width + x) + channel] = static_cast<std::uint8_t>((sum + pixels / 2) / pixels);
      }
    }
  }
  return to;
}

int run(std::span<char*> arguments) {
  if (arguments.size() != 5) {
    std::fputs("usage: picture_variants FROM TO PERCENT QUALITY\n", stderr);
    return 2;
  }
  const fs::path to = arguments[2];
  const auto percent = static_cast<unsigned>(std::atoi(arguments[3]));
  const int quality = std::atoi(arguments[4]);
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(arguments[1])) {
    const std::string bytes = read(entry.path());
    const auto picture = image::decode(std::as_bytes(std::span(bytes)), {});
    if (!picture) {
      std::fprintf(stderr, "%s: %s\n", entry.path().c_str(), picture.error().message.c_str());
      return 1;
    }
    std::ofstream(to / entry.path().filename(), std::ios::binary)
        << support::encode_jpeg(resized(*picture, percent), {.quality = quality});
  }
  return 0;
}

}  // namespace
}  // namespace scalestyle

int main(int argc, char** argv) { return scalestyle::run({argv, static_cast<std::size_t>(argc)}); }
