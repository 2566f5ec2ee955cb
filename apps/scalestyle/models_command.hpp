#pragma once
// `scalestyle models list|fetch|verify`.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace scalestyle::app {

enum class ModelsAction : std::uint8_t { kList, kFetch, kVerify };

struct ModelsOptions {
  ModelsAction action = ModelsAction::kList;
  std::vector<std::string> names;        // empty: the default set (fetch), what is installed (verify)
  bool default_set = false;
  bool all = false;
  std::filesystem::path from_folder;     // fetch: look there first
  std::filesystem::path models_folder;
  std::string maven_url;                 // empty: no Maven repository is asked
};

// The command: what it finds goes to standard output, progress and problems to standard error.
// HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are read here. Returns the exit code of command.hpp: a model that is damaged
// or cannot be had is a failure, but not an optional one of the default set.
[[nodiscard]] int run_models(const ModelsOptions& options);

}  // namespace scalestyle::app
