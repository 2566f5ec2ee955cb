#pragma once
// Where this source tree is. Told to one file only, so that the tests' objects are the same in every checkout.

#include <filesystem>

namespace scalestyle::support {

[[nodiscard]] std::filesystem::path source_folder();

}  // namespace scalestyle::support
