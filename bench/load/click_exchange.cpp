#include "click_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <set>

#include "blocking_client.hpp"

namespace scalestyle::load {

std::string ClickExchange::event() {
  const std::uint64_t user = options_.each_user_once ? made_ % options_.users : random_() % options_.users;
  // Few articles get most of the clicks: the square of a uniform number leans to the front of the list.
  const double place = std::uniform_real_distribution<double>(0, 1)(random_);
  const auto item = static_cast<std::size_t>(place * place * static_cast<double>(options_.items.size()));
  ++made_;
  return fmt::format(R"({{{}"event_id":"load-{}-{}","user_id":"load-user-{}","item_id":"{}","source":"search","query":"warm jacket","position":{},"device":"web"}})",
                     options_.batch > 1 ? R"("event_type":"click",)" : "", options_.seed, made_, user,
                     options_.items[std::min(item, options_.items.size() - 1)], made_ % 50 + 1);
}

std::optional<std::string> ClickExchange::next_request() {
  if (options_.each_user_once && made_ >= options_.users) return std::nullopt;
  if (options_.batch == 1) return post_request(options_.host, "/api/events/click", event());
  std::string body = R"({"events":[)";
  for (std::size_t i = 0; i < options_.batch; ++i) body += (i == 0 ? "" : ",") + event();
  return post_request(options_.host, "/api/events", body + "]}");
}

Exchange::Verdict ClickExchange::judge(const HttpAnswer& answer, std::size_t /*kind*/) {
  if (answer.status != 200) return {.error = fmt::format("HTTP {}: {}", answer.status, answer.body.substr(0, 200))};
  if (answer.body.find(R"("status":"success")") == std::string_view::npos) return {.error = "status is not success"};
  std::size_t tokens = 0;
  for (std::size_t at = 0; (at = answer.body.find(R"("token":")", at)) != std::string_view::npos; ++at) ++tokens;
  if (tokens < options_.batch) return {.error = fmt::format("{} tokens for {} events", tokens, options_.batch)};
  return {};
}

core::Result<std::vector<std::string>> shown_items(const Address& address, const std::string& host, std::size_t wanted) {
  BlockingClient client(address, host);
  std::vector<std::string> items;
  std::set<std::string> seen;
  for (const char* query : {"dress", "shirt", "trousers", "shoes", "jacket", "bag", "sweater", "skirt"}) {
    for (int offset = 0; offset < 500 && items.size() < wanted; offset += 100) {
      CORE_TRY(const HttpAnswer answer, client.get(fmt::format("/api/recommendation/search?query={}&k=100&offset={}", query, offset)));
      boost::system::error_code error;
      const auto document = boost::json::parse(answer.body, error);
      if (error || answer.status != 200) return core::fail(core::ErrorCode::kUnavailable, fmt::format("search: HTTP {}: {}", answer.status, answer.body.substr(0, 300)));
      const auto* data = document.as_object().if_contains("data");
      if (data == nullptr || !data->is_array() || data->get_array().empty()) break;
      for (const auto& item : data->get_array()) {
        std::string id(item.at("article_id").as_string());
        if (seen.insert(id).second) items.push_back(std::move(id));
      }
    }
  }
  if (items.empty()) return core::fail(core::ErrorCode::kNotFound, "the server shows no article");
  return items;
}

}  // namespace scalestyle::load
