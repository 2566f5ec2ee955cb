// scalestyle doctor: what this machine and configuration can do.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include <boost/json.hpp>

#include "command_list.hpp"
#include "doctor_parts.hpp"
#include "ingest/models/manifest.hpp"
#include "ingest/models/model_store.hpp"
#include "model_report.hpp"
#include "nn/kernels/isa.hpp"
#include "reranker_report.hpp"
#include "reranker_stack.hpp"
#include "runtime.hpp"
#include "settings_table.hpp"
#include "version.hpp"

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

core::Result<json::array> describe_models(const core::Settings& settings, bool quick) {
  CORE_TRY(const auto manifest, ingest::models::Manifest::built_in());
  const auto depth = quick ? ingest::models::CheckDepth::kSizes : ingest::models::CheckDepth::kChecksums;
  json::array models;
  for (const auto& model : manifest.models()) {
    const auto found = ingest::models::inspect_model(model, std::filesystem::path(settings.text("models")) / model.name, depth);
    std::string state = found.is_good() ? "installed" : found.is_absent() ? "not installed" : found.problems();
    models.push_back(json::object{{"name", model.name}, {"default", model.is_default}, {"required", model.is_required},
                                  {"good", found.is_good()}, {"state", state}});
  }
  return models;
}

json::array describe_settings(const core::Settings& settings) {
  json::array values;
  for (const auto& [name, value] : settings.all()) {
    values.push_back(json::object{{"name", name}, {"value", shown_value(name, value.text)}, {"origin", value.origin}});
  }
  return values;
}

std::string text_of(const json::object& object, std::string_view key) { return std::string(object.at(key).as_string()); }

// The files of models: one that nothing works without must be there and whole; another may be absent, but not damaged.
Check check_model_files(const core::Settings& settings, const json::array& models) {
  std::string bad;
  std::string good;
  for (const auto& value : models) {
    const auto& model = value.as_object();
    const bool absent = text_of(model, "state") == "not installed";
    const bool required = model.at("required").as_bool() && !settings.is_set("inference_url");
    if (model.at("good").as_bool()) good += (good.empty() ? "" : ", ") + text_of(model, "name");
    if (model.at("good").as_bool() || (absent && !required)) continue;
    bad += (bad.empty() ? "" : "; ") + text_of(model, "name") + ": " + text_of(model, "state");
  }
  if (!bad.empty()) return failed("model_files", bad, "`scalestyle models fetch` installs and repairs them");
  return passed("model_files", "installed: " + (good.empty() ? "none" : good));
}

// Of a report with `good` and `state`.
Check check_report(std::string name, const json::object& report, std::string advice) {
  if (!report.at("good").as_bool()) return failed(std::move(name), text_of(report, "state"), std::move(advice));
  const bool off = report.contains("enabled") && !report.at("enabled").as_bool();
  return off ? skipped(std::move(name), "off, " + text_of(report, "state")) : passed(std::move(name), text_of(report, "state"));
}

Check check_reranker(const core::Settings& settings, const json::object& report) {
  if (text_of(report, "state") == missing_reranker(settings)) {
    return warned("reranker", settings.text("reranker") + " is not installed: lists stay in their fused order",
                  "`scalestyle models fetch`, or --reranker none where none is wanted");
  }
  return check_report("reranker", report, "correct that setting, or --reranker none");
}

Checks check_models(const core::Settings& settings, const json::object& report, bool quick) {
  const auto& reranker = report.at("reranker").as_object();
  Checks checks{check_model_files(settings, report.at("models").as_array()), check_encoder(settings, quick)};
  checks.push_back(check_reranker(settings, reranker));
  if (reranker.contains("precisions")) {
    checks.push_back(judge_rerank_depth(rerank_rate(reranker, static_cast<std::size_t>(settings.integer("rerank_depth")))));
  } else {
    checks.push_back(skipped("rerank_depth", "no rate was measured"));
  }
  checks.push_back(check_report("vision", report.at("vision").as_object(),
                                "`scalestyle models fetch`, or --vision-enabled=false"));
  checks.push_back(check_report("generation_model", report.at("generation").as_object(),
                                "`scalestyle models fetch`, or --generation-enabled=false"));
  checks.push_back(check_memory_need(settings));
  return checks;
}

json::array as_json(const Checks& checks) {
  json::array all;
  for (const Check& check : checks) {
    all.push_back(json::object{{"name", check.name}, {"status", to_string(check.status)}, {"found", check.found},
                               {"advice", check.advice}});
  }
  return all;
}

void print_text(const json::object& report, const Checks& checks) {
  const auto& cpu = report.at("cpu").as_object();
  fmt::print("scalestyle {}\n\nCPU        {}, {} cores, {:.0f} MB memory\nkernels    {}\n\n", text_of(report, "version"),
             text_of(cpu, "brand"), cpu.at("cores").to_number<std::size_t>(), cpu.at("memory_mb").as_double(),
             text_of(cpu, "kernels"));
  fmt::print("{}{}\n\n", describe(checks), summary(checks));
  for (const auto& model : report.at("models").as_array()) {
    const auto& entry = model.as_object();
    fmt::print("model      {}: {}{}\n", text_of(entry, "name"), text_of(entry, "state"),
               entry.at("default").as_bool() ? " (default set)" : "");
  }
  print_reranker(report.at("reranker").as_object());
  print_optional_model("vision", report.at("vision").as_object());
  print_optional_model("generation", report.at("generation").as_object());
  fmt::print("\n");
  for (const auto& setting : report.at("settings").as_array()) {
    const auto& entry = setting.as_object();
    fmt::print("{:<26} {:<40} {}\n", text_of(entry, "name"), text_of(entry, "value"), text_of(entry, "origin"));
  }
}

void append(Checks& all, Checks more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// A model behind HTTP is looked at there.
json::object describe_model(const core::Settings& settings, const char* model, bool enabled, bool remote, unsigned stored_bits) {
  return describe_optional_model(settings,
                                 {.model = settings.text(model), .enabled = enabled && !remote, .stored_bits = stored_bits});
}

int run_doctor(const Invocation& invocation) {
  const auto& settings = invocation.settings;
  const bool quick = settings.boolean("quick");
  if (const auto chosen = choose_kernels(settings); !chosen) return report(chosen.error());
  auto models = describe_models(settings, quick);
  if (!models) return report(models.error());
  const bool remote_vision = settings.is_set("vision_url") ||
      (settings.is_set("inference_url") && settings.text("inference_api") == "tei");
  json::object result{{"version", kVersion},
                      {"cpu", describe_cpu(settings)},
                      {"models", std::move(*models)},
                      {"reranker", describe_reranker(settings, quick)},
                      {"vision", describe_model(settings, "vision_model", settings.boolean("vision_enabled"), remote_vision, 32)},
                      {"generation", describe_model(settings, "generation_model", settings.boolean("generation_enabled"),
                                                    settings.is_set("generation_url"), 16)},
                      {"settings", describe_settings(settings)}};
  Checks checks = check_machine(settings);
  append(checks, check_models(settings, result, quick));
  append(checks, check_disk(settings, quick));
  append(checks, check_data(settings, quick));
  checks.push_back(check_named_files(settings));
  append(checks, check_engines(settings));
  const bool good = is_good(checks, settings.boolean("strict"));
  result["checks"] = as_json(checks);
  result["good"] = good;
  if (settings.boolean("json")) {
    fmt::print("{}\n", json::serialize(result));
  } else {
    print_text(result, checks);
  }
  return good ? kExitOk : kExitFailure;
}

// All that serve takes: what it would do with them is the question.
std::vector<std::string> settings_names() {
  std::vector<std::string> names = serve_command().settings;
  for (const char* name : {"json", "quick", "strict"}) names.emplace_back(name);
  return names;
}

}  // namespace

Command doctor_command() {
  return {.path = {"doctor"},
          .help = "What this machine and configuration can do; 1 when something will not work, warnings alone do not fail",
          .settings = settings_names(),
          .run = run_doctor};
}

}  // namespace scalestyle::app
