#pragma once
// The model manifest: which files make up each model, and where they come from, every one pinned by size and SHA-256.
// The text is models/manifest.json, built into the binary. docs/models.md explains it. Immutable; safe to share.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::ingest::models {

struct PinnedFile {
  std::string name;           // a plain file name
  std::uint64_t size_bytes = 0;
  std::string sha256;         // 64 lower-case hex digits
};

struct HubSource {
  std::string repository;     // "owner/name"
  std::string revision;       // a commit: 40 hex digits
  std::vector<PinnedFile> files;
};

enum class PackageKind : std::uint8_t { kMaven, kPyPi };

enum class Recipe : std::uint8_t {
  kText,          // the manifest holds it
  kCopy,          // one entry of the archive as it is
  kBertFromOnnx,  // one ONNX entry converted to safetensors; the shape is that of the package's config.json
};

struct PackagedFile {
  PinnedFile file;            // the result
  Recipe recipe = Recipe::kCopy;
  std::string text;           // kText
  std::string entry;          // else: its name in the archive
  std::uint64_t entry_size_bytes = 0;
};

// A package of a language registry that carries the same weights.
struct PackageSource {
  PackageKind kind = PackageKind::kMaven;
  std::string coordinates;    // "group:artifact:version" or "name==version"
  PinnedFile archive;
  std::vector<PackagedFile> files;
};

struct Model {
  std::string name;
  std::string purpose;
  std::string licence;
  bool is_default = false;
  bool is_required = false;   // the default set is of no use without it
  HubSource hub;
  std::optional<PackageSource> package;

  [[nodiscard]] std::uint64_t size_bytes() const;  // of the hub's files
};

class Manifest {
 public:
  // kDataLoss, naming the model and the key at fault.
  [[nodiscard]] static core::Result<Manifest> parse(std::string_view json);
  // The manifest built into this binary.
  [[nodiscard]] static core::Result<Manifest> built_in();

  [[nodiscard]] const std::vector<Model>& models() const { return models_; }
  // kNotFound with the known names and the nearest one.
  [[nodiscard]] core::Result<const Model*> find(std::string_view name) const;

 private:
  std::vector<Model> models_;
};

}  // namespace scalestyle::ingest::models
