#include "http/search_parameters.hpp"

#include <array>

namespace scalestyle::http {

namespace {

constexpr double kMaxFilterCharacters = 200;

constexpr ParameterSpec filter_parameter(std::string_view name, std::string_view description) {
  return {.name = name, .description = description, .minimum = 1, .maximum = kMaxFilterCharacters,
          .max_values = search::kMaxFilterValues};
}

constexpr std::array kSearchParameters{
    ParameterSpec{.name = "query",
                  .description = "What the shopper is looking for, in words. Not blank.",
                  .minimum = 1,
                  .maximum = static_cast<double>(search::kMaxQueryCharacters),
                  .required = true},
    ParameterSpec{.name = "k",
                  .kind = ParameterKind::kInteger,
                  .description = "How many articles to return.",
                  .minimum = 1,
                  .maximum = static_cast<double>(search::kMaxK),
                  .default_value = "10"},
    ParameterSpec{.name = "offset",
                  .kind = ParameterKind::kInteger,
                  .description = "How many articles of the ranked list to pass over; beyond its end the page is empty.",
                  .minimum = 0,
                  .maximum = static_cast<double>(search::kMaxOffset),
                  .default_value = "0"},
    ParameterSpec{.name = "deadline_ms",
                  .kind = ParameterKind::kInteger,
                  .description = "How long the answer may take, in milliseconds.",
                  .minimum = static_cast<double>(search::kMinDeadline.count()),
                  .maximum = static_cast<double>(search::kMaxDeadline.count()),
                  .default_value = "600"},
    filter_parameter("colour", "Only articles of this colour; repeat for any of several, as with every filter. "
                               "Values compare whole, without regard to case."),
    filter_parameter("colour_family", "Only articles of this colour family."),
    filter_parameter("type", "Only articles of this product type."),
    filter_parameter("group", "Only articles of this product group."),
    filter_parameter("department", "Only articles of this department."),
    filter_parameter("section", "Only articles of this section."),
    filter_parameter("garment_group", "Only articles of this garment group."),
    filter_parameter("index", "Only articles of this index."),
    ParameterSpec{.name = "price_min",
                  .kind = ParameterKind::kNumber,
                  .description = "Only articles that cost at least this much, in the catalogue's currency."},
    ParameterSpec{.name = "price_max",
                  .kind = ParameterKind::kNumber,
                  .description = "Only articles that cost at most this much; not below price_min."},
    ParameterSpec{.name = "userId",
                  .description = "The shopper. Accepted; takes effect with personalisation.",
                  .maximum = static_cast<double>(search::kMaxSubjectCharacters),
                  .may_be_blank = true},
    ParameterSpec{.name = "sessionId",
                  .description = "The shopper's session. Accepted; takes effect with personalisation.",
                  .maximum = static_cast<double>(search::kMaxSubjectCharacters),
                  .may_be_blank = true},
};

}  // namespace

std::span<const ParameterSpec> search_parameters() { return kSearchParameters; }

search::SearchRequest to_search_request(const Parameters& parameters, core::SteadyTime received) {
  search::SearchRequest request;
  request.query = parameters.text("query").value_or("");
  request.k = parameters.integer("k");
  request.offset = parameters.integer("offset");
  request.deadline = core::Deadline::at(received + std::chrono::milliseconds(parameters.integer("deadline_ms")));
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    request.filter[field] = parameters.texts(catalog::parameter_name(field));
  }
  request.filter.price_min = parameters.number("price_min");
  request.filter.price_max = parameters.number("price_max");
  if (auto user = parameters.text("userId"); user && !user->empty()) request.user_id = core::UserId(std::move(*user));
  if (auto session = parameters.text("sessionId"); session && !session->empty()) {
    request.session_id = core::SessionId(std::move(*session));
  }
  return request;
}

}  // namespace scalestyle::http
