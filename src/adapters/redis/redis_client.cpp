#include "adapters/redis/redis_client.hpp"

#include <fmt/format.h>

#include <utility>

#include "adapters/redis/redis_client_impl.hpp"
#include "adapters/redis/server_facts.hpp"
#include "telemetry/trace.hpp"

namespace scalestyle::adapters::redis {

using core::ErrorCode;
using core::fail;

namespace {

using Values = std::vector<core::Result<RedisValue>>;
constexpr std::size_t kMaxNodes = 64;
constexpr std::size_t kMaxConnections = 64;
constexpr std::size_t kMinReplyBytes = 1'024;

Values take_outcomes(Call& call) {
  Values values;
  values.reserve(call.requests.size());
  for (auto& request : call.requests) values.push_back(std::move(*request.outcome));
  return values;
}

std::string_view operation_of(const RedisCommand& command) {
  if (command.script != nullptr) return "EVALSHA";
  return command.arguments.empty() ? std::string_view("unknown") : std::string_view(command.arguments.front());
}

// Of the commands that a request waits for together.
telemetry::ActiveSpan span_of(const std::shared_ptr<core::TaskContext>& context, const RedisCommand& first, std::size_t commands) {
  telemetry::ActiveSpan span(context, operation_of(first), telemetry::SpanKind::kClient);
  if (!span.recording()) return span;
  span.set("db.system.name", "redis");
  if (commands > 1) span.set("db.operation.batch.size", static_cast<std::int64_t>(commands));
  return span;
}

void fill(Call& call, std::vector<RedisCommand> commands) {
  for (std::size_t i = 0; i < commands.size(); ++i) {
    call.requests[i].slot = RedisClient::slot_of(commands[i].key);
    call.requests[i].command = std::move(commands[i]);
  }
}

}  // namespace

core::Status RedisClient::Options::validate() const {
  const auto wrong = [](const char* field, std::string what) {
    return core::Status(fail(ErrorCode::kInvalidArgument, fmt::format("{}: {}", field, what), field));
  };
  if (nodes.empty() || nodes.size() > kMaxNodes) return wrong("nodes", fmt::format("1 … {} are needed", kMaxNodes));
  for (const auto& node : nodes) {
    if (const auto endpoint = Endpoint::parse(node); !endpoint) return wrong("nodes", endpoint.error().message);
  }
  if (!username.empty() && password.empty()) return wrong("password", "a user needs one");
  if (!ca_file.empty() && !tls) return wrong("ca_file", "is used with tls only");
  if (connections_per_node < 1 || connections_per_node > kMaxConnections) {
    return wrong("connections_per_node", fmt::format("must be 1 … {}", kMaxConnections));
  }
  if (max_waiting < 1) return wrong("max_waiting", "must be 1 or more");
  if (max_reply_bytes < kMinReplyBytes) return wrong("max_reply_bytes", fmt::format("must be {} or more", kMinReplyBytes));
  if (connect_timeout.count() < 1) return wrong("connect_timeout", "must be 1 ms or more");
  if (command_timeout.count() < 2) return wrong("command_timeout", "must be 2 ms or more");
  if (reconnect_first.count() < 1) return wrong("reconnect_first", "must be 1 ms or more");
  if (reconnect_longest < reconnect_first) return wrong("reconnect_longest", "must not be shorter than reconnect_first");
  return {};
}

core::Result<std::unique_ptr<RedisClient>> RedisClient::create(Options options, Dependencies dependencies) {
  CORE_CHECK(options.validate());
  std::vector<Endpoint> seeds;
  for (const auto& node : options.nodes) seeds.push_back(*Endpoint::parse(node));
  std::shared_ptr<TlsContext> tls;
  if (options.tls) {
    CORE_TRY(tls, make_tls_context(options.ca_file));
  }
  return std::unique_ptr<RedisClient>(
      new RedisClient(std::make_unique<Impl>(std::move(options), std::move(seeds), std::move(tls), dependencies)));
}

RedisClient::RedisClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RedisClient::~RedisClient() = default;

void RedisClient::run() { impl_->run(); }
void RedisClient::stop() { impl_->stop(); }
std::string RedisClient::trouble() const { return impl_->trouble(); }

core::Task<core::Result<RedisValue>> RedisClient::call(RedisCommand command, core::Deadline deadline) {
  CORE_CO_TRY(auto call, impl_->make_call(1, deadline));
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  telemetry::ActiveSpan span = span_of(context, command, 1);
  call->requests.front().slot = slot_of(command.key);
  call->requests.front().command = std::move(command);
  const core::Status performed = co_await impl_->perform(call);
  span.note(performed);
  CORE_CO_CHECK(performed);
  span.note(*call->requests.front().outcome);
  co_return std::move(*call->requests.front().outcome);
}

core::Task<core::Result<Values>> RedisClient::pipeline(std::vector<RedisCommand> commands, core::Deadline deadline) {
  return pipeline_replicated(std::move(commands), 0, deadline);
}

core::Task<core::Result<Values>> RedisClient::pipeline_replicated(std::vector<RedisCommand> commands, std::size_t replicas,
                                                                  core::Deadline deadline) {
  CORE_CO_TRY(auto call, impl_->make_call(commands.size(), deadline));
  call->replicas = replicas;
  const std::shared_ptr<core::TaskContext> context = co_await core::current_context();
  telemetry::ActiveSpan span;
  if (!commands.empty()) span = span_of(context, commands.front(), commands.size());
  fill(*call, std::move(commands));
  const core::Status performed = co_await impl_->perform(call);
  span.note(performed);
  CORE_CO_CHECK(performed);
  co_return take_outcomes(*call);
}

core::Task<core::Result<RedisFacts>> RedisClient::facts(core::Deadline deadline) {
  CORE_CO_TRY(auto listing, impl_->make_call(1, deadline));
  listing->requests.front().lists_masters = true;
  CORE_CO_CHECK(co_await impl_->perform(listing));
  CORE_CO_TRY(const RedisValue masters, std::move(*listing->requests.front().outcome));
  listing.reset();

  const auto questions = facts_questions();
  CORE_CO_TRY(auto asking, impl_->make_call(masters.elements.size() * questions.size(), deadline));
  for (std::size_t i = 0; i < asking->requests.size(); ++i) {
    asking->requests[i].node = masters.elements[i / questions.size()].text;
    asking->requests[i].command.arguments = questions[i % questions.size()];
  }
  CORE_CO_CHECK(co_await impl_->perform(asking));
  co_return facts_of(take_outcomes(*asking));
}

}  // namespace scalestyle::adapters::redis
