// The engines that settings name: all asked at once, so that one that is away costs its own deadline alone.

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <future>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/task.hpp"
#include "doctor_judgement.hpp"
#include "doctor_parts.hpp"
#include "redis_stack.hpp"
#include "store_choice.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

namespace {

Checks check_choice(const core::Settings& settings) {
  const auto choice = choose_stores(settings, Role::kServe);
  // Without a data folder the rest can be looked at all the same.
  if (!choice &&
      choice.error().field != "data") return {failed("stores", choice.error(), "set what is missing; docs/distributed.md")};
  return {passed("stores", "events in " + settings.text("event_log") + ", features in " + settings.text("feature_store") +
                 ", catalogue in " +
                               settings.text("catalog_store") + ", vectors in " + settings.text("vector_store"))};
}

void append(Checks& all, Checks more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// {seconds, microseconds} of TIME.
std::optional<core::WallTime> time_of(const adapters::redis::RedisValue& reply) {
  if (reply.elements.size() != 2) return std::nullopt;
  const auto number = [](const std::string& text) {
    char* end = nullptr;
    errno = 0;
    const long long value = std::strtoll(text.c_str(), &end, 10);
    return errno == 0 && !text.empty() && *end == '\0' && value >= 0 &&
        value < 1'000'000'000'000 ? std::optional(value) : std::nullopt;
  };
  const auto seconds = number(reply.elements[0].text);
  const auto microseconds = number(reply.elements[1].text);
  if (!seconds || !microseconds) return std::nullopt;
  return core::WallTime(std::chrono::seconds(*seconds) + std::chrono::microseconds(*microseconds));
}

Check check_redis_clock(adapters::redis::RedisClient& client, const core::Clock& clock) {
  const auto before = clock.wall_now();
  adapters::redis::RedisCommand command{.arguments = {"TIME"}};
  const auto reply = core::sync_wait(client.call(std::move(command), core::Deadline::after(kEngineDeadline, clock)));
  const auto after = clock.wall_now();
  if (!reply) return skipped("redis_clock", reply.error().message);
  const auto told = time_of(*reply);
  if (!told) return skipped("redis_clock", "the answer to TIME is not a time");
  const auto round_trip = std::chrono::duration_cast<std::chrono::milliseconds>(after - before);
  const auto middle = before + (after - before) / 2;
  return judge_clock("redis_clock", "Redis", std::chrono::duration_cast<std::chrono::milliseconds>(*told - middle),
                     round_trip / 2 + std::chrono::milliseconds(1));
}

}  // namespace

Checks check_redis(const core::Settings& settings, const core::Clock& clock) {
  if (!settings.is_set("redis_nodes")) return {};
  telemetry::Metrics metrics;
  telemetry::Logger quiet({.level = telemetry::LogLevel::kError}, clock);
  const auto stack = RedisStack::open(settings, {.clock = clock, .metrics = metrics, .log = quiet});
  if (!stack) return {failed("redis", stack.error(), "correct that setting")};
  auto& client = (*stack)->client();
  const auto facts = core::sync_wait(client.facts(core::Deadline::after(kEngineDeadline, clock)));
  if (!facts) {
    return {failed_at("redis", settings.text("redis_nodes"), facts.error(),
                   "is redis_nodes right, the server up, the user known, TLS as redis_tls says, nothing in between closed?")};
  }
  const RedisUse use{.allow_eviction = settings.boolean("redis_allow_eviction"),
                     .keeps_features = settings.text("feature_store") == "redis"};
  return {judge_redis(*facts, use), check_redis_clock(client, clock)};
}

Checks check_engines(const core::Settings& settings) {
  const core::SystemClock clock;
  std::vector<std::future<Checks>> asked;
  asked.push_back(std::async(std::launch::async, [&] { return check_redis(settings, clock); }));
  asked.push_back(std::async(std::launch::async, [&] { return check_kafka(settings); }));
  asked.push_back(std::async(std::launch::async, [&] { return check_milvus(settings, clock); }));
  asked.push_back(std::async(std::launch::async, [&] { return check_model_servers(settings, clock); }));
  Checks checks = check_choice(settings);
  for (auto& answer : asked) append(checks, answer.get());
  return checks;
}

}  // namespace scalestyle::app
