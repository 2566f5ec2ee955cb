#include "adapters/embedded/data_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <system_error>

#include "adapters/embedded/generation_files.hpp"
#include "core/files.hpp"

namespace scalestyle::adapters::embedded {

namespace {

constexpr std::size_t kMaxIdBytes = 64;

bool is_id_byte(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '-' ||
         byte == '_' || byte == '.';
}

}  // namespace

bool is_generation_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxIdBytes && text.front() != '.' && std::ranges::all_of(text, is_id_byte);
}

core::Result<core::GenerationId> DataFolder::read_current() const {
  auto text = core::read_text_file(current_file(), 4096);
  if (!text) {
    if (text.error().code != core::ErrorCode::kNotFound) return std::unexpected(std::move(text).error());
    return core::fail(core::ErrorCode::kNotFound,
                      fmt::format("there is no catalogue in {}; make one with: scalestyle ingest --data {} --articles FILE",
                                  root_.string(), root_.string()));
  }
  std::string_view id = *text;
  if (id.ends_with('\n')) id.remove_suffix(1);
  if (!is_generation_id(id)) {
    return core::fail(core::ErrorCode::kDataLoss,
                      fmt::format("{} does not hold the id of a generation; ingest again", current_file().string()));
  }
  return core::GenerationId(std::string(id));
}

core::Status DataFolder::write_current(const core::GenerationId& id) const {
  return core::write_file_atomically(current_file(), id.value() + "\n");
}

core::Result<std::vector<core::GenerationId>> DataFolder::list_generations() const {
  std::vector<core::GenerationId> found;
  std::error_code error;
  std::filesystem::directory_iterator entries(generations(), error);
  if (error == std::errc::no_such_file_or_directory) return found;
  while (!error && entries != std::filesystem::directory_iterator()) {
    const std::string name = entries->path().filename().string();
    std::error_code ignored;
    if (is_generation_id(name) && std::filesystem::exists(entries->path() / kManifestFile, ignored)) {
      found.emplace_back(name);
    }
    entries.increment(error);
  }
  if (error) return std::unexpected(core::system_error("list", generations(), error.value()));
  std::ranges::sort(found);
  return found;
}

}  // namespace scalestyle::adapters::embedded
