#include "nn/safetensors_shards.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "core/files.hpp"
#include "core/hash.hpp"

namespace scalestyle::nn {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxIndexBytes = std::size_t{16} << 20U;
constexpr std::size_t kMaxFiles = 256;

bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos &&
         name.ends_with(".safetensors");
}

}  // namespace

core::Result<SafetensorsShards> SafetensorsShards::open(const std::filesystem::path& model_dir) {
  SafetensorsShards shards(model_dir);
  const std::filesystem::path single = model_dir / "model.safetensors";
  const std::filesystem::path index = model_dir / "model.safetensors.index.json";
  std::error_code missing;
  if (!std::filesystem::exists(single, missing) && std::filesystem::exists(index, missing)) {
    CORE_CHECK(shards.open_indexed(index));
    return shards;
  }
  CORE_TRY(SafetensorsFile file, SafetensorsFile::open(single));
  const auto [entry, added] = shards.files_.emplace(single.filename().string(), std::move(file));
  for (const auto& [name, tensor] : entry->second.tensors()) shards.places_.emplace(name, &entry->second);
  return shards;
}

core::Status SafetensorsShards::open_indexed(const std::filesystem::path& index) {
  const auto damaged = [&](std::string_view what) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: {}; fetch the model again", index.string(), what));
  };
  CORE_TRY(const std::string bytes, core::read_text_file(index, kMaxIndexBytes));
  boost::system::error_code error;
  const json::value value = json::parse(bytes, error);
  if (error) return damaged("not JSON: " + error.message());
  const json::object* object = value.if_object();
  const json::value* map = object == nullptr ? nullptr : object->if_contains("weight_map");
  if (map == nullptr || !map->is_object()) return damaged("there is no object \"weight_map\"");
  for (const auto& member : map->get_object()) {
    const std::string name(member.key());
    const json::string* file_name = member.value().if_string();
    if (file_name == nullptr || !is_plain_file_name(*file_name)) {
      return damaged(fmt::format("tensor \"{}\" is not in a file beside the index", name.substr(0, 200)));
    }
    auto file = files_.find(std::string_view(*file_name));
    if (file == files_.end()) {
      if (files_.size() == kMaxFiles) return damaged(fmt::format("more than {} files", kMaxFiles));
      CORE_TRY(SafetensorsFile opened, SafetensorsFile::open(index.parent_path() / std::string_view(*file_name)));
      file = files_.emplace(*file_name, std::move(opened)).first;
    }
    if (!file->second.contains(name)) {
      return damaged(fmt::format("tensor \"{}\" is not in {}", name.substr(0, 200), file->second.path().string()));
    }
    places_.emplace(name, &file->second);
  }
  return {};
}

core::Result<const SafetensorsFile*> SafetensorsShards::file_of(std::string_view name) const {
  const auto found = places_.find(name);
  if (found != places_.end()) return found->second;
  return core::fail(ErrorCode::kDataLoss,
                    fmt::format("{}: there is no tensor \"{}\"; fetch the model again", model_dir_.string(), name));
}

core::Result<const TensorView*> SafetensorsShards::find(std::string_view name, std::span<const std::uint64_t> shape) const {
  CORE_TRY(const SafetensorsFile* const file, file_of(name));
  return file->find(name, shape);
}

core::Result<std::vector<float>> SafetensorsShards::read_f32(std::string_view name,
                                                             std::span<const std::uint64_t> shape) const {
  CORE_TRY(const SafetensorsFile* const file, file_of(name));
  return file->read_f32(name, shape);
}

std::string SafetensorsShards::sha256() const {
  if (files_.size() == 1 && files_.contains("model.safetensors")) return files_.begin()->second.sha256();
  std::string lines;
  for (const auto& [name, file] : files_) lines += fmt::format("{}  {}\n", file.sha256(), name);
  return core::sha256_hex(lines);
}

void SafetensorsShards::release_pages() const {
  for (const auto& [name, file] : files_) file.release_pages();
}

}  // namespace scalestyle::nn
