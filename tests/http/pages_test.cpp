// Facets, variants, order and cursors as clients see them.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <set>
#include <string>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

const std::string kSearch = "/api/recommendation/search";
const std::string kBrowse = "/api/recommendation/browse";

class PagesTest : public testing::Test {
 protected:
  PagesTest() { server_.publish(); }

  json::object get(const std::string& target) {
    const auto response = server_.get(target);
    EXPECT_EQ(response.status, 200) << target << "\n" << response.body;
    return json::parse(response.body).as_object();
  }
  std::string refused_field(const std::string& target) {
    const auto response = server_.get(target);
    EXPECT_EQ(response.status, 400) << target << "\n" << response.body;
    return std::string(json::parse(response.body).at("error").at("field").as_string());
  }

  RunningServer server_;
};

TEST_F(PagesTest, FacetsAreCountedWhereAskedFor) {
  EXPECT_FALSE(get(kBrowse).contains("facets"));
  const auto facets = get(kBrowse + "?facets=colour,price&colour=red").at("facets").as_array();
  ASSERT_EQ(facets.size(), 2U);
  const auto& colour = facets[0].as_object();
  EXPECT_EQ(colour.at("field").as_string(), "colour");
  EXPECT_FALSE(colour.at("own_filter_applied").as_bool());
  ASSERT_EQ(colour.at("values").as_array().size(), 2U);  // blue too, though only red is listed
  EXPECT_EQ(colour.at("values").at(0).at("value").as_string(), "Dark Blue");
  EXPECT_EQ(colour.at("values").at(0).at("count").to_number<int>(), 10);
  EXPECT_EQ(colour.at("values_total").to_number<int>(), 2);
  EXPECT_EQ(colour.at("other").to_number<int>(), 0);
  const auto& price = facets[1].as_object();
  EXPECT_EQ(price.at("field").as_string(), "price");
  EXPECT_EQ(price.at("count").to_number<int>(), 10);
  EXPECT_EQ(price.at("min").to_number<double>(), 11);
  EXPECT_EQ(price.at("max").to_number<double>(), 29);
  EXPECT_TRUE(price.at("ranges").at(0).at("from").is_null());
  EXPECT_EQ(get(kSearch + "?query=name+1&facets=true").at("facets").as_array().size(), 9U);
  EXPECT_EQ(refused_field(kSearch + "?query=x&facets=colour,size"), "facets");
  EXPECT_EQ(refused_field(kSearch + "?query=x&facets=,"), "facets");
}

TEST_F(PagesTest, SearchesCanBeSorted) {
  const auto best = [&](const std::string& sort) { return get(kSearch + "?query=name+7&k=1&sort=" + sort).at("data").at(0).at("article_id"); };
  EXPECT_EQ(best("relevance").as_string(), "0000001007");
  EXPECT_EQ(best("price_asc").as_string(), "0000001001");
  EXPECT_EQ(best("price_desc").as_string(), "0000001019");
  EXPECT_EQ(best("newest").as_string(), "0000001019");
  EXPECT_EQ(refused_field(kSearch + "?query=x&sort=name"), "sort");
}

TEST_F(PagesTest, VariantsBelongToCollapsedLists) {
  EXPECT_TRUE(get(kSearch + "?query=name+7").at("data").at(0).at("variants").as_array().empty());
  EXPECT_EQ(get(kSearch + "?query=name+7").at("data").at(0).at("variants_total").to_number<int>(), 0);
  EXPECT_FALSE(get(kSearch + "?query=name+7&collapse=false").at("data").at(0).as_object().contains("variants"));
}

TEST_F(PagesTest, CursorsWalkTheWholeList) {
  std::set<std::string> seen;
  std::string target = kSearch + "?query=name+7&k=6";
  std::string cursor;
  int pages = 0;
  do {
    const auto body = get(target + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& item : body.at("data").as_array()) EXPECT_TRUE(seen.insert(std::string(item.at("article_id").as_string())).second);
    cursor = body.contains("cursor") ? std::string(body.at("cursor").as_string()) : "";
    ++pages;
  } while (!cursor.empty() && pages < 10);
  EXPECT_EQ(pages, 4);
  EXPECT_EQ(seen.size(), 20U);
}

TEST_F(PagesTest, CursorsThatAreWrongOrOldAreToldApart) {
  const std::string cursor(get(kSearch + "?query=name+7&k=6").at("cursor").as_string());
  EXPECT_EQ(refused_field(kSearch + "?query=name+8&cursor=" + cursor), "cursor");
  EXPECT_EQ(refused_field(kSearch + "?query=name+7&cursor=A" + cursor), "cursor");
  EXPECT_EQ(refused_field(kSearch + "?query=name+7&offset=6&cursor=" + cursor), "offset");
  EXPECT_EQ(refused_field(kSearch + "?query=name+7&cursor=" + std::string(12'001, 'A')), "cursor");
  server_.publish("g2");
  const auto response = server_.get(kSearch + "?query=name+7&cursor=" + cursor);
  EXPECT_EQ(response.status, 410) << response.body;
  const auto error = json::parse(response.body).at("error");
  EXPECT_EQ(error.at("code").as_string(), "cursor_expired");
  EXPECT_EQ(error.at("field").as_string(), "cursor");
}

}  // namespace
}  // namespace scalestyle::http
