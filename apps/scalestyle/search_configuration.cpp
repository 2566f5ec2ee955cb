#include "search_configuration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "http/list_parameters.hpp"
#include "http/parameters.hpp"

namespace scalestyle::app {

namespace {

constexpr std::string_view kDeadline = "deadline_ms";
constexpr std::string_view kCollapse = "collapse";
constexpr std::string_view kDefaultName = "default";

core::Result<search::SearchRequest> to_request(http::QueryPairs pairs, core::SteadyTime now) {
  CORE_TRY(const auto parameters, http::Parameters::check(http::search_parameters(), std::move(pairs)));
  return http::to_search_request(parameters, now);
}

core::Result<SearchConfiguration> parse(std::string_view text, const http::ConfigurationFile* named_ones) {
  if (text.starts_with('@')) {
    const std::string name(text.substr(1));
    return parse(name + ":config=" + name, named_ones);
  }
  // A colon before the first "=" ends the name; one behind it belongs to a value.
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::size_t colon = text.substr(0, equals).rfind(':');
  const bool named = colon != std::string_view::npos;
  SearchConfiguration configuration{.name = std::string(named ? text.substr(0, colon) : text)};
  if (configuration.name.empty()) return core::fail(core::ErrorCode::kInvalidArgument, "the name is empty");
  if (!named && equals == text.size()) {
    if (text == kDefaultName) return configuration;
    return core::fail(core::ErrorCode::kInvalidArgument, "is neither NAME:parameter=value nor parameter=value");
  }
  CORE_TRY(auto pairs, http::parse_query(named ? text.substr(colon + 1) : text));
  for (auto& [name, value] : pairs) {
    if (name == "query" || name == "offset" || name == "cursor") {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} is set by the evaluation", name), name);
    }
    if (name == "prefix") configuration.prefix = std::move(value);
    else configuration.parameters.emplace_back(std::move(name), std::move(value));
  }
  CORE_CHECK(http::complete_from(named_ones, configuration.parameters, http::search_parameters()));
  return configuration;
}

}  // namespace

core::Result<SearchConfiguration> parse_search_configuration(std::string_view text, const http::ConfigurationFile* named) {
  const auto in_configuration = [text](core::Error error) {
    error.message = fmt::format("configuration \"{}\": {}", text, error.message);
    return std::unexpected(std::move(error));
  };
  auto configuration = parse(text, named);
  if (!configuration) return in_configuration(configuration.error());
  auto checked = configuration->parameters;
  checked.emplace_back("query", "any");
  const auto request = to_request(std::move(checked), {});
  if (!request) return in_configuration(request.error());
  const auto set_default = [&](std::string_view name, std::string value) {
    const bool given = std::ranges::any_of(configuration->parameters, [name](const auto& pair) { return pair.first == name; });
    if (!given) configuration->parameters.emplace_back(name, std::move(value));
  };
  const auto is_k = [](const auto& pair) { return pair.first == "k"; };
  if (std::ranges::any_of(configuration->parameters, is_k)) configuration->k = request->k;
  std::erase_if(configuration->parameters, is_k);
  set_default(kDeadline, fmt::format("{}", search::kMaxDeadline.count()));
  set_default(kCollapse, "false");
  return configuration;
}

core::Result<search::SearchRequest> make_search_request(const SearchConfiguration& configuration, std::string_view query,
                                                        std::size_t k, std::size_t offset, core::SteadyTime now) {
  http::QueryPairs pairs = configuration.parameters;
  pairs.emplace_back("query", configuration.prefix + std::string(query));
  pairs.emplace_back("k", fmt::format("{}", k));
  pairs.emplace_back("offset", fmt::format("{}", offset));
  return to_request(std::move(pairs), now);
}

}  // namespace scalestyle::app
