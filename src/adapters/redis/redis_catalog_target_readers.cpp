// The keys that readers other than gateways know: item:{id} and popular articles.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numbers>
#include <utility>

#include "adapters/redis/redis_catalog_target.hpp"
#include "adapters/redis/store_errors.hpp"
#include "catalog/image_url.hpp"

namespace scalestyle::adapters::redis {

namespace {

constexpr std::size_t kItemsAtOnce = 500;
constexpr std::size_t kMembersAtOnce = 1'000;

// Replaces a sorted set in one step. KEYS: the set. ARGV: lifetime in milliseconds or 0, then score and member in turn.
constexpr const char* kReplaceSet = R"lua(
redis.call('DEL', KEYS[1])
local at = 2
while at <= #ARGV do
  local last = math.min(at + 1999, #ARGV)
  redis.call('ZADD', KEYS[1], unpack(ARGV, at, last))
  at = last + 1
end
if tonumber(ARGV[1]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return redis.call('ZCARD', KEYS[1])
)lua";

const std::shared_ptr<const RedisScript>& replace_set() {
  static const auto script = std::make_shared<const RedisScript>(kReplaceSet);
  return script;
}

std::vector<std::string> item_fields(const std::string& key, const catalog::ArticleView& article, const std::string& generation) {
  const std::string type(article.product_type());
  std::vector<std::string> fields{"HSET", key,
                                  "article_id", std::string(article.id()),
                                  "product_code", std::string(article.product_code()),
                                  "prod_name", std::string(article.name()),
                                  "detail_desc", std::string(article.description()),
                                  "product_type_name", type,
                                  "colour_group_name", std::string(article.colour()),
                                  "department_name", std::string(article.department()),
                                  "category", type.empty() ? "unknown" : type,
                                  "image_url", article.image_path().empty() ? std::string() : catalog::image_url(article.id()),
                                  "available", article.available() ? "1" : "0",
                                  "purchase_count", std::to_string(article.purchase_count()),
                                  "generation", generation};
  if (const auto price = article.price()) {
    fields.emplace_back("price");
    fields.push_back(fmt::format("{}", *price));
  }
  return fields;
}

}  // namespace

core::Task<core::Status> RedisCatalogTarget::write_items(core::Deadline deadline) {
  const catalog::Catalog& articles = *generation_.snapshot->catalog;
  const std::string generation = manifest_.info.id.value();
  for (std::size_t first = 0; first < articles.size(); first += kItemsAtOnce) {
    RedisCommand ids;
    ids.key = keys_.item_ids();
    ids.arguments = {"SADD", ids.key};
    std::vector<RedisCommand> commands;
    for (std::size_t row = first; row < std::min(first + kItemsAtOnce, articles.size()); ++row) {
      const catalog::ArticleView article = articles.row(catalog::RowIndex{static_cast<std::uint32_t>(row)});
      ids.arguments.emplace_back(article.id());
      RedisCommand item;
      item.key = keys_.item(article.id());
      if (!article.price()) {
        RedisCommand no_price{.arguments = {"HDEL", item.key, "price"}, .key = item.key};
        commands.push_back(std::move(no_price));
      }
      item.arguments = item_fields(item.key, article, generation);
      commands.push_back(std::move(item));
    }
    // Noted before they are there, so that none is ever left behind.
    auto noted = co_await call(std::move(ids), deadline);
    if (!noted) co_return std::unexpected(std::move(noted).error());
    auto written = co_await run(std::move(commands), deadline);
    if (!written) co_return written;
  }
  co_return core::Status();
}

// As live popularity is published under this name: ln(value) + λ·t orders as the decayed values do at any time, and of two
// writers none undoes the other (GT).
core::Task<core::Result<std::size_t>> RedisCatalogTarget::write_global_popular(core::Deadline deadline) {
  const catalog::Catalog& articles = *generation_.snapshot->catalog;
  const std::string key = keys_.global_popular();
  const double seconds = std::chrono::duration<double>(clock_.wall_now().time_since_epoch()).count();
  const double shift = std::numbers::ln2 / options_.popularity_half_life_seconds * seconds;
  const auto& popular = generation_.popular->all_time;
  std::size_t there = 0;
  for (std::size_t first = 0; first < popular.size(); first += kMembersAtOnce) {
    std::vector<RedisCommand> commands(2);
    for (RedisCommand& command : commands) command.key = key;
    commands[0].arguments = {"ZADD", key, "GT"};
    commands[1].arguments = {"ZMSCORE", key};
    for (std::size_t i = first; i < std::min(first + kMembersAtOnce, popular.size()); ++i) {
      const std::string id(articles.row(popular[i].row).id());
      commands[0].arguments.push_back(fmt::format("{}", std::log(popular[i].score) + shift));
      commands[0].arguments.push_back(id);
      commands[1].arguments.push_back(id);
    }
    auto replies = co_await client_.pipeline(std::move(commands), deadline);
    if (!replies) co_return std::unexpected(write_error(std::move(replies).error(), key));
    const std::vector<std::string> keys(2, key);
    CORE_CO_CHECK(first_error(*replies, keys));
    const auto& scores = (*replies)[1]->elements;
    there += scores.size() - static_cast<std::size_t>(std::ranges::count_if(scores, &RedisValue::is_null));
  }
  co_return there;
}

core::Task<core::Status> RedisCatalogTarget::write_window(std::string_view period,
                                                          const std::vector<ports::PopularArticle>& popular,
                                                          std::chrono::milliseconds lifetime, core::Deadline deadline) {
  const catalog::Catalog& articles = *generation_.snapshot->catalog;
  RedisCommand command;
  command.key = keys_.popularity_seed(period);
  command.script = replace_set();
  command.arguments = {"1", command.key, std::to_string(popular.empty() ? 0 : lifetime.count())};
  for (const ports::PopularArticle& one : popular) {
    command.arguments.push_back(fmt::format("{}", one.score));
    command.arguments.emplace_back(articles.row(one.row).id());
  }
  const std::string key = command.key;
  CORE_CO_TRY(const RedisValue count, co_await call(std::move(command), deadline));
  if (count.integer == static_cast<std::int64_t>(popular.size())) co_return core::Status();
  co_return core::fail(core::ErrorCode::kDataLoss,
                       fmt::format("{}: {} articles were written, {} are there", key, popular.size(), count.integer));
}

// Of all readers, only this one knows which articles are no more.
core::Task<core::Status> RedisCatalogTarget::remove_stale_popular(core::Deadline deadline) {
  const catalog::Catalog& articles = *generation_.snapshot->catalog;
  const std::string key = keys_.global_popular();
  std::string cursor = "0";
  do {
    RedisCommand scan{.arguments = {"ZSCAN", key, cursor, "COUNT", "1000"}, .key = key};
    CORE_CO_TRY(const RedisValue reply, co_await call(std::move(scan), deadline));
    if (reply.elements.size() != 2) co_return damaged_key(key, "the answer of ZSCAN is none");
    cursor = reply.elements[0].text;
    RedisCommand remove{.arguments = {"ZREM", key}, .key = key};
    const auto& pairs = reply.elements[1].elements;
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      if (!articles.find(std::string_view(pairs[i].text))) remove.arguments.push_back(pairs[i].text);
    }
    if (remove.arguments.size() == 2) continue;
    CORE_CO_TRY([[maybe_unused]] const RedisValue removed, co_await call(std::move(remove), deadline));
  } while (cursor != "0");
  co_return core::Status();
}

// item:{id} of articles that the generation does not have: of an earlier one, or of a fill that died.
core::Task<core::Status> RedisCatalogTarget::remove_stale_items(core::Deadline deadline) {
  const catalog::Catalog& articles = *generation_.snapshot->catalog;
  std::string cursor = "0";
  do {
    RedisCommand scan{.arguments = {"SSCAN", keys_.item_ids(), cursor, "COUNT", "1000"}, .key = keys_.item_ids()};
    CORE_CO_TRY(const RedisValue reply, co_await call(std::move(scan), deadline));
    if (reply.elements.size() != 2) co_return damaged_key(keys_.item_ids(), "the answer of SSCAN is none");
    cursor = reply.elements[0].text;
    RedisCommand forget{.arguments = {"SREM", keys_.item_ids()}, .key = keys_.item_ids()};
    std::vector<RedisCommand> commands;
    for (const RedisValue& id : reply.elements[1].elements) {
      if (articles.find(std::string_view(id.text))) continue;
      const std::string key = keys_.item(id.text);
      RedisCommand remove{.arguments = {"UNLINK", key}, .key = key};
      commands.push_back(std::move(remove));
      forget.arguments.push_back(id.text);
    }
    if (commands.empty()) continue;
    auto removed = co_await run(std::move(commands), deadline);
    if (!removed) co_return removed;
    auto forgotten = co_await call(std::move(forget), deadline);
    if (!forgotten) co_return std::unexpected(std::move(forgotten).error());
  } while (cursor != "0");
  co_return core::Status();
}

}  // namespace scalestyle::adapters::redis
