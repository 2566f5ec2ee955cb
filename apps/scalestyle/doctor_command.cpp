// scalestyle doctor: what this machine and configuration can do.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "command_list.hpp"
#include "ingest/models/manifest.hpp"
#include "ingest/models/model_store.hpp"
#include "model_report.hpp"
#include "nn/kernels/isa.hpp"
#include "recommend/ranker_file.hpp"
#include "reranker_report.hpp"
#include "reranker_stack.hpp"
#include "runtime.hpp"
#include "search/rule_text.hpp"
#include "settings_table.hpp"
#include "version.hpp"
#include "vision_stack.hpp"

namespace scalestyle::app {

namespace {

namespace json = boost::json;

json::object describe_cpu(const core::Settings& settings) {
  json::array usable;
  for (const auto isa : nn::kernels::supported_isas()) usable.emplace_back(nn::kernels::to_string(isa));
  const auto& features = nn::kernels::cpu_features();
  return {{"brand", features.brand},
          {"cores", compute_threads(settings)},
          {"kernels", nn::kernels::describe_active_isa()},
          {"usable", std::move(usable)},
          {"memory_mb", static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6}};
}

core::Result<json::array> describe_models(const core::Settings& settings) {
  CORE_TRY(const auto manifest, ingest::models::Manifest::built_in());
  json::array models;
  for (const auto& model : manifest.models()) {
    const auto found = ingest::models::inspect_model(model, std::filesystem::path(settings.text("models")) / model.name,
                                                     ingest::models::CheckDepth::kChecksums);
    std::string state = found.is_good() ? "installed" : found.is_absent() ? "not installed" : found.problems();
    models.push_back(json::object{{"name", model.name}, {"default", model.is_default}, {"required", model.is_required}, {"good", found.is_good()}, {"state", state}});
  }
  return models;
}

json::object describe_data(const core::Settings& settings) {
  if (!settings.is_set("data")) return {{"state", "no --data given"}, {"good", true}};
  const adapters::embedded::DataFolder folder(settings.text("data"));
  const auto problem = [](const core::Error& error) { return json::object{{"state", error.message}, {"good", false}}; };
  const auto current = folder.read_current();
  if (!current) return problem(current.error());
  const auto manifest = adapters::embedded::read_manifest(folder.generation(*current));
  if (!manifest) return problem(manifest.error());
  const auto checked = adapters::embedded::check_files(folder.generation(*current), *manifest, adapters::embedded::FileCheck::kHashes);
  if (!checked) return problem(checked.error());
  return {{"state", fmt::format("generation {} is complete, every checksum right", current->value())}, {"good", true}};
}

json::object describe_rules(const core::Settings& settings) {
  if (!settings.is_set("rules")) return {{"state", "no --rules given"}, {"good", true}};
  const auto rules = search::read_rules(settings.text("rules"));
  if (!rules) return {{"state", rules.error().message}, {"good", false}};
  const auto enabled = std::ranges::count_if(rules->rules(), &ranking::Rule::enabled);
  return {{"state", fmt::format("{} merchandising rules, {} of them enabled", rules->rules().size(), enabled)}, {"good", true}};
}

// The order of lists for one shopper.
json::object describe_ranker(const core::Settings& settings) {
  if (!settings.is_set("data")) return {{"state", "no --data given"}, {"good", true}};
  const auto chosen = recommend::choose_ranker(settings.text("data"), settings.text("ranker"));
  if (!chosen) return {{"state", chosen.error().message}, {"good", false}};
  return {{"state", chosen->why}, {"good", true}};
}

json::object describe_vision(const core::Settings& settings) {
  return describe_optional_model(settings, {.model = settings.text("vision_model"),
                                            .enabled = settings.boolean("vision_enabled")});
}

// Its weights are stored in 16 bits.
json::object describe_generation(const core::Settings& settings) {
  return describe_optional_model(settings, {.model = "qwen2-1.5b-instruct", .stored_bits = 16});
}

json::array describe_settings(const core::Settings& settings) {
  json::array values;
  for (const auto& [name, value] : settings.all()) {
    values.push_back(json::object{{"name", name}, {"value", shown_value(name, value.text)}, {"origin", value.origin}});
  }
  return values;
}

void print_text(const json::object& report) {
  const auto text = [](const json::value& value) { return std::string(value.as_string()); };
  const auto& cpu = report.at("cpu").as_object();
  fmt::print("scalestyle {}\n\nCPU        {}, {} cores, {:.0f} MB memory\nkernels    {}\n", text(report.at("version")), text(cpu.at("brand")),
             cpu.at("cores").to_number<std::size_t>(), cpu.at("memory_mb").as_double(), text(cpu.at("kernels")));
  for (const auto& model : report.at("models").as_array()) {
    const auto& entry = model.as_object();
    fmt::print("model      {}: {}{}\n", text(entry.at("name")), text(entry.at("state")), entry.at("default").as_bool() ? " (default set)" : "");
  }
  print_reranker(report.at("reranker").as_object());
  print_optional_model("vision", report.at("vision").as_object());
  print_optional_model("generation", report.at("generation").as_object());
  fmt::print("data       {}\n", text(report.at("data").as_object().at("state")));
  fmt::print("ranker     {}\n", text(report.at("ranker").as_object().at("state")));
  fmt::print("rules      {}\n\n", text(report.at("rules").as_object().at("state")));
  for (const auto& setting : report.at("settings").as_array()) {
    const auto& entry = setting.as_object();
    fmt::print("{:<26} {:<40} {}\n", text(entry.at("name")), text(entry.at("value")), text(entry.at("origin")));
  }
}

int run_doctor(const Invocation& invocation) {
  const auto& settings = invocation.settings;
  if (const auto chosen = choose_kernels(settings); !chosen) return report(chosen.error());
  auto models = describe_models(settings);
  if (!models) return report(models.error());
  json::object result{{"version", kVersion},
                      {"cpu", describe_cpu(settings)},
                      {"data", describe_data(settings)},
                      {"rules", describe_rules(settings)},
                      {"ranker", describe_ranker(settings)},
                      {"reranker", describe_reranker(settings)},
                      {"vision", describe_vision(settings)},
                      {"generation", describe_generation(settings)},
                      {"settings", describe_settings(settings)}};
  bool good = true;
  for (const char* part : {"data", "rules", "ranker", "reranker", "vision"}) good = result.at(part).as_object().at("good").as_bool() && good;
  for (const auto& model : *models) {
    const auto& entry = model.as_object();
    if (entry.at("required").as_bool()) good = good && entry.at("good").as_bool();
  }
  result["models"] = std::move(*models);
  result["good"] = good;
  if (settings.boolean("json")) {
    fmt::print("{}\n", json::serialize(result));
  } else {
    print_text(result);
  }
  return good ? kExitOk : kExitFailure;
}

}  // namespace

Command doctor_command() {
  return {.path = {"doctor"},
          .help = "What this machine and configuration can do; fails when search could not work",
          .settings = with_vision_settings(with_rerank_settings({"data", "models", "rules", "ranker", "isa", "compute_threads", "json"})),
          .run = run_doctor};
}

}  // namespace scalestyle::app
