#pragma once
// Where tests find data that is not part of the repository. One setting: SCALESTYLE_SHARED.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/source_folder.hpp"

namespace scalestyle::support {

inline std::filesystem::path shared_dir() {
  if (const char* value = std::getenv("SCALESTYLE_SHARED"); value != nullptr && *value != '\0') return value;
  return source_folder() / ".." / "shared";
}

inline std::filesystem::path models_dir() {
  if (const char* value = std::getenv("SCALESTYLE_MODELS"); value != nullptr && *value != '\0') return value;
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : ".") / ".cache" / "scalestyle" / "models";
}

inline bool on_ci() {
  const char* value = std::getenv("CI");
  return value != nullptr && std::string(value) == "true";
}

}  // namespace scalestyle::support

// Skips the running test when `path` is missing; with CI=true that is a failure.
#define SCALESTYLE_NEED(path)                                                                   \
  if (!std::filesystem::exists(path)) {                                                         \
    if (scalestyle::support::on_ci()) FAIL() << "missing on CI: " << (path).string();           \
    GTEST_SKIP() << "not available here: " << (path).string();                                  \
  }                                                                                             \
  static_assert(true)
