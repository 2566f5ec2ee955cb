// The searches by picture, from the wire to the search and back.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
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
  EXPECT_EQ(refused("{}", kHybrid).field, "image") << "the picture is looked for first";
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

class WithVision : public VisualRoutes {
 protected:
  WithVision() : VisualRoutes({.vision = true}) {}

  json::object answer(const support::RawResponse& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body).as_object();
  }
  json::object search(const std::string& body, const std::string& target = kImage) { return answer(server_.post(target, body)); }
  static std::string first_of(const json::object& answer) {
    const auto& data = answer.at("data").as_array();
    return data.empty() ? "nothing" : std::string(data.front().at("article_id").as_string());
  }
  static std::string base64(std::string_view bytes) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
      std::uint32_t group = 0;
      for (std::size_t i = 0; i < 3; ++i) group = group << 8U | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U);
      for (std::size_t i = 0; i < 4; ++i) text += at + i > bytes.size() ? '=' : kAlphabet[group >> (18U - 6U * i) & 63U];
    }
    return text;
  }
  static std::string form(const std::string& fields, const std::string& file) {
    return fields + "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"photo.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n" + file +
           "\r\n--b--\r\n";
  }
  static std::string field(const std::string& name, const std::string& value) {
    return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  }
};

TEST_F(WithVision, FetchedPicturesAreRefusedWithTheirUrlAsField) {
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

TEST_F(WithVision, NothingIsFetchedForWhatIsRefusedAnyway) {
  expect_refused(R"({"mode":"text_to_image","query":"a","image_url":"https://a.example/b.jpg"})", 400, "invalid_argument", "image_url");
  expect_refused(R"({"mode":"image","image_url":"https://a.example/b.jpg","k":0})", 400, "invalid_argument", "k");
  expect_refused(R"({"mode":"multimodal","image_url":"https://a.example/b.jpg"})", 400, "invalid_argument", "query");
  EXPECT_TRUE(server_.fetcher().urls().empty());
}

TEST_F(WithVision, ClientThatGoesStopsTheFetch) {
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

TEST_F(VisualRoutes, WithoutVisionTheySayHowToSwitchItOn) {
  for (const std::string body : {R"({"mode":"text_to_image","query":"a"})", R"({"mode":"image","image_url":"https://a.example/b.jpg"})",
                                 R"({"mode":"image","article_id":"1000"})"}) {
    const Refusal seen = refused(body);
    EXPECT_EQ(seen.status, 503) << body;
    EXPECT_EQ(seen.code, "unavailable");
    EXPECT_EQ(seen.field, "mode");
    EXPECT_NE(seen.message.find("vision_enabled=true"), std::string::npos);
  }
  EXPECT_TRUE(server_.fetcher().urls().empty()) << "nothing is fetched for what cannot be answered";
  const auto leg = refusal(server_.get("/api/recommendation/search?query=a&legs=lexical,image"));
  EXPECT_EQ(leg.status, 503);
  EXPECT_EQ(leg.field, "legs");
}

TEST_F(WithVision, EveryWayToGiveThePictureFindsTheSame) {
  const std::string photo = RunningServer::photo_of(1003);
  const auto as_text = search(R"({"mode":"image_to_image","k":3,"image_base64":")" + base64(photo) + "\"}");
  EXPECT_EQ(first_of(as_text), "0000001003");
  EXPECT_EQ(as_text.at("data").as_array().size(), 3U);
  EXPECT_EQ(as_text.at("data").at(0).at("image_score").to_number<double>(), 1.0);
  EXPECT_FALSE(as_text.at("degraded").as_bool());
  const auto as_data_url = search(R"({"mode":"image","k":3,"image_base64":"data:image/jpeg;base64,)" + base64(photo) + "\"}");
  EXPECT_EQ(as_data_url.at("data"), as_text.at("data"));
  server_.fetcher().answer_with(photo);
  EXPECT_EQ(search(R"({"mode":"image","k":3,"image_url":"https://a.example/b.jpg"})").at("data"), as_text.at("data"));
  const auto as_form = answer(server_.post(kImage, form(field("mode", "image") + field("k", "3"), photo), "Content-Type: multipart/form-data; boundary=b\r\n"));
  EXPECT_EQ(as_form.at("data"), as_text.at("data"));
  // An article's own photo: the same neighbours, without itself.
  const auto as_article = search(R"({"mode":"image","k":2,"article_id":"1003"})");
  ASSERT_EQ(as_article.at("data").as_array().size(), 2U);
  EXPECT_EQ(first_of(as_article), as_text.at("data").at(1).at("article_id").as_string());
}

TEST_F(WithVision, FiltersAndPagesWorkAsInASearch) {
  const std::string picture = R"("mode":"image","image_base64":")" + base64(RunningServer::photo_of(1003)) + "\"";
  const auto blue = search("{" + picture + R"(,"colour":["Dark Blue"],"facets":["colour"],"price_max":15})");
  EXPECT_LT(blue.at("data").as_array().size(), 10U);
  EXPECT_TRUE(blue.contains("facets"));
  for (const auto& item : blue.at("data").as_array()) EXPECT_EQ(item.at("colour").as_string(), "Dark Blue");
  const auto page = search("{" + picture + R"(,"k":4})");
  const auto next = search("{" + picture + R"(,"k":4,"cursor":")" + std::string(page.at("cursor").as_string()) + "\"}");
  EXPECT_EQ(next.at("data").at(0).at("rank").to_number<int>(), 5);
  EXPECT_EQ(next.at("data").at(0).at("article_id"), search("{" + picture + R"(,"k":1,"offset":4})").at("data").at(0).at("article_id"));
}

TEST_F(WithVision, HybridTellsWhatEachSideGave) {
  const auto both = search(R"({"query":"name 7","text_weight":0.3,"image_weight":0.7,"k":20,"image_base64":")" + base64(RunningServer::photo_of(1003)) + "\"}", kHybrid);
  EXPECT_EQ(first_of(both), "0000001003");
  for (const auto& item : both.at("data").as_array()) {
    EXPECT_TRUE(item.as_object().contains("text_score")) << item;
    EXPECT_TRUE(item.as_object().contains("image_score")) << item;
  }
  const auto text = search(R"({"query":"name 7","text_weight":1,"image_weight":0})", kHybrid);
  EXPECT_EQ(first_of(text), "0000001007");
}

TEST_F(WithVision, OneLostSideOfAHybridIsNamed) {
  server_.images().fail_with(core::Error{core::ErrorCode::kUnavailable, "away"});
  const auto text = search(R"({"query":"name 7","image_base64":")" + base64(RunningServer::photo_of(1003)) + "\"}", kHybrid);
  EXPECT_TRUE(text.at("degraded").as_bool());
  EXPECT_EQ(text.at("degradation_reason").as_string(), "HYBRID_IMAGE_PATH_FAILED_TEXT_ONLY");
  EXPECT_EQ(first_of(text), "0000001007");
}

TEST_F(WithVision, FaultsOfPicturesNameWhatTheClientSent) {
  expect_refused(R"({"mode":"image","article_id":"7"})", 404, "not_found", "article_id");
  expect_refused(R"({"mode":"image","article_id":"1019"})", 404, "not_found", "article_id");
  const auto refuse_picture = [&](const std::string& picture, int status, const std::string& code) {
    expect_refused(R"({"mode":"image","image_base64":")" + base64("\xFF\xD8\xFF " + picture) + "\"}", status, code, "image_base64");
    const std::string body = form(field("mode", "image"), "\xFF\xD8\xFF " + picture);
    EXPECT_EQ(refused(body, kImage, "multipart/form-data; boundary=b").field, "image");
  };
  refuse_picture("damaged", 400, "invalid_argument");
  refuse_picture("no picture", 415, "unsupported_media_type");
  refuse_picture("too large", 413, "content_too_large");
}

TEST_F(WithVision, LegOfPhotosInASearchByWords) {
  const auto found = answer(server_.get("/api/recommendation/search?query=name+3&legs=lexical,dense,image&explain=true&k=3"));
  bool by_photo = false;
  for (const auto& item : found.at("data").as_array()) {
    for (const auto& leg : item.at("explain").at("legs").as_array()) by_photo = by_photo || leg.at("leg").as_string() == "image";
  }
  EXPECT_TRUE(by_photo);
  EXPECT_EQ(refusal(server_.get("/api/recommendation/search?query=a&legs=image,image")).field, "legs");
  EXPECT_EQ(refusal(server_.get("/api/recommendation/search?query=a&legs=pictures")).field, "legs");
  const auto stats = answer(server_.get("/api/recommendation/debug/cache-stats"));
  EXPECT_TRUE(stats.contains("picture_vectors"));
}

class WithoutFetcher : public VisualRoutes {
 protected:
  WithoutFetcher() : VisualRoutes({.vision = true, .fetches = false}) {}
};

TEST_F(WithoutFetcher, UrlsAreOffAndSaySo) {
  const Refusal seen = refused(by_url("https://a.example/b.jpg"));
  EXPECT_EQ(seen.status, 403);
  EXPECT_EQ(seen.field, "image_url");
  EXPECT_NE(seen.message.find("image_url_hosts"), std::string::npos);
}

}  // namespace
}  // namespace scalestyle::http
