// Files of a generation: the manifest, whose hash is set right so that what lies behind it is reached, and a damaged catalog.db.

#include <filesystem>

#include "adapters/embedded/catalog_file.hpp"
#include "adapters/embedded/generation_manifest.hpp"
#include "core/files.hpp"
#include "core/hash.hpp"
#include "fuzz/scratch_folder.hpp"
#include "fuzz/target.hpp"
#include "support/sample_generation.hpp"

namespace scalestyle::fuzz {
namespace {

namespace embedded = adapters::embedded;
namespace fs = std::filesystem;

constexpr std::string_view kDatabase = "SQLite format 3";
constexpr std::size_t kRows = 3;

std::string manifest() {
  embedded::GenerationManifest made;
  made.info = support::sample_info("20260301-abcdef");
  made.info.articles = kRows;
  made.counts.articles = kRows;
  made.price_source = "articles";
  made.files.push_back({.name = "catalog.db", .size_bytes = 4096, .sha256 = std::string(64, 'c')});
  return made.to_json();
}

std::string database() {
  const ScratchFolder folder;
  const fs::path path = folder / "catalog.db";
  catalog::CatalogBuilder builder;
  for (const char* id : {"0108775015", "0108775044", "0110065001"}) require(builder.add(support::sample_article(id)).has_value());
  const auto catalog = std::move(builder).build();
  const std::vector<embedded::VectorOrigin> origins(kRows);
  require(catalog && embedded::write_catalog_file(path, *catalog, origins).has_value());
  require(embedded::read_catalog_file(path, kRows).has_value());
  auto bytes = core::read_text_file(path, 1U << 20U);
  require(bytes.has_value());
  return std::move(*bytes);
}

// {"sha256":"<64 digits>",<line end>"manifest":<the hashed bytes><line end>}<line end>
std::string with_right_hash(std::string_view bytes) {
  constexpr std::string_view kBefore = "{\"sha256\":\"";
  constexpr std::string_view kAfter = "\",\n\"manifest\":";
  constexpr std::string_view kEnd = "\n}\n";
  const auto body = bytes.find(kAfter);
  if (body == std::string_view::npos || !bytes.ends_with(kEnd) ||
      body + kAfter.size() + kEnd.size() > bytes.size()) return std::string(bytes);
  const auto hashed = bytes.substr(body + kAfter.size(), bytes.size() - body - kAfter.size() - kEnd.size());
  return std::string(kBefore) + core::sha256_hex(hashed) + std::string(bytes.substr(body));
}

void check_manifest(std::string_view bytes) {
  const auto parsed = embedded::GenerationManifest::parse(with_right_hash(bytes), "manifest.json");
  if (!parsed) {
    require(parsed.error().code == core::ErrorCode::kDataLoss || parsed.error().code == core::ErrorCode::kFailedPrecondition);
    return;
  }
  require(embedded::GenerationManifest::parse(parsed->to_json(), "manifest.json").has_value());
}

void check_database(std::string_view bytes) {
  static const ScratchFolder folder;
  const fs::path path = folder.write("catalog.db", bytes);
  const auto catalog = embedded::read_catalog_file(path, kRows);
  if (catalog) require((*catalog)->size() == kRows);
  static_cast<void>(embedded::read_article_ids(path, kRows).has_value());
  static_cast<void>(embedded::read_vector_origins(path, kRows).has_value());
}

}  // namespace

std::vector<std::string> seeds() {
  require(embedded::GenerationManifest::parse(manifest(), "manifest.json").has_value());
  return {manifest(), database()};
}

std::vector<std::string> words() { return {"{", "}", "\"", "null", "-1", "18446744073709551615", "1e309", "\"files\":[",
                                           "\"format_version\":", "\x0d", "\x05"}; }

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scalestyle::fuzz;  // NOLINT: one function
  const std::string_view bytes = text_of(data, size);
  if (bytes.starts_with(kDatabase)) {
    check_database(bytes);
  } else {
    check_manifest(bytes);
  }
  return 0;
}
