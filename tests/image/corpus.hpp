#pragma once
// Valid, odd, damaged and hostile picture files, made anew each time and the same each time; each says what must become
// of it.

#include <optional>
#include <string>
#include <vector>

#include "image/decode.hpp"

namespace scalestyle::image {

struct Specimen {
  std::string name;
  std::string file;
  // Decodes to this, with that mean difference of a value.
  std::optional<Picture> picture{};
  double tolerance = 0;
  // Fails like this, with this in the message.
  std::optional<core::ErrorCode> error{};
  std::string message{};
  // Neither: damage that no checksum shows. Fails with kInvalidArgument or decodes to some picture within the limits.
};

// What the whole corpus is decoded under; no time limit, which would make the outcome depend on the machine.
[[nodiscard]] DecodeLimits corpus_limits();

[[nodiscard]] std::vector<Specimen> valid_jpegs();
[[nodiscard]] std::vector<Specimen> valid_pngs();
[[nodiscard]] std::vector<Specimen> valid_webps();
[[nodiscard]] std::vector<Specimen> other_formats();
[[nodiscard]] std::vector<Specimen> truncated_files();
[[nodiscard]] std::vector<Specimen> flipped_bits();
[[nodiscard]] std::vector<Specimen> hostile_jpegs();
[[nodiscard]] std::vector<Specimen> hostile_pngs();
[[nodiscard]] std::vector<Specimen> hostile_webps();

}  // namespace scalestyle::image
