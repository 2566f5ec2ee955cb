#pragma once
// A folder for what opens no file in memory (SQLite, DuckDB). One a process, removed at its end unless that is a crash.

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "fuzz/target.hpp"

namespace scalestyle::fuzz {

class ScratchFolder {
 public:
  ScratchFolder() : path_((std::filesystem::temp_directory_path() / "scalestyle-fuzz-XXXXXX").string()) {
    require(::mkdtemp(path_.data()) != nullptr);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::filesystem::path path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return std::filesystem::path(path_) / name; }

  // Nothing is in it afterwards.
  void clear() const {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) std::filesystem::remove_all(entry.path());
  }
  // The file's whole content.
  std::filesystem::path write(std::string_view name, std::string_view bytes) const {
    std::filesystem::path file = *this / name;
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    return file;
  }

 private:
  std::string path_;
};

}  // namespace scalestyle::fuzz
