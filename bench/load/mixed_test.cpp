#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

#include "mixed_exchange.hpp"
#include "mixed_report.hpp"
#include "support/temporary_folder.hpp"
#include "zipf_draw.hpp"

namespace scalestyle::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kJpeg = "\xff\xd8\xff\xe0rest of a file";

MixOptions options() {
  MixOptions wanted;
  wanted.host = "h:1";
  wanted.pictures = {std::string(kJpeg)};
  wanted.items = {"1", "2"};
  return wanted;
}

MixedExchange exchange(MixOptions wanted) { return MixedExchange::create(std::move(wanted), QuerySource::built_in(1)).value(); }

HttpAnswer answer(int status, std::string_view body, bool retry_after = false) {
  return {.status = status, .keep_alive = true, .body = body, .has_retry_after = retry_after};
}

constexpr auto kText = static_cast<std::size_t>(MixKind::kText);
constexpr auto kClick = static_cast<std::size_t>(MixKind::kClick);

TEST(ZipfDraw, DrawsPlacesAsOftenAsTheLawSays) {
  ZipfDraw draw = ZipfDraw::create(3, 1.0, 5).value();
  std::array<int, 3> counts{};
  for (int i = 0; i < 11'000; ++i) ++counts[draw.next()];
  // 1 : 1/2 : 1/3 of 11/6.
  EXPECT_NEAR(counts[0], 6'000, 300);
  EXPECT_NEAR(counts[1], 3'000, 300);
  EXPECT_NEAR(counts[2], 2'000, 300);
  ZipfDraw even = ZipfDraw::create(2, 0.0, 5).value();
  int first = 0;
  for (int i = 0; i < 10'000; ++i) first += even.next() == 0 ? 1 : 0;
  EXPECT_NEAR(first, 5'000, 300);
  EXPECT_EQ(ZipfDraw::create(0, 1.0, 1).error().field, "distinct");
  EXPECT_EQ(ZipfDraw::create(5, -1.0, 1).error().field, "exponent");
}

TEST(ZipfDraw, QueriesDrawnAreTheFirstOfTheirSource) {
  QuerySource all = QuerySource::built_in(1);
  std::set<std::string> first;
  for (int i = 0; i < 10; ++i) first.insert(*all.next());
  QuerySource drawn = QuerySource::drawn(QuerySource::built_in(1), 10, 1.0, 3).value();
  QuerySource again = QuerySource::drawn(QuerySource::built_in(1), 10, 1.0, 3).value();
  EXPECT_FALSE(drawn.is_unique());
  std::set<std::string> seen;
  for (int i = 0; i < 500; ++i) {
    const std::string query = *drawn.next();
    EXPECT_EQ(query, *again.next());
    seen.insert(query);
  }
  EXPECT_EQ(seen, first);
}

TEST(MixTest, SharesAreReadAndWrongOnesNamed) {
  const MixShares shares = parse_mix("text=70,image=15,hybrid=10,click=5").value();
  EXPECT_THAT(shares, ElementsAre(70, 15, 10, 5));
  EXPECT_THAT(parse_mix("click=1").value(), ElementsAre(0, 0, 0, 1));
  for (const char* wrong : {"", "text", "text=", "text=-1", "words=3", "text=0", "text=1,,x=2"}) {
    const auto parsed = parse_mix(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error().field, "mix");
  }
}

TEST(MixedExchangeTest, KindsComeInTheirSharesAndASeedRepeatsThem) {
  MixedExchange mixed = exchange(options());
  MixedExchange again = exchange(options());
  std::map<std::size_t, int> counts;
  for (int i = 0; i < 4'000; ++i) {
    EXPECT_EQ(mixed.next_request(), again.next_request());
    EXPECT_EQ(mixed.last_kind(), again.last_kind());
    ++counts[mixed.last_kind()];
  }
  EXPECT_NEAR(counts[kText], 2'800, 200);
  EXPECT_NEAR(counts[static_cast<std::size_t>(MixKind::kImage)], 600, 120);
  EXPECT_NEAR(counts[static_cast<std::size_t>(MixKind::kHybrid)], 400, 120);
  EXPECT_NEAR(counts[kClick], 200, 100);
}

TEST(MixedExchangeTest, UniqueRequestsNeverRepeatAndAreWhole) {
  MixedExchange mixed = exchange(options());
  std::set<std::string> seen;
  for (int i = 0; i < 500; ++i) {
    const std::string request = mixed.next_request().value();
    EXPECT_TRUE(seen.insert(request).second);
    if (!request.starts_with("POST")) continue;
    const std::size_t head = request.find("\r\n\r\n") + 4;
    EXPECT_THAT(request, HasSubstr("\r\nContent-Length: " + std::to_string(request.size() - head) + "\r\n"));
  }
}

TEST(MixedExchangeTest, PicturesGoAsFilesOfForms) {
  MixOptions wanted = options();
  wanted.shares = {0, 0, 1, 0};
  wanted.rerank = 20;
  const std::string request = exchange(wanted).next_request().value();
  EXPECT_TRUE(request.starts_with("POST /api/recommendation/search/hybrid HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("name=\"query\"\r\n\r\n"));
  EXPECT_THAT(request, HasSubstr("name=\"rerank\"\r\n\r\n20\r\n"));
  EXPECT_THAT(request, HasSubstr("name=\"image\"; filename=\"photo\"\r\nContent-Type: image/jpeg\r\n\r\n"
                                 "\xff\xd8\xff\xfe"));
  EXPECT_THAT(request, HasSubstr("rest of a file\r\n--"));
  wanted.shares = {0, 1, 0, 0};
  EXPECT_THAT(exchange(wanted).next_request().value(), HasSubstr("name=\"mode\"\r\n\r\nimage_to_image\r\n"));
}

TEST(MixedExchangeTest, ACommentChangesAFileAndNotItsPicture) {
  EXPECT_EQ(with_comment(kJpeg, "ab"), std::string("\xff\xd8\xff\xfe\0\4ab", 8) + std::string(kJpeg.substr(2)));
  const std::string png = "\x89PNG\r\n\x1a\n" + std::string(25, 'h') + "rest";
  const std::string with = with_comment(png, "ab");
  EXPECT_EQ(with.substr(0, 33), png.substr(0, 33));
  // The CRC is zlib's crc32(b"tEXtComment\0ab").
  EXPECT_EQ(with.substr(33), std::string("\0\0\0\x0a" "tEXtComment" "\0" "ab" "\xe4\xb2\x3a\xa7", 22) + "rest");
}

TEST(MixedExchangeTest, ZipfRepeatsPictures) {
  MixOptions wanted = options();
  wanted.shares = {0, 1, 0, 0};
  wanted.distinct_pictures = 5;
  MixedExchange mixed = exchange(wanted);
  std::set<std::string> seen;
  for (int i = 0; i < 300; ++i) seen.insert(*mixed.next_request());
  EXPECT_EQ(seen.size(), 5U);
}

TEST(MixedExchangeTest, WhatIsMissingIsNamed) {
  MixOptions wanted = options();
  wanted.pictures.clear();
  EXPECT_EQ(MixedExchange::create(wanted, QuerySource::built_in(1)).error().field, "images");
  wanted = options();
  wanted.items.clear();
  EXPECT_EQ(MixedExchange::create(wanted, QuerySource::built_in(1)).error().field, "items");
  const support::TemporaryFolder folder;
  EXPECT_EQ(read_pictures(folder.path().string(), 5).error().code, core::ErrorCode::kNotFound);
  std::ofstream(folder / "b.jpg") << kJpeg;
  std::ofstream(folder / "a.jpeg") << kJpeg << "a";
  EXPECT_EQ(read_pictures(folder.path().string(), 1).value().front(), std::string(kJpeg) + "a");
  std::ofstream(folder / "c.jpg") << "GIF89a";
  EXPECT_THAT(read_pictures(folder.path().string(), 5).error().message, HasSubstr("c.jpg"));
}

TEST(MixedExchangeTest, RefusalsDegradedAnswersAndErrorsAreToldApart) {
  MixedExchange mixed = exchange(options());
  EXPECT_TRUE(mixed.judge(answer(503, "{}", true), kText).is_refused);
  EXPECT_TRUE(mixed.judge(answer(429, "{}", true), kClick).is_refused);
  EXPECT_EQ(mixed.judge(answer(503, "{}"), kText).error, "HTTP 503");
  EXPECT_EQ(mixed.judge(answer(500, "{}", true), kText).error, "HTTP 500");
  const auto degraded = mixed.judge(
      answer(200, R"({"status":"success","degraded":true,"degradations":["RERANK_PARTIAL","INFERENCE_TIMEOUT"],"data":[{"a":1}]})"), kText);
  EXPECT_EQ(degraded.error, "");
  EXPECT_TRUE(degraded.is_degraded);
  EXPECT_THAT(degraded.reasons, ElementsAre("RERANK_PARTIAL", "INFERENCE_TIMEOUT"));
  EXPECT_EQ(mixed.judge(answer(200, R"({"status":"success","degraded":false,"data":[]})"), kText).error, "empty data");
  EXPECT_NE(mixed.judge(answer(200, R"({"status":"success"})"), kClick).error, "");
  EXPECT_EQ(mixed.judge(answer(200, R"({"status":"success","event_id":"e","token":"t"})"), kClick).error, "");
}

TEST(MixedExchangeTest, FullRerankIsWhatTheAnswerSays) {
  MixedExchange mixed = exchange(options());
  const auto judged = [&mixed](std::string rerank) {
    const std::string body = R"({"status":"success","degraded":false,"degradations":[],"rerank":{"model":"m","precision":"f32",)" + rerank +
                             R"(,"cached_pairs":9},"data":[{"a":1}]})";
    return mixed.judge(answer(200, body), kText);
  };
  EXPECT_TRUE(judged(R"("scored":20,"planned":20)").is_fully_reranked);
  EXPECT_EQ(judged(R"("scored":20,"planned":20)").reranked, 20U);
  EXPECT_FALSE(judged(R"("scored":7,"planned":20)").is_fully_reranked);
  EXPECT_FALSE(judged(R"("scored":0,"planned":0)").is_fully_reranked);
  EXPECT_FALSE(rerank_counts(R"({"data":[]})"));
}

TEST(MixedReportTest, WholeAnswersAreNotThoseThatWereDegraded) {
  LoadReport report;
  report.kinds.resize(kMixKinds);
  report.answers = 10;
  report.degraded = 4;
  report.refused = 5;
  report.elapsed_seconds = 2;
  report.server_cpu_seconds = 0.3;
  KindReport& text = report.kinds[kText];
  text.answers = 10;
  text.degraded = 4;
  text.refused = 5;
  text.reranked = 5;
  text.fully_reranked = 3;
  text.rerank_depth = 50;
  text.reasons["RERANK_PARTIAL"] = 4;
  text.latencies_ms = {1, 2, 3, 4, 5, 6};
  const MixedRun run{.mix = "text=1", .distribution = "unique"};
  const auto json = boost::json::parse(mixed_json(LoadOptions(), run, report)).as_object();
  EXPECT_EQ(json.at("whole").as_int64(), 6);
  EXPECT_EQ(json.at("whole_rps").to_number<double>(), 3.0);
  EXPECT_EQ(json.at("server_core_ms_a_request").to_number<double>(), 20.0);
  const auto& kind = json.at("kinds").at("text").as_object();
  EXPECT_EQ(kind.at("refused").as_int64(), 5);
  EXPECT_EQ(kind.at("reranked_in_full").as_int64(), 3);
  EXPECT_EQ(kind.at("mean_rerank_depth").to_number<double>(), 10.0);
  EXPECT_EQ(kind.at("degraded_reasons").at("RERANK_PARTIAL").as_int64(), 4);
  EXPECT_EQ(kind.at("latency_ms").at("p99").to_number<double>(), 6.0);
  EXPECT_THAT(mixed_text(LoadOptions(), run, report), HasSubstr("degraded: 4 × RERANK_PARTIAL"));
}

TEST(MixedReportTest, ProcessorTimeOfAProcessIsRead) {
  EXPECT_GE(cpu_seconds_of(static_cast<std::uint64_t>(::getpid())).value(), 0.0);
  EXPECT_FALSE(cpu_seconds_of(std::uint64_t{1} << 60U));
}

}  // namespace
}  // namespace scalestyle::load
