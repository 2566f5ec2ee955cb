// Thousands of damaged pictures from fixed seeds. fuzz/pictures.cpp says what must hold of each.

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "fuzz/target.hpp"
#include "support/picture_files.hpp"

namespace scalestyle::image {
namespace {

using namespace support;  // NOLINT: every name here is one of its

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void damage(std::string& file, const std::string& other) {
    if (file.empty()) return;
    const std::size_t at = below(file.size());
    const std::size_t length = std::min(1 + below(40), file.size() - at);
    switch (below(8)) {
      case 0: file[at] = static_cast<char>(static_cast<std::uint8_t>(file[at]) ^ 1U << below(8)); break;
      case 1: file[at] = static_cast<char>(random_()); break;
      case 2: file.resize(at); break;
      case 3: file.erase(at, length); break;
      case 4: file.insert(below(file.size()), file.substr(at, length)); break;
      case 5: file.replace(at, length, other.substr(below(other.size()), length)); break;
      case 6: file.replace(at, length, std::string(length, below(2) == 0 ? '\0' : '\xff')); break;
      default: {
        const std::string number = big_endian_32(kNumbers[below(kNumbers.size())]).substr(2);
        file.replace(at, std::min<std::size_t>(length, 2), number);
      }
    }
  }

 private:
  static constexpr std::array<std::uint32_t, 8> kNumbers = {0, 1, 2, 0x7F, 0xFF, 0x100, 0x7FFF, 0xFFFF};
  std::mt19937 random_;
};

TEST(Mutations, EveryOneIsRefusedOrDecoded) {
  const std::vector<std::string> files = fuzz::seeds();
  Mutator mutator(20240229);
  for (int i = 0; i < 6000; ++i) {
    std::string file = files[static_cast<std::size_t>(i) % files.size()];
    const std::string& other = files[mutator.below(files.size())];
    for (std::size_t times = 1 + mutator.below(4); times > 0; --times) mutator.damage(file, other);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  }
}

}  // namespace
}  // namespace scalestyle::image
