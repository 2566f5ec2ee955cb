// Writing a generation, as the last step of an ingest does, and leaving it to be served: made-up articles with made-up vectors.
//   growth_generation_bench --articles FILE --rows N --like DATA --out FOLDER
// Words are drawn from FILE, an articles table (growth/made_up_products.hpp). The generation says that the model of DATA's current
// generation made its vectors, so that a server with that model serves it; what embedding costs is not in it. FOLDER must not exist;
// it becomes a data folder. Prints one line of JSON: making_s is of the articles and vectors, write_s of writing and syncing the files.

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "bench_support.hpp"
#include "catalog/product_text.hpp"
#include "core/files.hpp"
#include "growth/made_up_products.hpp"
#include "growth/made_up_vectors.hpp"
#include "growth/memory_figures.hpp"
#include "retrieval/quantized_vectors.hpp"

namespace scalestyle::adapters::embedded {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct BenchOptions {
  std::string articles;
  std::string like;
  std::filesystem::path out;
  std::size_t rows = 0;
};

double seconds_since(SteadyClock::time_point begin) { return std::chrono::duration<double>(SteadyClock::now() - begin).count(); }

core::Result<BenchOptions> parse(int argc, char** argv) {
  BenchOptions options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} needs a value", name));
    const char* value = argv[i + 1];
    if (name == "--articles") {
      options.articles = value;
    } else if (name == "--like") {
      options.like = value;
    } else if (name == "--out") {
      options.out = value;
    } else if (name == "--rows") {
      options.rows = std::strtoull(value, nullptr, 10);
    } else {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("unknown option {}", name));
    }
  }
  if (options.articles.empty() || options.like.empty() || options.out.empty() || options.rows < 100) {
    return core::fail(core::ErrorCode::kInvalidArgument, "--articles FILE, --like DATA, --out FOLDER and --rows N (100 or more) are needed");
  }
  if (std::filesystem::exists(options.out)) {
    return core::fail(core::ErrorCode::kAlreadyExists, options.out.string() + " exists");
  }
  return options;
}

core::Result<GenerationManifest> describe(const BenchOptions& options) {
  const DataFolder like(options.like);
  CORE_TRY(const auto id, like.read_current());
  CORE_TRY(const auto model, read_manifest(like.generation(id)));
  if (model.info.document_encoder.dimension != bench::kMadeUpDimension) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} has vectors of {} numbers, made-up ones have {}", options.like,
                                                                     model.info.document_encoder.dimension, bench::kMadeUpDimension));
  }
  GenerationManifest manifest;
  manifest.info.id = core::GenerationId(fmt::format("made-up-{}", options.rows));
  manifest.info.document_encoder = model.info.document_encoder;
  manifest.info.text_format = model.info.text_format;
  manifest.info.created_at = model.info.created_at;
  manifest.price_source = "none";
  return manifest;
}

core::Result<catalog::Catalog> make_catalogue(const BenchOptions& options) {
  CORE_TRY(const catalog::Catalog base, bench::read_catalogue(options.articles));
  CORE_TRY(const bench::MadeUpProducts products, bench::MadeUpProducts::learn(base));
  return products.make(options.rows);
}

core::Status run(const BenchOptions& options) {
  CORE_TRY(GenerationManifest manifest, describe(options));
  const auto begin = SteadyClock::now();
  CORE_TRY(const catalog::Catalog catalog, make_catalogue(options));
  const DataFolder folder(options.out);
  CORE_CHECK(core::make_folders(folder.generations()));
  const std::filesystem::path vectors = options.out / "made_up.f32";
  CORE_CHECK(bench::make_up_vectors(vectors, options.rows));
  CORE_TRY(const core::MappedFile file, core::MappedFile::open(vectors));
  CORE_TRY(const auto exact, retrieval::open_exact_vectors(file.bytes(), vectors.string(), retrieval::VectorCheck::kHeader));
  std::vector<VectorOrigin> origins;
  for (std::uint32_t row = 0; row < catalog.size(); ++row) {
    origins.push_back({catalog::hash_text(catalog::product_text_v1(catalog.row({row}).to_article()))});
  }
  manifest.counts.distinct_texts = catalog.size();
  const double making_s = seconds_since(begin);
  const auto written = SteadyClock::now();
  const core::GenerationId id = manifest.info.id;
  CORE_CHECK(write_generation(folder.generation(id), {.manifest = std::move(manifest), .catalog = &catalog, .origins = origins, .vectors = exact}));
  const double write_s = seconds_since(written);
  CORE_CHECK(folder.write_current(id));
  std::filesystem::remove(vectors);
  fmt::print(R"({{"rows":{},"making_s":{:.3f},"write_s":{:.4f},"peak_mb":{:.1f}}})"
             "\n",
             catalog.size(), making_s, write_s, bench::memory_figures().peak_mb);
  return {};
}

}  // namespace
}  // namespace scalestyle::adapters::embedded

int main(int argc, char** argv) {
  using namespace scalestyle;
  return bench::run_program("growth_generation_bench", adapters::embedded::parse(argc, argv), adapters::embedded::run);
}
