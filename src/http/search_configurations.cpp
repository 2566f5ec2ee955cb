#include "http/search_configurations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/files.hpp"
#include "core/text_distance.hpp"
#include "events/json_reader.hpp"
#include "http/json_writer.hpp"
#include "http/list_parameters.hpp"
#include "search/search_service.hpp"

namespace scalestyle::http {

namespace {

constexpr std::string_view kParameter = "config";
constexpr std::array<std::string_view, 7> kOwn{"query", "offset", "cursor", "userId", "sessionId", "after", kParameter};

bool is_name(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= kMaxConfigurationName && std::ranges::all_of(text, is_allowed);
}

// As a search by words takes them, with a query of its own.
core::Result<QueryPairs> parse_parameters(std::string_view text) {
  CORE_TRY(QueryPairs pairs, parse_query(text));
  for (const auto& [name, value] : pairs) {
    if (std::ranges::find(kOwn, name) == kOwn.end()) continue;
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} belongs to the request, not to a configuration", name), name);
  }
  QueryPairs checked = pairs;
  checked.emplace_back("query", "any");
  CORE_TRY(const auto parameters, Parameters::check(search_parameters(), std::move(checked)));
  CORE_TRY(const auto request, to_search_request(parameters, {}));
  CORE_CHECK(search::validate(request));
  return pairs;
}

std::string unknown_configuration(std::string_view name, std::span<const NamedConfiguration> known) {
  std::vector<std::string> names;
  for (const NamedConfiguration& configuration : known) names.push_back(configuration.name);
  const std::string shown = shown_name(name);
  const std::string nearest = core::nearest_name(shown, names);
  const std::string hint = nearest.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", nearest);
  return fmt::format("there is no configuration \"{}\"{}", shown, hint);
}

}  // namespace

core::Result<SearchConfigurations> SearchConfigurations::parse(std::string_view text, std::string_view file) {
  if (text.size() > kMaxConfigurationFileBytes) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}: has more than {} bytes", file, kMaxConfigurationFileBytes));
  }
  SearchConfigurations configurations;
  events::JsonReader json(text);
  const auto wrong_at = [&](std::size_t position, std::string_view what, std::string field = {}) {
    const auto line = std::ranges::count(text.substr(0, position), '\n') + 1;
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}:{}: {}", file, line, what), std::move(field));
  };
  json.begin_object();
  while (const auto key = json.next_key()) {
    const auto wrong = [&, here = json.position()](const std::string& what, std::string field = {}) {
      return wrong_at(here, what, std::move(field));
    };
    NamedConfiguration next{.name = std::string(*key), .text = json.text()};
    if (!json.ok()) break;
    const std::string whose = fmt::format("configuration \"{}\": ", shown_name(next.name));
    if (!is_name(next.name)) return wrong(fmt::format("{}a name has 1 to {} of A-Z a-z 0-9 . _ -", whose, kMaxConfigurationName));
    if (configurations.all_.size() == kMaxConfigurations) return wrong(fmt::format("more than {} configurations", kMaxConfigurations));
    const bool is_known = std::ranges::find(configurations.all_, next.name, &NamedConfiguration::name) != configurations.all_.end();
    if (is_known) return wrong(whose + "is given twice");
    auto parameters = parse_parameters(next.text);
    if (!parameters) return wrong(whose + parameters.error().message, parameters.error().field);
    next.parameters = std::move(*parameters);
    configurations.all_.push_back(std::move(next));
  }
  json.finish();
  if (!json.ok()) return wrong_at(json.position(), json.problem());
  std::ranges::sort(configurations.all_, {}, &NamedConfiguration::name);
  return configurations;
}

core::Result<SearchConfigurations> SearchConfigurations::read(const std::filesystem::path& path) {
  CORE_TRY(const std::string text, core::read_text_file(path, kMaxConfigurationFileBytes));
  return parse(text, path.string());
}

core::Status SearchConfigurations::complete(QueryPairs& pairs, std::span<const ParameterSpec> specs) const {
  const std::string_view wanted = wanted_configuration(pairs);
  if (wanted.empty()) return {};
  const auto found = std::ranges::find(all_, wanted, &NamedConfiguration::name);
  if (found == all_.end()) {
    return core::fail(core::ErrorCode::kInvalidArgument, unknown_configuration(wanted, all_), std::string(kParameter));
  }
  const std::size_t given = pairs.size();
  for (const auto& [name, value] : found->parameters) {
    const auto own = std::span(pairs).first(given);
    if (std::ranges::find(own, name, &QueryPairs::value_type::first) != own.end()) continue;
    if (std::ranges::find(specs, std::string_view(name), &ParameterSpec::name) != specs.end()) pairs.emplace_back(name, value);
  }
  return {};
}

core::Result<std::unique_ptr<ConfigurationFile>> ConfigurationFile::open(std::filesystem::path path) {
  std::unique_ptr<ConfigurationFile> file(new ConfigurationFile(std::move(path)));
  CORE_CHECK(file->read_now());
  return file;
}

void ConfigurationFile::follow_and_tell(telemetry::Logger& log) {
  const auto changed = follow();
  if (!changed) {
    if (changed.error().message == logged_error_) return;
    logged_error_ = changed.error().message;
    log.error("cannot follow the configurations of searches; those in force stay", {{"cause", logged_error_}});
    return;
  }
  if (!*changed) return;
  logged_error_.clear();
  log.info("configurations of searches were read", {{"configurations", current()->all().size()}});
}

core::Status complete_from(const ConfigurationFile* file, QueryPairs& pairs, std::span<const ParameterSpec> specs) {
  if (file != nullptr) return file->current()->complete(pairs, specs);
  if (wanted_configuration(pairs).empty()) return {};
  return core::fail(core::ErrorCode::kInvalidArgument,
                    "this server has no configurations: its setting configurations names the file of them", std::string(kParameter));
}

std::string_view wanted_configuration(const QueryPairs& pairs) {
  const auto found = std::ranges::find(pairs, kParameter, &QueryPairs::value_type::first);
  return found == pairs.end() ? std::string_view() : std::string_view(found->second);
}

std::string configurations_json(const ConfigurationFile* file, std::string_view request_id) {
  JsonWriter json(1024);
  json.begin_object();
  json.key("status").text("success");
  json.key("request_id").text(request_id);
  json.key("configurations").begin_array();
  const auto current = file != nullptr ? file->current() : std::make_shared<const SearchConfigurations>();
  for (const NamedConfiguration& configuration : current->all()) {
    json.begin_object();
    json.key("name").text(configuration.name);
    json.key("parameters").text(configuration.text);
    json.end_object();
  }
  json.end_array();
  const std::string failing = file != nullptr ? file->last_error() : std::string();
  if (!failing.empty()) json.key("failing").text(failing);
  json.end_object();
  return std::move(json).take();
}

void show_configurations(telemetry::Metrics& metrics, const ConfigurationFile& file) {
  auto count = metrics.gauge({"scalestyle_search_configurations", "Named configurations of searches in force."});
  auto failing = metrics.gauge({"scalestyle_search_configurations_failing",
                                "1 while the file of configurations as it is cannot be used."});
  metrics.on_render([count, failing, &file]() mutable {
    count.set(static_cast<double>(file.current()->all().size()));
    failing.set(file.last_error().empty() ? 0 : 1);
  });
}

}  // namespace scalestyle::http
