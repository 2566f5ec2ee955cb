#pragma once
// The folder of installed models: <models>/<name>/ holds exactly the files of the manifest. What is being fetched
// lies in <models>/.fetch/ and is moved in place by one rename, so that a folder with a model's name is complete.
// Every file is checked against its pins; a damaged one is named. Functions are safe on different models.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "ingest/models/manifest.hpp"

namespace scalestyle::ingest::models {

enum class FileState : std::uint8_t { kGood, kMissing, kDamaged };
enum class CheckDepth : std::uint8_t { kSizes, kChecksums };

struct FileReport {
  std::string name;
  FileState state = FileState::kMissing;
  std::string detail;  // what is wrong with it
  std::string sha256;  // of a good file
};

struct ModelReport {
  std::vector<FileReport> files;

  [[nodiscard]] bool is_good() const;
  [[nodiscard]] bool is_absent() const;   // no file at all
  [[nodiscard]] std::string problems() const;
};

// Ok when `path` is `pin`. kNotFound when missing, kDataLoss naming the file, what it is and what it should be.
[[nodiscard]] core::Status check_file(const std::filesystem::path& path, const PinnedFile& pin);

// Compares `folder` with the pins of `model`: a file may be that of any of its sources.
[[nodiscard]] ModelReport inspect_model(const Model& model, const std::filesystem::path& folder, CheckDepth depth);

struct InstalledModel {
  std::filesystem::path folder;
  std::string weights_sha256;  // of model.safetensors
};

// The verified model `name`, ready to be loaded. kNotFound (unknown, not installed), kDataLoss naming the damaged
// file; each says which command helps. Reads every file once.
[[nodiscard]] core::Result<InstalledModel> open_model(const std::filesystem::path& models_folder,
                                                      std::string_view name);

// Where `model`'s files are gathered while they are fetched.
[[nodiscard]] std::filesystem::path staging_folder(const std::filesystem::path& models_folder, const Model& model);

// Makes the verified files `names` of `model`'s staging folder the installed model, replacing what was there.
// The caller holds the model's lock.
[[nodiscard]] core::Status install_staged(const std::filesystem::path& models_folder, const Model& model,
                                          const std::vector<std::string>& names);

}  // namespace scalestyle::ingest::models
