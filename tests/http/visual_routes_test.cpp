// The searches by picture, from the wire to the search and back.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "http/running_server.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

const std::string kImage = "/api/recommendation/search/image";
const std::string kHybrid = "/api/recommendation/search/hybrid";

std::string by_url(const std::string& url) { return R"({"mode":"image","image_url":")" + url + "\"}"; }

struct Refusal {
  int status = 0;
  std::string code;
  std::string field;
  std::string message;
};

class VisualRoutes : public testing::Test {
 protected:
  explicit VisualRoutes(ServerSetup setup = {}) : server_({}, std::move(setup)) { server_.publish(); }

  static Refusal refusal(const support::RawResponse& response) {
    Refusal refusal{.status = response.status, .code = {}, .field = {}, .message = {}};
    const auto body = json::parse(response.body).as_object();
    if (const auto* error = body.if_contains("error")) {
      refusal.code = error->at("code").as_string();
      refusal.message = error->at("message").as_string();
      if (const auto* field = error->as_object().if_contains("field")) refusal.field = field->as_string();
    }
    return refusal;
  }
  Refusal refused(const std::string& body, const std::string& target = kImage, const std::string& type = "application/json") {
    return refusal(server_.post(target, body, "Content-Type: " + type + "\r\n"));
  }
  void expect_refused(const std::string& body, int status, const std::string& code, const std::string& field) {
    const Refusal seen = refused(body);
    EXPECT_EQ(seen.status, status) << body.substr(0, 100) << ": " << seen.message;
    EXPECT_EQ(seen.code, code) << seen.message;
    EXPECT_EQ(seen.field, field) << seen.message;
  }

  RunningServer server_;
};

TEST_F(VisualRoutes, BodiesAreChecked) {
  expect_refused("", 400, "invalid_argument", "body");
  expect_refused("[]", 400, "invalid_argument", "body");
  expect_refused("{}", 400, "invalid_argument", "mode");
  expect_refused(R"({"mode":"image"})", 400, "invalid_argument", "image");
  expect_refused(R"({"mode":"image","artikel_id":"1"})", 400, "invalid_argument", "artikel_id");
  expect_refused(R"({"mode":"image","article_id":1})", 400, "invalid_argument", "article_id");
  expect_refused(R"({"mode":"image","article_id":"1","k":"5"})", 400, "invalid_argument", "k");
  expect_refused(R"({"mode":"image","image_base64":"????"})", 400, "invalid_argument", "image_base64");
  expect_refused(R"({"mode":"image","image_base64":"AAAA"})", 415, "unsupported_media_type", "image_base64");
  EXPECT_EQ(refused("{}", kHybrid).field, "query") << "the text side comes first";
  EXPECT_EQ(server_.get(kImage).status, 405);
  EXPECT_EQ(server_.post(kImage + "?k=3", "{}").status, 400) << "everything is in the body";
}

TEST_F(VisualRoutes, TypesOfBodies) {
  EXPECT_EQ(refused("{}", kImage, "text/html").status, 415);
  EXPECT_EQ(refused("{}", kImage, "text/html").field, "Content-Type");
  EXPECT_EQ(refused("{}", kImage, "multipart/form-data").status, 400);
  EXPECT_EQ(refused("{}", kImage, "multipart/form-data").field, "Content-Type");
  EXPECT_EQ(refused("{}", kImage, "multipart/form-data; boundary=x").field, "body");
  EXPECT_EQ(refused("--x--", kImage, "multipart/form-data; boundary=x").field, "mode");
  EXPECT_EQ(refused("--x--", kImage, "multipart/form-data; boundary=x\r\nContent-Encoding: gzip").field, "Content-Encoding");
  std::string many;
  for (int i = 0; i < 600; ++i) many += "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
  const Refusal seen = refused(many + "--x--", kImage, "multipart/form-data; boundary=x");
  EXPECT_EQ(seen.status, 413);
  EXPECT_EQ(seen.field, "body");
}

TEST_F(VisualRoutes, LargeBodiesAndPictures) {
  std::string picture = "/9j/";
  picture.resize(240'000, 'A');  // 180,000 bytes of 200,000: more than other routes take at all
  const auto read = server_.post(kImage, R"({"mode":"text_to_image","query":"a","image_base64":")" + picture + "\"}");
  EXPECT_EQ(refusal(read).field, "image_base64") << "it was read, and is of no use here: " << read.body;
  picture.resize(280'000, 'A');
  expect_refused(R"({"mode":"image","image_base64":")" + picture + "\"}", 413, "content_too_large", "image_base64");
  picture.resize(700'000, 'A');
  expect_refused(R"({"mode":"image","image_base64":")" + picture + "\"}", 413, "content_too_large", "body");
}

TEST_F(VisualRoutes, FetchedPicturesAreRefusedWithTheirUrlAsField) {
  const auto fail_with = [&](core::ErrorCode code, const std::string& field) {
    server_.fetcher().answer_with(core::fail(code, "of the fetcher", field));
  };
  fail_with(core::ErrorCode::kPermissionDenied, "image_url");
  expect_refused(by_url("https://a.example/b.jpg"), 403, "forbidden", "image_url");
  fail_with(core::ErrorCode::kNotFound, "image_url");
  expect_refused(by_url("https://a.example/b.jpg"), 400, "invalid_argument", "image_url");
  fail_with(core::ErrorCode::kInvalidArgument, "image_url");
  expect_refused(by_url("nonsense"), 400, "invalid_argument", "image_url");
  fail_with(core::ErrorCode::kResourceExhausted, "image_url");
  expect_refused(by_url("https://a.example/b.jpg"), 413, "content_too_large", "image_url");
  fail_with(core::ErrorCode::kUnavailable, "");
  expect_refused(by_url("https://a.example/b.jpg"), 503, "unavailable", "");
  fail_with(core::ErrorCode::kDeadlineExceeded, "");
  expect_refused(by_url("https://a.example/b.jpg"), 503, "deadline_exceeded", "");
  server_.fetcher().answer_with(std::string("<html>no picture</html>"));
  expect_refused(by_url("https://a.example/b.jpg"), 415, "unsupported_media_type", "image_url");
  server_.fetcher().answer_with(std::string("\xFF\xD8\xFF").append(200'000, 'x'));
  expect_refused(by_url("https://a.example/b.jpg"), 413, "content_too_large", "image_url");
  EXPECT_EQ(server_.fetcher().urls().front(), "https://a.example/b.jpg");
}

TEST_F(VisualRoutes, NothingIsFetchedForWhatIsRefusedAnyway) {
  expect_refused(R"({"mode":"text_to_image","query":"a","image_url":"https://a.example/b.jpg"})", 400, "invalid_argument", "image_url");
  expect_refused(R"({"mode":"image","image_url":"https://a.example/b.jpg","k":0})", 400, "invalid_argument", "k");
  expect_refused(R"({"mode":"multimodal","image_url":"https://a.example/b.jpg"})", 400, "invalid_argument", "query");
  EXPECT_TRUE(server_.fetcher().urls().empty());
}

TEST_F(VisualRoutes, ClientThatGoesStopsTheFetch) {
  server_.fetcher().gate().hold();
  {
    auto client = server_.connect();
    const std::string body = by_url("https://a.example/b.jpg");
    client.send("POST " + kImage + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    server_.fetcher().gate().wait_until_held(1);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  const std::string gone = "scalestyle_http_requests_total{route=\"" + kImage + "\",status=\"gone\"} 1";
  std::string shown;
  while (shown.find(gone) == std::string::npos && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    shown = server_.metrics().render();
  }
  EXPECT_NE(shown.find(gone), std::string::npos) << shown;
}

class WithoutFetcher : public VisualRoutes {
 protected:
  WithoutFetcher() : VisualRoutes({.fetches = false}) {}
};

TEST_F(WithoutFetcher, UrlsAreOffAndSaySo) {
  const Refusal seen = refused(by_url("https://a.example/b.jpg"));
  EXPECT_EQ(seen.status, 403);
  EXPECT_EQ(seen.field, "image_url");
  EXPECT_NE(seen.message.find("image_url_hosts"), std::string::npos);
}

}  // namespace
}  // namespace scalestyle::http
