#pragma once
// models/manifest.json as the build put it into the binary.

#include <string_view>

namespace scalestyle::ingest::models {

[[nodiscard]] std::string_view manifest_text();

}  // namespace scalestyle::ingest::models
