#include "freshness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>

#include "blocking_client.hpp"

namespace scalestyle::load {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxAttempts = 200;
constexpr auto kGiveUp = std::chrono::seconds(1);

double since(Clock::time_point begin) { return std::chrono::duration<double, std::milli>(Clock::now() - begin).count(); }

core::Result<json::value> parsed(const HttpAnswer& answer, std::string_view what) {
  boost::system::error_code error;
  auto document = json::parse(answer.body, error);
  if (answer.status != 200 || error || !document.is_object()) {
    return core::fail(core::ErrorCode::kUnavailable, fmt::format("{}: HTTP {}: {}", what, answer.status, answer.body.substr(0, 300)));
  }
  return document;
}

const json::array& data_of(const json::value& document) {
  static const json::array kNone;
  const auto* data = document.get_object().if_contains("data");
  return data != nullptr && data->is_array() ? data->get_array() : kNone;
}

bool reflects(const json::value& document, std::string_view item) {
  for (const auto& one : data_of(document)) {
    if (one.at("article_id").as_string() != item) continue;
    const auto* score = one.get_object().if_contains("behaviorScore");
    return score != nullptr && score->is_number() && json::serialize(one).find("recent_click") != std::string::npos;
  }
  return false;
}

}  // namespace

core::Result<FreshnessReport> measure_freshness(const Address& address, const std::string& host, const FreshnessOptions& options) {
  BlockingClient client(address, host);
  FreshnessReport report;
  for (std::size_t round = 0; round < options.rounds; ++round) {
    const auto asked = Clock::now();
    CORE_TRY(const HttpAnswer plain_answer, client.get(options.path));
    report.plain_ms.push_back(since(asked));
    CORE_TRY(const auto plain, parsed(plain_answer, "question"));
    const auto& shown = data_of(plain);
    if (shown.empty()) return core::fail(core::ErrorCode::kNotFound, options.path + " shows nothing");
    const std::string item(shown[round % shown.size()].at("article_id").as_string());

    const std::string user = fmt::format("fresh-{}-{}-{}", options.seed, options.use_after ? "after" : "plain", round);
    const auto clicked = Clock::now();
    CORE_TRY(const HttpAnswer click_answer,
             client.post("/api/events/click", fmt::format(R"({{"user_id":"{}","item_id":"{}","source":"search"}})", user, item)));
    report.acknowledged_ms.push_back(since(clicked));
    CORE_TRY(const auto acknowledged, parsed(click_answer, "click"));
    const std::string token(acknowledged.at("token").as_string());

    const std::string path = options.path + "&userId=" + user + (options.use_after ? "&after=" + token : "");
    const auto begin = Clock::now();
    bool is_reflected = false;
    for (std::size_t attempt = 0; attempt < kMaxAttempts && !is_reflected && Clock::now() - begin < kGiveUp; ++attempt) {
      CORE_TRY(const HttpAnswer answer, client.get(path));
      const double took = since(begin);
      CORE_TRY(const auto document, parsed(answer, "question with user"));
      is_reflected = reflects(document, item);
      if (is_reflected) report.reflected_ms.push_back(took);
      if (is_reflected && attempt == 0) ++report.first_reflects;
    }
    if (!is_reflected) ++report.never_reflects;
    ++report.rounds;
  }
  for (auto* list : {&report.acknowledged_ms, &report.reflected_ms, &report.plain_ms}) std::ranges::sort(*list);
  return report;
}

}  // namespace scalestyle::load
