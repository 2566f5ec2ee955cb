// What is in the data folder and in the files that settings name; and the memory that serving it takes.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/event_log_reader.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "adapters/embedded/wal_inspection.hpp"
#include "core/files.hpp"
#include "doctor_judgement.hpp"
#include "doctor_parts.hpp"
#include "http/search_configurations.hpp"
#include "ingest/models/manifest.hpp"
#include "ingest/models/model_store.hpp"
#include "model_choice.hpp"
#include "nn/precision.hpp"
#include "recommend/ranker_file.hpp"
#include "search/rule_text.hpp"

namespace scalestyle::app {

namespace {

namespace fs = std::filesystem;
namespace embedded = adapters::embedded;

constexpr std::string_view kWeightsFile = "model.safetensors";
constexpr std::uint64_t kMegabyte = 1'000'000;
// A catalogue in memory with its words, suggestions and orders takes about so much of the size of catalog.db.
constexpr std::uint64_t kCatalogueTenths = 15;
constexpr std::size_t kMaxSystemFileBytes = 64U << 10U;

Check check_generation(const core::Settings& settings, bool quick) {
  if (!settings.is_set("data")) return skipped("generation", "no --data given");
  const embedded::DataFolder folder(settings.text("data"));
  const std::string repair = "`scalestyle ingest` makes a new generation";
  const auto current = folder.read_current();
  if (!current) return failed("generation", current.error(), repair);
  const auto manifest = embedded::read_manifest(folder.generation(*current));
  if (!manifest) return failed("generation", manifest.error(), repair);
  const auto depth = quick ? embedded::FileCheck::kSizes : embedded::FileCheck::kHashes;
  const auto checked = embedded::check_files(folder.generation(*current), *manifest, depth);
  if (!checked) return failed("generation", checked.error(), repair);
  std::string found = fmt::format("generation {} is complete, every {} right: {} articles, vectors of {} {}", current->value(),
                                  quick ? "size" : "checksum", manifest->counts.articles, manifest->info.document_encoder.model,
                                  manifest->info.document_encoder.precision);
  if (manifest->graph) found += fmt::format(", with a graph (m {}, ef {})", manifest->graph->neighbours, manifest->graph->construction);
  if (!manifest->graph && settings.text("vector_store") == "graph") {
    return failed("generation", std::move(found) + ", without a graph",
                  "vector_store=graph needs one: `scalestyle ingest --graph`, with --update where nothing else changed");
  }
  const auto& model = manifest->info.document_encoder.model;
  if (model != settings.text("model")) {
    return warned("generation", std::move(found),
                  fmt::format("the `model` setting is {}: search by meaning is refused; --model {} or a new ingest",
                              settings.text("model"), model));
  }
  return passed("generation", std::move(found));
}

Check check_event_log(const core::Settings& settings) {
  if (settings.text("event_log") != "embedded") return skipped("event_log", "events are in " + settings.text("event_log"));
  if (!settings.is_set("data")) return skipped("event_log", "no --data given");
  const fs::path folder = settings.text("data");
  std::error_code error;
  if (!fs::exists(folder / "events.db", error)) return passed("event_log", "no events yet: the server makes the log");
  const std::string look = "`scalestyle events verify` looks closely";
  const auto wal = embedded::inspect_wal((folder / "events.db-wal").string());
  if (!wal) return failed("event_log", wal.error(), look);
  if (wal->header_damaged || wal->certainly_lost() > 0) {
    return failed("event_log", "events.db-wal is damaged: acknowledged events are lost", look);
  }
  auto log = embedded::EventLogReader::open(folder);
  if (!log) return failed("event_log", log.error(), look);
  const auto removed = log->removed_through();
  if (!removed) return failed("event_log", removed.error(), look);
  const auto last = log->last_offset();
  if (!last) return failed("event_log", last.error(), look);
  return passed("event_log", fmt::format("events of positions {} to {}, at a glance sound", *removed + 1, *last));
}

Check check_rules(const core::Settings& settings) {
  if (!settings.is_set("rules")) return skipped("rules", "no --rules given");
  const auto rules = search::read_rules(settings.text("rules"));
  if (!rules) return failed("rules", rules.error(), "correct that file: a server that runs keeps the rules it has");
  const auto enabled = std::ranges::count_if(rules->rules(), &ranking::Rule::enabled);
  return passed("rules", fmt::format("{} merchandising rules, {} of them enabled", rules->rules().size(), enabled));
}

Check check_configurations(const core::Settings& settings) {
  if (!settings.is_set("configurations")) return skipped("configurations", "no --configurations given");
  const auto named = http::SearchConfigurations::read(settings.text("configurations"));
  if (!named) return failed("configurations", named.error(), "correct that file: a server that runs keeps those it has");
  return passed("configurations", fmt::format("{} named configurations of searches", named->all().size()));
}

// The order of lists for one shopper.
Check check_ranker(const core::Settings& settings) {
  if (!settings.is_set("data")) return skipped("ranker", "no --data given");
  const auto chosen = recommend::choose_ranker(settings.text("data"), settings.text("ranker"));
  if (!chosen) return failed("ranker", chosen.error(), "--ranker off leaves it out, `scalestyle train ranker` makes one");
  return passed("ranker", chosen->why);
}

// Of a model that the manifest knows; of others the size of their file.
std::uint64_t model_bytes(const core::Settings& settings, const std::string& model, const std::string& precision,
                          unsigned stored_bits) {
  const auto parsed = nn::parse_precision(precision);
  const fs::path folder = model.find('/') != std::string::npos ? fs::path(model) : fs::path(settings.text("models")) / model;
  std::error_code error;
  const auto size = fs::file_size(folder / kWeightsFile, error);
  return error || !parsed ? 0 : memory_need(size, stored_bits, *parsed);
}

std::uint64_t file_bytes(const embedded::GenerationManifest& manifest, std::string_view name) {
  const auto found = std::ranges::find(manifest.files, name, &embedded::FileRecord::name);
  return found == manifest.files.end() ? 0 : found->size_bytes;
}

std::vector<MemoryPart> model_parts(const core::Settings& settings) {
  std::vector<MemoryPart> parts;
  if (!settings.is_set("inference_url")) {
    parts.push_back({"text model", model_bytes(settings, settings.text("model"), settings.text("query_precision"), 32)});
  }
  if (!settings.is_set("inference_url") && !settings.is_set("rerank_url") && settings.text("reranker") != "none") {
    parts.push_back({"reranker", model_bytes(settings, settings.text("reranker"), settings.text("rerank_precision"), 32)});
  }
  if (settings.boolean("vision_enabled") && !settings.is_set("inference_url") && !settings.is_set("vision_url")) {
    parts.push_back({"vision", model_bytes(settings, settings.text("vision_model"), settings.text("vision_precision"), 32)});
  }
  if (settings.boolean("generation_enabled") && !settings.is_set("generation_url")) {
    parts.push_back({"language model",
                     model_bytes(settings, settings.text("generation_model"), settings.text("generation_precision"), 16)});
  }
  return parts;
}

std::uint64_t generation_bytes(const core::Settings& settings) {
  if (!settings.is_set("data")) return 0;
  const embedded::DataFolder folder(settings.text("data"));
  const auto current = folder.read_current();
  if (!current) return 0;
  const auto manifest = embedded::read_manifest(folder.generation(*current));
  if (!manifest) return 0;
  std::uint64_t bytes = file_bytes(*manifest, embedded::kCatalogFile) * kCatalogueTenths / 10;
  for (const auto name : {embedded::kExactVectorsFile, embedded::kQuantizedVectorsFile, embedded::kExactImageVectorsFile,
                          embedded::kQuantizedImageVectorsFile, embedded::kNeighboursFile, embedded::kGraphFile,
                          embedded::kImageGraphFile}) {
    bytes += file_bytes(*manifest, name);
  }
  return bytes;
}

// The smallest limit of the process's control group and of those above it.
std::uint64_t control_group_limit() {
  const auto text = core::read_text_file("/proc/self/cgroup", kMaxSystemFileBytes);
  if (!text) return 0;
  const ControlGroups groups = parse_control_groups(*text);
  std::uint64_t least = 0;
  const auto look = [&least](const fs::path& file) {
    const auto content = core::read_text_file(file, kMaxSystemFileBytes);
    const std::uint64_t limit = content ? parse_memory_limit(*content) : 0;
    if (limit > 0 && (least == 0 || limit < least)) least = limit;
  };
  for (const auto& folder : groups.unified) look("/sys/fs/cgroup" + folder + "/memory.max");
  for (const auto& folder : groups.memory) look("/sys/fs/cgroup/memory" + folder + "/memory.limit_in_bytes");
  // In a container with a name space of its own, or none of the paths is mounted.
  look("/sys/fs/cgroup/memory.max");
  look("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  return least;
}

}  // namespace

Checks check_data(const core::Settings& settings, bool quick) {
  Checks checks;
  if (settings.text("catalog_store") != "embedded" && !settings.is_set("data")) {
    checks.push_back(skipped("generation", "the catalogue is in " + settings.text("catalog_store")));
  } else {
    checks.push_back(check_generation(settings, quick));
  }
  checks.push_back(check_event_log(settings));
  checks.push_back(check_rules(settings));
  checks.push_back(check_configurations(settings));
  checks.push_back(check_ranker(settings));
  return checks;
}

Check check_memory_need(const core::Settings& settings) {
  constexpr std::uint64_t kProgramBytes = 60'000'000;
  std::vector<MemoryPart> parts = model_parts(settings);
  parts.push_back({"catalogue and vectors", generation_bytes(settings)});
  const auto megabytes = [&](const char* name) { return static_cast<std::uint64_t>(settings.integer(name)) * kMegabyte; };
  if (settings.text("feature_store") == "embedded") parts.push_back({"features at most", megabytes("feature_memory_mb")});
  parts.push_back({"caches at most", megabytes("list_cache_mb") + megabytes("pair_cache_mb") + megabytes("near_cache_mb") +
                                         megabytes("picture_cache_mb")});
  parts.push_back({"the program", kProgramBytes});
  return judge_memory(parts, {.available_bytes = available_memory(), .limit_bytes = control_group_limit()});
}

}  // namespace scalestyle::app
