#include "models_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stop_token>
#include <string_view>
#include <thread>

#include "adapters/embedded/http_client_curl.hpp"
#include "command_list.hpp"
#include "core/clock.hpp"
#include "ingest/models/fetch.hpp"
#include "ingest/models/manifest.hpp"
#include "ingest/models/model_store.hpp"

namespace scalestyle::app {
namespace {

namespace models = ingest::models;

constexpr double kBytesPerMegabyte = 1e6;
constexpr std::uint64_t kSmallestShownInParts = 8'000'000;  // a smaller file gets one line

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// A bar on a terminal; elsewhere a line at each tenth.
class ConsoleObserver final : public models::FetchObserver {
 public:
  explicit ConsoleObserver(const core::Clock& clock) : clock_(clock), terminal_(::isatty(STDERR_FILENO) == 1) {}

  void progress(std::string_view what, std::uint64_t done_bytes, std::uint64_t total_bytes) override {
    if (what != what_) {
      what_ = what;
      started_ = clock_.steady_now();
      first_bytes_ = done_bytes;
      last_tenth_ = 0;
      last_shown_ = {};
    }
    const auto now = clock_.steady_now();
    const std::uint64_t tenth = total_bytes == 0 ? 10 : done_bytes * 10 / total_bytes;
    const bool finished = done_bytes >= total_bytes;
    const bool large = total_bytes >= kSmallestShownInParts;
    const bool due = terminal_ ? now - last_shown_ >= std::chrono::milliseconds(200) : large && tenth > last_tenth_;
    if (!due && !finished) return;
    last_tenth_ = tenth;
    last_shown_ = now;
    show(done_bytes, total_bytes, std::chrono::duration<double>(now - started_).count());
    if (terminal_ && finished) fmt::print(stderr, "\n");
  }

  void note(std::string_view text) override { fmt::print(stderr, "{}{}\n", terminal_ ? "\r\x1b[K" : "", text); }

 private:
  void show(std::uint64_t done_bytes, std::uint64_t total_bytes, double seconds) const {
    const double done = static_cast<double>(done_bytes);
    const double total = static_cast<double>(total_bytes);
    const double rate = seconds > 0 ? (done - static_cast<double>(first_bytes_)) / seconds : 0;
    const std::string left = rate > 0 ? fmt::format(", {:.0f} s left", (total - done) / rate) : "";
    const std::string figures = fmt::format("{:.1f} of {:.1f} MB, {:.1f} MB/s{}", done / kBytesPerMegabyte,
                                            total / kBytesPerMegabyte, rate / kBytesPerMegabyte, left);
    if (!terminal_) {
      fmt::print(stderr, "{}: {}\n", what_, figures);
      return;
    }
    constexpr int kBarCells = 24;
    const int filled = total > 0 ? static_cast<int>(done / total * kBarCells) : kBarCells;
    fmt::print(stderr, "\r\x1b[K{} [{:=<{}}{: <{}}] {}", what_, "", filled, "", kBarCells - filled, figures);
    std::fflush(stderr);
  }

  const core::Clock& clock_;
  const bool terminal_;
  std::string what_;
  core::SteadyTime started_{};
  core::SteadyTime last_shown_{};
  std::uint64_t first_bytes_ = 0;
  std::uint64_t last_tenth_ = 0;
};

std::string_view state_of(const models::Model& model, const std::filesystem::path& folder) {
  const auto report = models::inspect_model(model, folder / model.name, models::CheckDepth::kSizes);
  if (report.is_absent()) return "-";
  return report.is_good() ? "installed" : "damaged";
}

int list(const models::Manifest& manifest, const std::filesystem::path& folder) {
  fmt::print("{:<24} {:>9} {:<9} {:<7} {:<10} {}\n", "NAME", "SIZE", "STATE", "DEFAULT", "LICENCE", "FOR");
  for (const auto& model : manifest.models()) {
    fmt::print("{:<24} {:>6.0f} MB {:<9} {:<7} {:<10} {}\n", model.name,
               static_cast<double>(model.size_bytes()) / kBytesPerMegabyte, state_of(model, folder),
               model.is_default ? "yes" : "no", model.licence, model.purpose);
  }
  fmt::print("in {}\n", folder.string());
  return kExitOk;
}

int verify(const std::vector<const models::Model*>& chosen, const std::filesystem::path& folder, bool only_installed) {
  int exit_code = kExitOk;
  for (const auto* model : chosen) {
    const auto report = models::inspect_model(*model, folder / model->name, models::CheckDepth::kChecksums);
    if (only_installed && report.is_absent()) continue;
    if (report.is_good()) {
      fmt::print("{}: good\n", model->name);
      continue;
    }
    exit_code = kExitFailure;
    fmt::print("{}: {}\n", model->name, report.is_absent() ? "not installed" : report.problems());
  }
  return exit_code;
}

int fetch(const std::vector<const models::Model*>& chosen, const models::FetchOptions& options, bool default_set) {
  const core::SystemClock clock;
  auto client = adapters::HttpClientCurl::create({}, clock);
  if (!client) return report(client.error());
  const std::jthread loop([&client](const std::stop_token& stop) { (*client)->run(stop); });
  models::SystemPackageTool package_tool(clock);
  ConsoleObserver observer(clock);
  const models::FetchServices services{**client, package_tool, clock, observer};
  int exit_code = kExitOk;
  for (const auto* model : chosen) {
    const auto fetched = models::fetch_model(*model, options, services);
    if (fetched) {
      fmt::print("{}: {} (from {})\n", model->name, fetched->folder.string(), fetched->source);
    } else if (default_set && !model->is_required) {
      fmt::print(stderr, "{}\n  going on without it\n", fetched.error().message);
    } else {
      report(fetched.error());
      exit_code = kExitFailure;
    }
  }
  return exit_code;
}

ModelsOptions options_of(const Invocation& invocation, ModelsAction action) {
  ModelsOptions options;
  options.action = action;
  options.names = invocation.positionals;
  options.models_folder = invocation.settings.text("models");
  if (action != ModelsAction::kFetch) return options;
  options.default_set = invocation.settings.boolean("default");
  options.all = invocation.settings.boolean("all");
  options.from_folder = invocation.settings.text("from");
  options.maven_url = invocation.settings.text("maven_url");
  return options;
}

core::Result<std::vector<const models::Model*>> choose(const models::Manifest& manifest, const ModelsOptions& options) {
  std::vector<const models::Model*> chosen;
  for (const std::string& name : options.names) {
    CORE_TRY(const auto* model, manifest.find(name));
    chosen.push_back(model);
  }
  if (!options.names.empty() && !options.all && !options.default_set) return chosen;
  if (!options.names.empty() || (options.all && options.default_set)) {
    return core::fail(core::ErrorCode::kInvalidArgument, "give model names, --default or --all, not several of them");
  }
  const bool everything = options.all || options.action == ModelsAction::kVerify;
  for (const auto& model : manifest.models()) {
    if (everything || model.is_default) chosen.push_back(&model);
  }
  return chosen;
}

}  // namespace

int run_models(const ModelsOptions& options) {
  const auto manifest = models::Manifest::built_in();
  if (!manifest) return report(manifest.error());
  auto fetch_options = models::fetch_options_of_environment(environment);
  fetch_options.models_folder = options.models_folder;
  fetch_options.maven_url = options.maven_url;
  fetch_options.from_folder = options.from_folder;
  if (const auto valid = fetch_options.validate(); !valid) return report(valid.error());
  const auto chosen = choose(*manifest, options);
  if (!chosen) return report(chosen.error());
  switch (options.action) {
    case ModelsAction::kList: return list(*manifest, fetch_options.models_folder);
    case ModelsAction::kVerify: return verify(*chosen, fetch_options.models_folder, options.names.empty());
    case ModelsAction::kFetch: return fetch(*chosen, fetch_options, options.names.empty() && !options.all);
  }
  return kExitUsage;
}

Command models_list_command() {
  return {.path = {"models", "list"},
          .help = "What models there are and which are installed",
          .settings = {"models"},
          .run = [](const Invocation& invocation) { return run_models(options_of(invocation, ModelsAction::kList)); }};
}

Command models_fetch_command() {
  return {.path = {"models", "fetch"},
          .help = "Fetch models; without a name the default set",
          .settings = {"models", "from", "default", "all", "maven_url"},
          .positional_help = "NAME",
          .run = [](const Invocation& invocation) { return run_models(options_of(invocation, ModelsAction::kFetch)); }};
}

Command models_verify_command() {
  return {.path = {"models", "verify"},
          .help = "Check models against their checksums; without a name all that are installed",
          .settings = {"models"},
          .positional_help = "NAME",
          .run = [](const Invocation& invocation) { return run_models(options_of(invocation, ModelsAction::kVerify)); }};
}

}  // namespace scalestyle::app
