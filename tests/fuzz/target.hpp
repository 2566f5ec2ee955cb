#pragma once
// What a fuzz target is: LLVMFuzzerTestOneInput, which says what must hold of any bytes at all, and bytes to begin with.
// driver.cpp runs it with mutants of the seeds from a fixed number; seed_files.cpp gives the same seeds to libFuzzer.
// README.md says how.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);  // of seed_files.cpp

namespace scalestyle::fuzz {

// Each target has these two. Seeds: inputs that get far; at least one. Words: what the format is made of.
[[nodiscard]] std::vector<std::string> seeds();
[[nodiscard]] std::vector<std::string> words();

// Ends the process, which keeps the input, where `holds` does not.
inline void require(bool holds) {
  if (!holds) std::abort();
}

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace scalestyle::fuzz
