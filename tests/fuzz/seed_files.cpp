// With FUZZ_SEEDS=FOLDER in the environment the target's seeds are written there, and its words to FOLDER.dict, before anything
// else: libFuzzer takes them as files.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "fuzz/target.hpp"

namespace scalestyle::fuzz {

namespace {

std::string quoted(const std::string& word) {
  std::string text = "\"";
  for (const char c : word) {
    char code[8];
    std::snprintf(code, sizeof(code), "\\x%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += code;
  }
  return text + "\"\n";
}

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::size_t number = 0;
  for (const std::string& seed : seeds()) std::ofstream(folder / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
  std::ofstream dictionary(folder.string() + ".dict", std::ios::binary);
  for (const std::string& word : words()) dictionary << quoted(word);
}

}  // namespace

}  // namespace scalestyle::fuzz

int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  if (const char* const folder = std::getenv("FUZZ_SEEDS"); folder != nullptr) scalestyle::fuzz::write_seeds(folder);
  return 0;
}
