// The routes that change articles, and what they do to answers, as HTTP shows it.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "core/disk_full.hpp"
#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

json::object parse(const support::RawResponse& response) { return json::parse(response.body).as_object(); }

class ArticlesTest : public testing::Test {
 protected:
  ArticlesTest() { server_.publish(); }

  support::RawResponse send(const std::string& method, const std::string& target, const std::string& body) {
    return server_.post(target, body, "Content-Type: application/json\r\n", method);
  }
  support::RawResponse batch(const std::string& operations) {
    return server_.post("/api/articles/batch", R"({"operations":[)" + operations + "]}");
  }
  // Kept and visible.
  json::object changed(const support::RawResponse& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    auto answer = parse(response);
    EXPECT_TRUE(answer.contains("visible") && answer.at("visible").as_bool()) << response.body;
    return answer;
  }
  json::object article(const std::string& id) {
    const auto response = server_.get("/api/articles/" + id);
    EXPECT_EQ(response.status, 200) << response.body;
    return response.status == 200 ? parse(response).at("data").as_object() : json::object();
  }
  std::string refused_field(const support::RawResponse& response, int status = 400) {
    EXPECT_EQ(response.status, status) << response.body;
    const auto error = parse(response).at("error").as_object();
    return error.contains("field") ? std::string(error.at("field").as_string()) : "";
  }

  RunningServer server_;
};

TEST_F(ArticlesTest, AnArticleIsAddedChangedAndRemoved) {
  const auto put = changed(send("PUT", "/api/articles/42", R"({"product_name":"Velvet cape","description":"Long.","price":19.5,
      "colour":"Black","product_type":"Cape","graphical_appearance_no":"1010016","product_code":"7"})"));
  EXPECT_EQ(put.at("sequence").as_int64(), 1);
  EXPECT_EQ(put.at("operations").as_int64(), 1);
  auto cape = article("42");
  EXPECT_EQ(cape.at("article_id").as_string(), "0000000042");
  EXPECT_EQ(cape.at("product_name").as_string(), "Velvet cape");
  EXPECT_EQ(cape.at("product_code").as_string(), "7");
  EXPECT_EQ(cape.at("colour").as_string(), "Black");
  EXPECT_EQ(cape.at("price").as_double(), 19.5);
  EXPECT_TRUE(cape.at("available").as_bool());
  const auto found = parse(server_.get("/api/recommendation/search?query=velvet&legs=lexical"));
  ASSERT_EQ(found.at("data").as_array().size(), 1U);
  EXPECT_EQ(parse(server_.get("/ready")).at("articles").as_int64(), 21);

  changed(send("PATCH", "/api/articles/0000000042", R"({"price":null,"description":""})"));
  cape = article("42");
  EXPECT_TRUE(cape.at("price").is_null());
  EXPECT_EQ(cape.at("description").as_string(), "");
  EXPECT_EQ(cape.at("colour").as_string(), "Black");

  changed(send("DELETE", "/api/articles/42", ""));
  EXPECT_EQ(server_.get("/api/articles/42").status, 404);
  EXPECT_EQ(refused_field(send("DELETE", "/api/articles/42", ""), 404), "id");
  EXPECT_EQ(refused_field(send("PATCH", "/api/articles/42", R"({"price":1})"), 404), "id");
  EXPECT_EQ(server_.changes().kept(), 3U);
}

TEST_F(ArticlesTest, AWholeArticleEmptiesWhatItLeavesOutButKeepsItsPicture) {
  changed(send("PUT", "/api/articles/1000", R"({"product_name":"other"})"));
  const auto after = article("1000");
  EXPECT_EQ(after.at("colour").as_string(), "");
  EXPECT_EQ(after.at("image_url").as_string(), "/images/0000001000");
  EXPECT_EQ(after.at("product_code").as_string(), "0000001000");
}

TEST_F(ArticlesTest, PricesAndAvailabilityAreSeenByLists) {
  changed(send("PATCH", "/api/articles/1007", R"({"price":0.5})"));
  const auto cheap = parse(server_.get("/api/recommendation/browse?price_max=1"));
  ASSERT_EQ(cheap.at("data").as_array().size(), 1U);
  EXPECT_EQ(cheap.at("data").as_array()[0].as_object().at("price").as_double(), 0.5);
  changed(send("PATCH", "/api/articles/1007", R"({"available":false})"));
  EXPECT_TRUE(parse(server_.get("/api/recommendation/browse?price_max=1")).at("data").as_array().empty());
  EXPECT_EQ(parse(server_.get("/api/recommendation/browse")).at("total").as_int64(), 19);
  EXPECT_FALSE(article("1007").at("available").as_bool());
}

TEST_F(ArticlesTest, ABatchIsKeptWholeOrNotAtAll) {
  const auto done = changed(batch(R"({"operation":"upsert","article_id":"50","product_name":"cape"},
      {"operation":"patch","article_id":"50","price":3},{"operation":"delete","article_id":"1001"})"));
  EXPECT_EQ(done.at("operations").as_int64(), 3);
  EXPECT_EQ(done.at("sequence").as_int64(), 3);
  EXPECT_EQ(article("50").at("price").to_number<double>(), 3);
  EXPECT_EQ(server_.get("/api/articles/1001").status, 404);

  EXPECT_EQ(refused_field(batch(R"({"operation":"patch","article_id":"50","price":4},{"operation":"delete","article_id":"9"})"), 404),
            "operations[1].article_id");
  EXPECT_EQ(article("50").at("price").to_number<double>(), 3);
  EXPECT_EQ(server_.changes().kept(), 3U);
}

TEST_F(ArticlesTest, WrongBodiesAreNamed) {
  const auto put = [&](const std::string& body) { return refused_field(send("PUT", "/api/articles/1000", body)); };
  EXPECT_EQ(put("{}"), "product_name");
  EXPECT_EQ(put(R"({"product_name":" "})"), "product_name");
  EXPECT_EQ(put(R"({"product_name":7})"), "product_name");
  EXPECT_EQ(put(R"({"product_name":"x","price":"1"})"), "price");
  EXPECT_EQ(put(R"({"product_name":"x","price":-1})"), "price");
  EXPECT_EQ(put(R"({"product_name":"x","price":1e300})"), "price");
  EXPECT_EQ(put(R"({"product_name":"x","available":1})"), "available");
  EXPECT_EQ(put(R"({"product_name":"x","article_id":"1000"})"), "article_id");
  EXPECT_EQ(put(R"({"product_name":"x","image_path":"../secret"})"), "image_path");
  EXPECT_EQ(put(R"({"product_name":"x","purchase_count":9})"), "purchase_count");
  EXPECT_EQ(put(R"({"product_name":"x","description":")" + std::string(5'001, 'a') + "\"}"), "description");
  std::string wide;  // few characters, many bytes
  for (int i = 0; i < 400; ++i) wide += "\xc3\xa9";
  EXPECT_EQ(put(R"({"product_name":"x","colour":")" + wide + "\"}"), "colour");
  EXPECT_EQ(put(R"({"product_name":"a\u0000b"})"), "product_name");
  EXPECT_EQ(put("[]"), "body");
  EXPECT_EQ(put("{\"product_name\":\"\xff\"}"), "body");
  const auto patch = [&](const std::string& body) { return refused_field(send("PATCH", "/api/articles/1000", body)); };
  EXPECT_EQ(patch("{}"), "body");
  EXPECT_EQ(patch(R"({"colour":null})"), "body");
  EXPECT_EQ(patch(R"({"product_name":""})"), "product_name");
  EXPECT_EQ(patch(R"({"Price":1})"), "Price");
  EXPECT_EQ(refused_field(send("PATCH", "/api/articles/a%20b", R"({"price":1})")), "id");
  EXPECT_EQ(refused_field(send("DELETE", "/api/articles/" + std::string(65, '1'), "")), "id");
  EXPECT_EQ(server_.changes().kept(), 0U);
}

TEST_F(ArticlesTest, WrongBatchesAreNamedByTheirPlace) {
  const auto field = [&](const std::string& operations) { return refused_field(batch(operations)); };
  const std::string good = R"({"operation":"patch","article_id":"1000","price":1},)";
  EXPECT_EQ(field(""), "operations");
  EXPECT_EQ(field(good + R"({"operation":"move","article_id":"1"})"), "operations[1].operation");
  EXPECT_EQ(field(good + R"({"operation":"delete"})"), "operations[1].article_id");
  EXPECT_EQ(field(good + R"({"operation":"delete","article_id":"a b"})"), "operations[1].article_id");
  EXPECT_EQ(field(good + R"({"operation":"delete","article_id":"1","price":1})"), "operations[1].article_id");
  EXPECT_EQ(field(good + R"({"operation":"upsert","article_id":"1"})"), "operations[1].product_name");
  EXPECT_EQ(field(good + R"({"operation":"patch","article_id":"1"})"), "operations[1].article_id");
  EXPECT_EQ(field(good + R"({"operation":"patch","article_id":"1","size":"M"})"), "operations[1].size");
  std::string many = R"({"operation":"patch","article_id":"1000","price":1})";
  for (int i = 0; i < 500; ++i) many += R"(,{"operation":"patch","article_id":"1000","price":1})";
  EXPECT_EQ(field(many), "operations");
  EXPECT_EQ(server_.changes().kept(), 0U);
  EXPECT_EQ(send("PATCH", "/api/articles/1000", std::string(64 * 1024 + 1, ' ')).status, 413);
  EXPECT_EQ(server_.post("/api/articles/1000", "{}").status, 405);
}

TEST_F(ArticlesTest, A5xxTellsWhetherAnythingWasKept) {
  server_.changes().fail_append_with(ports::AppendFailure{ports::AppendOutcome::kUnknown,
                                                          core::fail(core::ErrorCode::kUnavailable, "the disk is away").error()});
  const auto unknown = send("PATCH", "/api/articles/1000", R"({"price":1})");
  EXPECT_EQ(unknown.status, 503);
  EXPECT_EQ(parse(unknown).at("error").as_object().at("outcome").as_string(), "unknown");
  server_.changes().fail_append_with(ports::AppendFailure{ports::AppendOutcome::kNotKept,
                                                          core::fail(core::ErrorCode::kResourceExhausted, "ingest").error()});
  const auto full = send("PATCH", "/api/articles/1000", R"({"price":1})");
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(parse(full).at("error").as_object().at("outcome").as_string(), "not_kept");
}

TEST_F(ArticlesTest, AFullDiskIsAnErrorOfItsOwn) {
  server_.changes().fail_append_with(ports::AppendFailure{
      ports::AppendOutcome::kNotKept,
      core::fail(core::ErrorCode::kResourceExhausted, "make room", std::string(core::kDiskFullField)).error()});
  const auto full = send("PATCH", "/api/articles/1000", R"({"price":1})");
  EXPECT_EQ(full.status, 503);
  EXPECT_EQ(full.headers.at("Retry-After"), "5");
  const auto body = parse(full);
  const auto& error = body.at("error").as_object();
  EXPECT_EQ(error.at("code").as_string(), "storage_full");
  EXPECT_EQ(error.at("message").as_string(), "make room");
  EXPECT_EQ(error.at("outcome").as_string(), "not_kept");
  EXPECT_FALSE(error.contains("field"));
}

}  // namespace
}  // namespace scalestyle::http
