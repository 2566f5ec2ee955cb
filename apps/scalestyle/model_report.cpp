#include "model_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>

#include <boost/json.hpp>

#include "ingest/models/manifest.hpp"
#include "ingest/models/model_store.hpp"
#include "model_choice.hpp"

namespace scalestyle::app {

namespace {

namespace json = boost::json;

constexpr std::string_view kWeightsFile = "model.safetensors";
constexpr double kBytesPerMegabyte = 1e6;
constexpr std::array kPrecisions = {nn::Precision::kF32, nn::Precision::kBf16, nn::Precision::kInt8};

struct Found {
  std::string state;
  bool usable = false;
  std::optional<std::uint64_t> weights_bytes{};
};

Found find_folder(const std::string& model) {
  std::error_code error;
  const auto size = std::filesystem::file_size(std::filesystem::path(model) / kWeightsFile, error);
  if (error) return {.state = fmt::format("there is no {} in {}", kWeightsFile, model)};
  return {.state = "a folder that the setting names", .usable = true, .weights_bytes = size};
}

Found find_in_manifest(const core::Settings& settings, const std::string& name) {
  const auto manifest = ingest::models::Manifest::built_in();
  if (!manifest) return {.state = manifest.error().message};
  const auto model = manifest->find(name);
  if (!model) return {.state = model.error().message};
  Found found;
  const auto& files = (*model)->hub.files;
  if (const auto weights = std::ranges::find(files, kWeightsFile, &ingest::models::PinnedFile::name); weights != files.end()) {
    found.weights_bytes = weights->size_bytes;
  }
  const auto folder = std::filesystem::path(settings.text("models")) / name;
  const auto report = ingest::models::inspect_model(**model, folder, ingest::models::CheckDepth::kSizes);
  found.usable = report.is_good();
  found.state = found.usable ? "installed"
                             : fmt::format("{}; `scalestyle models fetch {}` installs it",
                                           report.is_absent() ? "not installed" : report.problems(), name);
  return found;
}

}  // namespace

json::object describe_optional_model(const core::Settings& settings, const OptionalModel& optional) {
  const bool is_path = optional.model.find('/') != std::string::npos;
  Found found = is_path ? find_folder(optional.model) : find_in_manifest(settings, optional.model);
  json::object report{{"model", optional.model}, {"enabled", optional.enabled}, {"state", found.state}};
  const std::uint64_t available = available_memory();
  if (available > 0) report["available_mb"] = static_cast<double>(available) / kBytesPerMegabyte;
  if (found.weights_bytes) {
    json::object needs;
    for (const nn::Precision precision : kPrecisions) {
      const auto need = memory_need(*found.weights_bytes, optional.stored_bits, precision);
      needs[nn::to_string(precision)] = static_cast<double>(need) / kBytesPerMegabyte;
    }
    report["memory_mb"] = std::move(needs);
  }
  report["good"] = found.usable || !optional.enabled;
  return report;
}

void print_optional_model(std::string_view label, const json::object& report) {
  fmt::print("{:<10} {}: {}, {}\n", label, std::string(report.at("model").as_string()),
             report.at("enabled").as_bool() ? "enabled" : "off", std::string(report.at("state").as_string()));
  if (!report.contains("memory_mb")) return;
  const auto& needs = report.at("memory_mb").as_object();
  std::string text;
  for (const auto& need : needs) {
    text += fmt::format("{}{} {:.0f} MB", text.empty() ? "" : ", ", std::string(need.key()), need.value().as_double());
  }
  fmt::print("           needs about {} of memory", text);
  if (report.contains("available_mb")) fmt::print("; {:.0f} MB are left", report.at("available_mb").as_double());
  fmt::print("\n");
}

}  // namespace scalestyle::app
