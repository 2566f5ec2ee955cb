#include "http/recommendation_parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "http/list_parameters.hpp"

namespace scalestyle::http {

namespace {

constexpr std::array<std::string_view, 1> kOrders{"relevance"};
constexpr ParameterSpec kOrder{.name = "sort",
                               .kind = ParameterKind::kChoice,
                               .description = "The order: there is no other.",
                               .default_value = "relevance",
                               .choices = kOrders};
constexpr ParameterSpec kShowBought{.name = "show_bought",
                                    .kind = ParameterKind::kBoolean,
                                    .description = "Whether what the shopper bought last is shown again. Not given: the server's setting."};
constexpr ParameterSpec kShowSeen{.name = "show_seen",
                                  .kind = ParameterKind::kBoolean,
                                  .description = "Whether what the shopper looked at or put into the basket is shown again. Not given: "
                                                 "the server's setting."};
constexpr ParameterSpec kId{.name = "id",
                            .description = "The article, such as 0108775015",
                            .minimum = 1,
                            .maximum = static_cast<double>(catalog::ArticleId::kMaxBytes),
                            .place = ParameterPlace::kPath,
                            .required = true};
constexpr ParameterSpec kVariants{.name = "variants",
                                  .kind = ParameterKind::kBoolean,
                                  .description = "true: other articles of the same product too.",
                                  .default_value = "false"};
constexpr double kMaxByCharacters = 32;
constexpr ParameterSpec kBy{.name = "by",
                            .description = "What articles are to have in common, separated by commas: text, picture (photos, with vision), "
                                           "bought (by the same shoppers). Not given: all.",
                            .minimum = 1,
                            .maximum = kMaxByCharacters,
                            .is_list = true};

std::vector<ParameterSpec> with_list_parameters(std::vector<ParameterSpec> own) {
  const auto common = list_parameters();
  own.insert(own.end(), common.begin(), common.end());
  return own;
}

core::Result<search::SimilarSources> parse_sources(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kNames{"text", "picture", "bought"};
  search::SimilarSources sources{.text = false, .picture = false, .bought = false};
  const std::array<bool*, kNames.size()> wanted{&sources.text, &sources.picture, &sources.bought};
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    const auto source = static_cast<std::size_t>(std::ranges::find(kNames, name) - kNames.begin());
    if (source == kNames.size()) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("by {}", choice_fault(kNames, name)), "by");
    if (*wanted[source]) return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("by names {} twice", name), "by");
    *wanted[source] = true;
    begin = end + 1;
  }
  return sources;
}

// Absent where it is not given: the service's default.
std::optional<bool> optional_boolean(const Parameters& parameters, std::string_view name) {
  const std::string value = parameters.choice(name);
  return value.empty() ? std::nullopt : std::optional(value == "true");
}

}  // namespace

std::span<const ParameterSpec> for_you_parameters() {
  static const auto all = with_list_parameters({kOrder, kShowBought, kShowSeen});
  return all;
}

std::span<const ParameterSpec> similar_parameters() {
  static const auto all = with_list_parameters({kId, kOrder, kVariants, kBy});
  return all;
}

core::Result<search::ForYouRequest> to_for_you_request(const Parameters& parameters, core::SteadyTime received) {
  search::ForYouRequest request;
  CORE_CHECK(fill_list_request(request, parameters, received));
  request.show_bought = optional_boolean(parameters, "show_bought");
  request.show_seen = optional_boolean(parameters, "show_seen");
  return request;
}

core::Result<search::SimilarRequest> to_similar_request(const Parameters& parameters, core::SteadyTime received) {
  search::SimilarRequest request;
  CORE_CHECK(fill_list_request(request, parameters, received));
  request.article_id = parameters.text("id").value_or("");
  request.variants = parameters.boolean("variants");
  if (const auto by = parameters.text("by")) {
    CORE_TRY(request.by, parse_sources(*by));
  }
  return request;
}

}  // namespace scalestyle::http
