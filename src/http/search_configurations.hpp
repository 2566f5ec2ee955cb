#pragma once
// SearchConfigurations: named parameters of searches, out of a file, for the parameter `config`: a JSON object whose members are
// names and query strings,
//
//   {"wide": "legs=lexical,dense,image&rerank=false", "calm": "max_per_type=3&facets=true"}
//
// A request that names one is answered as if it had given those parameters too; what it gives itself counts, and of a parameter that
// may repeat, it alone. What a request is about stays its own: query, offset, cursor and whom it is for.
// Thread safety: immutable, but for ConfigurationFile, which is a FollowedFile (search/followed_file.hpp).

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "http/parameters.hpp"
#include "http/query_string.hpp"
#include "search/followed_file.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::http {

inline constexpr std::size_t kMaxConfigurations = 100;
inline constexpr std::size_t kMaxConfigurationFileBytes = std::size_t{256} << 10U;
inline constexpr std::size_t kMaxConfigurationName = 64;  // letters, digits, ".", "_" and "-"

struct NamedConfiguration {
  std::string name;
  std::string text;         // as the file has it
  QueryPairs parameters{};  // checked as a search by words checks them
};

class SearchConfigurations {
 public:
  // `file` begins the messages, then come the line, the configuration and what is wrong, with the parameter as field.
  // kInvalidArgument: not such JSON, a name twice or of another form, more than the limits, a parameter that is unknown (the nearest
  // is told), of a wrong value, or a request's own.
  [[nodiscard]] static core::Result<SearchConfigurations> parse(std::string_view text, std::string_view file);
  // The same of a file; kNotFound and the like when it cannot be read.
  [[nodiscard]] static core::Result<SearchConfigurations> read(const std::filesystem::path& path);

  [[nodiscard]] std::span<const NamedConfiguration> all() const { return all_; }  // by name

  // Adds to `pairs`, which ask for one by `config` or not, what it says and they do not, as far as `specs` know it: a route that
  // lacks a parameter does without. kInvalidArgument, field "config": there is none of that name (the nearest is told).
  [[nodiscard]] core::Status complete(QueryPairs& pairs, std::span<const ParameterSpec> specs) const;

 private:
  std::vector<NamedConfiguration> all_;
};

class ConfigurationFile final : public search::FollowedFile<SearchConfigurations> {
 public:
  // Reads the file. Errors: those of SearchConfigurations::read().
  [[nodiscard]] static core::Result<std::unique_ptr<ConfigurationFile>> open(std::filesystem::path path);

  // follow(), told in the log; what is wrong with a file is told once. By one at a time.
  void follow_and_tell(telemetry::Logger& log);

 private:
  explicit ConfigurationFile(std::filesystem::path path) : FollowedFile(std::move(path), &SearchConfigurations::read) {}

  std::string logged_error_;
};

// What complete() does with the content of `file`; null: there are none.
[[nodiscard]] core::Status complete_from(const ConfigurationFile* file, QueryPairs& pairs, std::span<const ParameterSpec> specs);

// The configuration that pairs ask for; empty: none.
[[nodiscard]] std::string_view wanted_configuration(const QueryPairs& pairs);

// {"status", "request_id", "configurations": […], "failing"?}; `file` null: there are none.
[[nodiscard]] std::string configurations_json(const ConfigurationFile* file, std::string_view request_id);

// Gauges of the configurations in force and of a file that cannot be followed. `file` must outlive the last render.
void show_configurations(telemetry::Metrics& metrics, const ConfigurationFile& file);

}  // namespace scalestyle::http
