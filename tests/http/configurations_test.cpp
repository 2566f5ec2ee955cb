// Named configurations of searches: their file, and the parameter `config` from the wire to the answer and back.

#include "http/search_configurations.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "http/access_setup.hpp"
#include "http/list_parameters.hpp"
#include "http/visual_parameters.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kSearch = "/api/recommendation/search?query=name";
const std::string kNames = "/api/recommendation/debug/configurations";

QueryPairs completed(const SearchConfigurations& configurations, QueryPairs pairs) {
  EXPECT_TRUE(configurations.complete(pairs, search_parameters()));
  return pairs;
}

TEST(SearchConfigurations, GiveWhatTheRequestDoesNot) {
  const auto all = SearchConfigurations::parse(R"({"reds": "colour=Red&colour=Pink&k=3", "plain": "", "wide": "legs=lexical%2Cdense"})", "c.json").value();
  ASSERT_EQ(all.all().size(), 3U);
  EXPECT_EQ(all.all()[1].name, "reds");
  EXPECT_EQ(all.all()[2].parameters, (QueryPairs{{"legs", "lexical,dense"}}));
  EXPECT_EQ(completed(all, {{"query", "a"}, {"config", "reds"}}),
            (QueryPairs{{"query", "a"}, {"config", "reds"}, {"colour", "Red"}, {"colour", "Pink"}, {"k", "3"}}));
  // A filter of the request's own replaces all of the configuration's.
  EXPECT_EQ(completed(all, {{"config", "reds"}, {"colour", "Blue"}}), (QueryPairs{{"config", "reds"}, {"colour", "Blue"}, {"k", "3"}}));
  EXPECT_EQ(completed(all, {{"config", "plain"}}), (QueryPairs{{"config", "plain"}}));
  EXPECT_EQ(completed(all, {{"query", "a"}}), (QueryPairs{{"query", "a"}}));
  QueryPairs pairs{{"config", "redz"}};
  const auto unknown = all.complete(pairs, search_parameters());
  EXPECT_EQ(unknown.error().field, "config");
  EXPECT_EQ(unknown.error().message, "there is no configuration \"redz\"; did you mean \"reds\"?");
  // A route without a parameter does without it.
  pairs = {{"config", "wide"}};
  EXPECT_TRUE(all.complete(pairs, image_search_body().parameters));
  EXPECT_EQ(pairs, (QueryPairs{{"config", "wide"}}));
}

TEST(SearchConfigurations, AFaultNamesFileConfigurationAndParameter) {
  const auto fault = [](const std::string& text) {
    const auto read = SearchConfigurations::parse(text, "c.json");
    EXPECT_FALSE(read) << text;
    return read ? core::Error{} : read.error();
  };
  for (const char* own : {"query", "offset", "cursor", "userId", "sessionId", "after", "config"}) {
    const auto error = fault("{\"ok\": \"k=3\",\n\"calm\": \"k=3&" + std::string(own) + "=1\"}");
    EXPECT_EQ(error.message, "c.json:2: configuration \"calm\": " + std::string(own) + " belongs to the request, not to a configuration");
    EXPECT_EQ(error.field, own);
  }
  EXPECT_EQ(fault(R"({"calm": "colours=Red"})").message, "c.json:1: configuration \"calm\": unknown parameter \"colours\"; did you mean \"colour\"?");
  EXPECT_EQ(fault(R"({"calm": "k=0"})").field, "k");
  EXPECT_EQ(fault(R"({"calm": "legs=words"})").field, "legs");
  EXPECT_EQ(fault(R"({"calm": "price_min=9&price_max=3"})").field, "price_min");
  EXPECT_EQ(fault(R"({"calm": "rerank=201"})").field, "rerank");
  EXPECT_THAT(fault(R"({"calm": "colour=%zz"})").message, StartsWith("c.json:1: configuration \"calm\": "));
  EXPECT_THAT(fault(R"({"a b": "k=1"})").message, HasSubstr("configuration \"a b\": a name has 1 to 64"));
  EXPECT_THAT(fault(R"({"": "k=1"})").message, HasSubstr("a name has"));
  EXPECT_THAT(fault(R"({"a": "k=1", "a": "k=2"})").message, HasSubstr("configuration \"a\": is given twice"));
  for (const char* text : {"", "[]", R"({"a": 1})", R"({"a": {"k": 1}})", R"({"a": "k=1"} x)", R"({"a": "k=1")"}) {
    EXPECT_THAT(fault(text).message, StartsWith("c.json:1: ")) << text;
  }
  std::string many = "{";
  for (std::size_t i = 0; i <= kMaxConfigurations; ++i) many += (i == 0 ? "\"c" : ",\n\"c") + std::to_string(i) + "\": \"k=1\"";
  EXPECT_EQ(fault(many + "}").message, "c.json:101: more than 100 configurations");
  EXPECT_THAT(fault(std::string(kMaxConfigurationFileBytes + 1, ' ')).message, HasSubstr("has more than"));
}

class Configurations : public testing::Test {
 protected:
  Configurations() { file_ = open(R"({"reds": "colour=Red", "few": "k=2"})"); }

  std::unique_ptr<ConfigurationFile> open(const std::string& text) {
    write(text);
    return ConfigurationFile::open(path_).value();
  }
  // Another time each, so that the change is seen however quick the test is.
  void write(const std::string& text) {
    std::ofstream(path_) << text;
    std::filesystem::last_write_time(path_, std::filesystem::file_time_type(std::chrono::seconds(1'700'000'000 + ++version_)));
  }
  static json::object body(const support::RawResponse& response) { return json::parse(response.body).as_object(); }
  static std::string source(const support::RawResponse& response) { return std::string(body(response).at("list_source").as_string()); }
  static bool all_are(const support::RawResponse& response, const std::string& colour) {
    const auto answer = body(response);
    const auto& data = answer.at("data").as_array();
    return !data.empty() && std::ranges::all_of(data, [&](const json::value& item) { return item.at("colour").as_string() == colour; });
  }

  support::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "configurations.json";
  int version_ = 0;
  core::SystemClock clock_;
  std::unique_ptr<ConfigurationFile> file_;
};

TEST_F(Configurations, AreUsedAndTold) {
  RunningServer server({}, {.vision = true, .configurations = file_.get()});
  server.publish();
  const auto reds = server.get(kSearch + "&config=reds");
  EXPECT_TRUE(all_are(reds, "Red")) << reds.body;
  EXPECT_EQ(body(reds).at("configuration").as_string(), "reds");
  EXPECT_FALSE(body(server.get(kSearch)).contains("configuration"));
  EXPECT_EQ(body(server.get(kSearch + "&config=few")).at("data").as_array().size(), 2U);
  EXPECT_EQ(body(server.get(kSearch + "&config=few&k=3")).at("data").as_array().size(), 3U);

  const auto why = server.get("/api/recommendation/why-not?query=name&article_id=1002&config=reds");
  EXPECT_EQ(body(why).at("cause").as_string(), "filtered") << why.body;
  EXPECT_EQ(body(why).at("configuration").as_string(), "reds");

  const auto photos = server.post("/api/recommendation/search/image", R"({"mode":"text_to_image","query":"photo","config":"reds"})");
  EXPECT_TRUE(all_are(photos, "Red")) << photos.body;
  EXPECT_EQ(body(photos).at("configuration").as_string(), "reds");
  const std::string form = "--x\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nname\r\n--x\r\nContent-Disposition: form-data; "
                           "name=\"article_id\"\r\n\r\n1001\r\n--x\r\nContent-Disposition: form-data; name=\"config\"\r\n\r\nfew\r\n--x--\r\n";
  const auto hybrid = server.post("/api/recommendation/search/hybrid", form, "Content-Type: multipart/form-data; boundary=x\r\n");
  EXPECT_EQ(body(hybrid).at("data").as_array().size(), 2U) << hybrid.body;

  const auto names = body(server.get(kNames));
  EXPECT_EQ(names.at("configurations"), json::parse(R"([{"name":"few","parameters":"k=2"},{"name":"reds","parameters":"colour=Red"}])"));
  EXPECT_FALSE(names.contains("failing"));
}

TEST_F(Configurations, ThatAreNotThereAreRefused) {
  RunningServer server({}, {.vision = true, .configurations = file_.get()});
  server.publish();
  const auto expect_refused = [&](const support::RawResponse& response, const std::string& what) {
    EXPECT_EQ(response.status, 400) << response.body;
    EXPECT_EQ(body(response).at("error").at("field").as_string(), "config");
    EXPECT_THAT(std::string(body(response).at("error").at("message").as_string()), HasSubstr(what));
  };
  expect_refused(server.get(kSearch + "&config=red"), "did you mean \"reds\"?");
  expect_refused(server.get(kSearch + "&config="), "blank");
  expect_refused(server.get(kSearch + "&config=reds&config=few"), "once");
  expect_refused(server.post("/api/recommendation/search/image", R"({"mode":"text_to_image","query":"photo","config":"red"})"), "\"reds\"");
  EXPECT_EQ(server.get("/api/recommendation/browse?config=reds").status, 400);
  RunningServer without;
  without.publish();
  expect_refused(without.get(kSearch + "&config=reds"), "its setting configurations");
  EXPECT_EQ(body(without.get(kNames)).at("configurations").as_array().size(), 0U);
}

TEST_F(Configurations, DoNotMixInWhatIsKept) {
  RunningServer server({}, {.configurations = file_.get()});
  server.publish();
  EXPECT_EQ(source(server.get(kSearch)), "made");
  EXPECT_EQ(source(server.get(kSearch)), "kept");
  EXPECT_EQ(source(server.get(kSearch + "&config=reds")), "made");
  const auto kept = server.get(kSearch + "&config=reds");
  EXPECT_EQ(source(kept), "kept");
  EXPECT_TRUE(all_are(kept, "Red"));
  const auto spelt_out = server.get(kSearch + "&colour=Red");  // the same search
  EXPECT_EQ(source(spelt_out), "kept");
  EXPECT_EQ(body(spelt_out).at("data"), body(kept).at("data"));
  EXPECT_EQ(body(server.get(kSearch)).at("total").as_int64(), 20);
  EXPECT_EQ(source(server.get(kSearch + "&config=reds&colour=Dark+Blue")), "made");

  // The same name, another content.
  telemetry::Logger quiet({telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, clock_);
  write(R"({"reds": "colour=Dark+Blue"})");
  file_->follow_and_tell(quiet);
  EXPECT_TRUE(all_are(server.get(kSearch + "&config=reds"), "Dark Blue"));
}

TEST_F(Configurations, AreFollowedAndAWrongFileChangesNothing) {
  telemetry::Metrics metrics;
  show_configurations(metrics, *file_);
  testing::internal::CaptureStderr();
  {
    telemetry::Logger log({telemetry::LogLevel::kInfo, telemetry::LogFormat::kHuman}, clock_);
    write(R"({"reds": "colour=Red&query=x"})");
    for (int i = 0; i < 3; ++i) file_->follow_and_tell(log);
    EXPECT_EQ(file_->current()->all().size(), 2U);
    EXPECT_THAT(metrics.render(), HasSubstr("scalestyle_search_configurations_failing 1"));
    EXPECT_THAT(metrics.render(), HasSubstr("scalestyle_search_configurations 2"));
    EXPECT_THAT(configurations_json(file_.get(), "r"), HasSubstr("query belongs to the request"));
    write(R"({"reds": "colour=Red"})");
    file_->follow_and_tell(log);
  }
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(file_->current()->all().size(), 1U);
  EXPECT_THAT(metrics.render(), HasSubstr("scalestyle_search_configurations_failing 0"));
  EXPECT_THAT(told, HasSubstr("configurations of searches were read"));
  EXPECT_NE(told.find("those in force stay"), std::string::npos) << told;
  EXPECT_EQ(told.find("those in force stay"), told.rfind("those in force stay")) << "told once";
  EXPECT_EQ(ConfigurationFile::open(folder_ / "none").error().code, core::ErrorCode::kNotFound);
}

TEST_F(Configurations, AreForAdminsAlone) {
  AccessSetup setup({.vision = true, .configurations = file_.get()});
  const auto& server = setup.running();
  for (const std::string& headers : {setup.reader(), setup.browser()}) {
    for (const char* name : {"reds", "nothing"}) {  // nor whether there is one
      const auto refused = server.get(kSearch + "&config=" + name, headers);
      EXPECT_EQ(refused.status, 403) << refused.body;
      EXPECT_EQ(body(refused).at("error").at("field").as_string(), "config");
      const auto of_body = setup.post("/api/recommendation/search/image",
                                      R"({"mode":"text_to_image","query":"photo","config":")" + std::string(name) + "\"}", headers);
      EXPECT_EQ(of_body.status, 403) << of_body.body;
      EXPECT_EQ(body(of_body).at("error").at("field").as_string(), "config");
    }
    EXPECT_EQ(server.get(kNames, headers).status, 403);
  }
  EXPECT_EQ(server.get(kSearch + "&config=reds", setup.server()).status, 200);
  EXPECT_EQ(server.get(kNames, setup.server()).status, 200);
}

TEST_F(Configurations, ThatAreAskedForAreAudited) {
  testing::internal::CaptureStderr();
  {
    AccessSetup setup({.vision = true, .configurations = file_.get()});
    const std::string picture = R"({"mode":"text_to_image","query":"photo","config":"reds"})";
    static_cast<void>(setup.running().get(kSearch, setup.server()));
    for (const std::string& headers : {setup.server(), setup.reader()}) {
      static_cast<void>(setup.running().get(kSearch + "&config=reds", headers));
      static_cast<void>(setup.post("/api/recommendation/search/image", picture, headers));
    }
  }
  std::istringstream log(testing::internal::GetCapturedStderr());
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    const auto said = json::parse(line).as_object();
    if (said.at("message").as_string() != "audit") continue;
    lines.push_back(std::string(said.at("action").as_string()) + " " + std::string(said.at("outcome").as_string()));
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"search done", "searchImage done", "search refused", "searchImage refused"}));
}

}  // namespace
}  // namespace scalestyle::http
