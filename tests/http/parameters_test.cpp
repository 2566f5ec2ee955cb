#include "http/parameters.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "events/event_position.hpp"
#include "http/list_parameters.hpp"

namespace scalestyle::http {
namespace {

TEST(Parameters, UnknownNameTellsTheNearest) {
  const auto checked = Parameters::check(search_parameters(), {{"query", "a"}, {"colur", "red"}});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().field, "colur");
  EXPECT_NE(checked.error().message.find("\"colour\""), std::string::npos);
}

TEST(Parameters, DefaultsAreThoseOfASearch) {
  const auto checked = Parameters::check(search_parameters(), {{"query", "a"}}).value();
  const auto request = to_search_request(checked, core::SteadyTime{}).value();
  EXPECT_EQ(request.k, search::kDefaultK);
  EXPECT_EQ(request.offset, 0U);
  EXPECT_EQ(request.deadline.time(), core::SteadyTime{} + search::kDefaultDeadline);
  EXPECT_TRUE(request.filter.empty());
  EXPECT_FALSE(request.user_id);
  EXPECT_TRUE(request.personalize);
  EXPECT_FALSE(request.after);
}

TEST(Parameters, ChoicesHaveDefaultsAndTellTheNearest) {
  const auto window = [](QueryPairs pairs) {
    return to_trending_request(Parameters::check(trending_parameters(), std::move(pairs)).value(), core::SteadyTime{}).value().window;
  };
  EXPECT_EQ(window({}), events::Window::k24h);
  EXPECT_EQ(window({{"window", "1h"}}), events::Window::k1h);
  EXPECT_EQ(window({{"window", "7d"}}), events::Window::k7d);
  const auto sort = [](QueryPairs pairs) {
    return to_browse_request(Parameters::check(browse_parameters(), std::move(pairs)).value(), core::SteadyTime{}).value().sort;
  };
  EXPECT_EQ(sort({}), search::BrowseSort::kPopular);
  EXPECT_EQ(sort({{"sort", "price_asc"}}), search::BrowseSort::kPriceAscending);
  EXPECT_EQ(sort({{"sort", "price_desc"}}), search::BrowseSort::kPriceDescending);
  EXPECT_EQ(sort({{"sort", "name"}}), search::BrowseSort::kName);
  const auto wrong = Parameters::check(browse_parameters(), {{"sort", "prise_asc"}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().field, "sort");
  EXPECT_NE(wrong.error().message.find("did you mean \"price_asc\""), std::string::npos) << wrong.error().message;
}

TEST(Parameters, BooleansAreTrueOrFalse) {
  const auto personalize = [](const std::string& value) { return Parameters::check(browse_parameters(), {{"personalize", value}}); };
  EXPECT_TRUE(personalize("true")->boolean("personalize"));
  EXPECT_FALSE(personalize("false")->boolean("personalize"));
  for (const char* wrong : {"", "1", "yes", "True", "false "}) EXPECT_FALSE(personalize(wrong)) << wrong;
}

TEST(Parameters, EverySearchParameterReachesTheRequest) {
  const auto checked = Parameters::check(search_parameters(), {{"query", "q"},
                                                               {"k", "3"},
                                                               {"offset", "4"},
                                                               {"deadline_ms", "50"},
                                                               {"colour", "1"},
                                                               {"colour", "2"},
                                                               {"colour_family", "3"},
                                                               {"type", "4"},
                                                               {"group", "5"},
                                                               {"department", "6"},
                                                               {"section", "7"},
                                                               {"garment_group", "8"},
                                                               {"index", "9"},
                                                               {"price_min", "1.5"},
                                                               {"price_max", "2"},
                                                               {"userId", "u"},
                                                               {"sessionId", "s"},
                                                               {"personalize", "false"},
                                                               {"after", events::to_token({"log", 1, 7})}})
                           .value();
  const auto request = to_search_request(checked, core::SteadyTime{}).value();
  EXPECT_EQ(request.query, "q");
  EXPECT_EQ(request.k, 3U);
  EXPECT_EQ(request.offset, 4U);
  EXPECT_EQ(request.deadline.time(), core::SteadyTime{} + std::chrono::milliseconds(50));
  EXPECT_EQ(request.filter[catalog::FilterField::kColour], (std::vector<std::string>{"1", "2"}));
  for (const auto field : catalog::all_filter_fields()) EXPECT_FALSE(request.filter[field].empty()) << catalog::parameter_name(field);
  EXPECT_EQ(request.filter.price_min, 1.5);
  EXPECT_EQ(request.filter.price_max, 2.0);
  EXPECT_EQ(request.user_id->value(), "u");
  EXPECT_EQ(request.session_id->value(), "s");
  EXPECT_FALSE(request.personalize);
  EXPECT_EQ(request.after, (events::EventReference{{"log", 1, 7}, 0}));
}

TEST(Parameters, RepeatsAreBounded) {
  QueryPairs pairs{{"query", "a"}};
  for (std::size_t i = 0; i < search::kMaxFilterValues; ++i) pairs.emplace_back("colour", "red");
  EXPECT_TRUE(Parameters::check(search_parameters(), pairs));
  pairs.emplace_back("colour", "red");
  EXPECT_EQ(Parameters::check(search_parameters(), pairs).error().field, "colour");
}

TEST(Parameters, NumbersHaveLimitsWhenGiven) {
  constexpr std::array specs{ParameterSpec{.name = "x", .kind = ParameterKind::kNumber, .description = "", .minimum = 1, .maximum = 2}};
  EXPECT_EQ(Parameters::check(specs, {{"x", "1.25"}})->number("x"), 1.25);
  EXPECT_FALSE(Parameters::check(specs, {{"x", "0.5"}}));
  EXPECT_FALSE(Parameters::check(specs, {{"x", "2.5"}}));
  EXPECT_FALSE(Parameters::check(specs, {})->number("x"));
}

}  // namespace
}  // namespace scalestyle::http
