#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adapters/redis/router_impl.hpp"

namespace scalestyle::adapters::redis {
namespace {

using core::ErrorCode;
using core::fail;
using Mode = Topology::Mode;

constexpr int kMaxRedirections = 5;

}  // namespace

Router::Router(const ConnectionSettings& settings, std::vector<Endpoint> seeds, const ClientMetrics& metrics)
    : settings_(settings),
      metrics_(metrics),
      retry_budget_({.per_call = settings.options.retries_per_command, .reserve = settings.options.retry_reserve}),
      topology_(settings, std::move(seeds), [this](const core::Status& status) { refreshed(status); }),
      replication_(settings, metrics, *this),
      timer_(settings.io) {}

void Router::submit(std::vector<std::shared_ptr<Call>> calls) {
  std::vector<RequestRef> refs;
  for (auto& call : calls) {
    call->place = deadlines_.emplace(call->deadline.time(), call);
    if (stopped_) {
      cancel(call);
      continue;
    }
    if (call->deadline.expired(settings_.clock)) {
      end_call(call);
      continue;
    }
    for (std::size_t i = 0; i < call->requests.size(); ++i) {
      refs.push_back({call, i});
      retry_budget_.count_call();
    }
  }
  watch_deadlines();
  dispatch(refs);
}

void Router::dispatch(const std::vector<RequestRef>& refs) {
  struct Group {
    Place place;
    std::vector<RequestRef> refs;
  };
  std::vector<Group> replicated;
  for (const auto& ref : refs) {
    if (ref->outcome) continue;
    const Place target = place(ref);
    if (target.connection == nullptr) continue;
    send(*target.connection, ref, false);
    if (ref.call->replicas == 0) continue;
    auto group = std::ranges::find(replicated, target.connection, [](const Group& one) { return one.place.connection; });
    if (group == replicated.end()) group = replicated.insert(group, Group{.place = target, .refs = {}});
    group->refs.push_back(ref);
  }
  for (auto& group : replicated) replication_.confirm(*group.place.node, *group.place.connection, std::move(group.refs));
}

Router::Place Router::place(const RequestRef& ref) {
  if (topology_.mode() == Mode::kUnknown) {
    if (topology_.failure()) {
      finish(ref, std::unexpected(*topology_.failure()));
    } else {
      waiting_room_.push_back(ref);
    }
    return {};
  }
  if (ref->lists_masters) {
    RedisValue names{.kind = RedisValue::Kind::kArray};
    for (auto& name : topology_.masters()) names.elements.push_back({.kind = RedisValue::Kind::kText, .text = std::move(name)});
    finish(ref, std::move(names));
    return {};
  }
  if (ref->command.arguments.empty()) {  // has no reply: those behind it would get the wrong ones
    finish(ref, fail(ErrorCode::kInvalidArgument, "redis: a command without a word"));
    return {};
  }
  if (!ref->node.empty()) {
    if (Node* const node = topology_.known(ref->node)) return place_at(*node, ref);
    finish(ref, fail(ErrorCode::kUnavailable, fmt::format("redis {}: is no master any more", ref->node)));
    return {};
  }
  Node* const node = ref->command.key.empty() ? topology_.any_master() : topology_.master_of(ref->slot);
  if (node != nullptr) return place_at(*node, ref);
  wait(ref, fail(ErrorCode::kUnavailable, fmt::format("redis: slot {} has no master that is known", ref->slot)).error());
  return {};
}

Router::Place Router::place_at(Node& node, const RequestRef& ref) {
  Connection& connection = ref.call->replicas > 0      ? node.replicated()
                           : ref->command.key.empty() ? node.least_loaded()
                                                      : node.of_slot(ref->slot);
  if (connection.accepts()) return {&node, &connection};
  const core::Error& trouble = connection.trouble();
  const bool will_pass = topology_.mode() == Mode::kCluster && ref->node.empty() && trouble.code == ErrorCode::kUnavailable;
  if (will_pass) {
    wait(ref, trouble);
  } else {
    finish(ref, std::unexpected(trouble));
  }
  return {};
}

void Router::send(Connection& connection, const RequestRef& ref, bool asking) {
  ++ref->attempt;
  ref->obstacle.reset();
  ref->unreplicated.reset();
  ref->sent_to = connection.node();
  connection.enqueue({.request = ref, .asking = asking});
}

void Router::replied(Connection& connection, const RequestRef& ref, RespReply reply) {
  if (ref->outcome) return;  // nobody waits for it any more
  ref->in_flight = false;
  if (reply.is_error) return refused(connection, ref, reply.value.text);
  if (ref.call->replicas > 0) {
    ref->unreplicated = std::move(reply.value);
  } else {
    finish(ref, std::move(reply.value));
  }
}

void Router::refused(Connection& connection, const RequestRef& ref, const std::string& text) {
  using Kind = ErrorReply::Kind;
  const ErrorReply reply = parse_error_reply(text);
  const bool cluster = topology_.mode() == Mode::kCluster && ref->node.empty();
  switch (reply.kind) {
    case Kind::kMoved:
    case Kind::kAsk:
      if (cluster) return redirect(connection, ref, reply, text);
      break;
    case Kind::kReadOnly:
    case Kind::kTryLater:
      if (cluster) return wait(ref, error_of(connection.node(), text, reply.code));
      break;
    case Kind::kNoScript:
      if (ref->command.script && !ref->whole_script) {
        ref->whole_script = true;
        return dispatch({ref});
      }
      break;
    case Kind::kAuthentication:
    case Kind::kOther: break;
  }
  finish(ref, std::unexpected(error_of(connection.node(), text, reply.code)));
}

void Router::redirect(Connection& connection, const RequestRef& ref, const ErrorReply& reply, const std::string& text) {
  if (++ref->redirections > kMaxRedirections) {
    const std::string why = fmt::format("{} (after {} redirections)", text, kMaxRedirections);
    return finish(ref, std::unexpected(error_of(connection.node(), why, ErrorCode::kUnavailable)));
  }
  Endpoint target = *reply.target;
  if (target.host.empty()) target.host = connection.endpoint().host;
  const bool asking = reply.kind == ErrorReply::Kind::kAsk;
  (asking ? metrics_.asked : metrics_.moved).add();
  if (!asking) {
    topology_.moved(reply.slot, target);
    topology_.refresh();
  }
  Node* const node = topology_.node(target);
  if (node == nullptr) {
    return finish(ref, std::unexpected(error_of(connection.node(), text + " (too many nodes)", ErrorCode::kUnavailable)));
  }
  const Place there = place_at(*node, ref);
  if (there.connection == nullptr) return;
  send(*there.connection, ref, asking);
  if (ref.call->replicas > 0) replication_.confirm(*there.node, *there.connection, {ref});
}

// Until the slot map was read again.
void Router::wait(const RequestRef& ref, core::Error obstacle) {
  ref->obstacle = std::move(obstacle);
  waiting_room_.push_back(ref);
  topology_.refresh();
}

void Router::refreshed(const core::Status& status) {
  metrics_.count_refresh(status.has_value());
  std::vector<RequestRef> refs(waiting_room_.begin(), waiting_room_.end());
  waiting_room_.clear();
  if (on_trouble_changed) on_trouble_changed();
  if (status) return dispatch(refs);
  for (const auto& ref : refs) finish(ref, std::unexpected(status.error()));
}

void Router::returned(Connection&, std::vector<Exchange> exchanges, const core::Error& why) {
  // Of controls first: what had a reply and waited for replicas was before the rest, and is repeated before it.
  for (const auto& exchange : exchanges) {
    if (exchange.control) exchange.control->done(std::unexpected(why));
  }
  std::vector<RequestRef> again;
  bool oldest = true;
  for (const auto& exchange : exchanges) {
    if (exchange.control) continue;
    const RequestRef& ref = exchange.request;
    const bool its_reply_is_wrong = exchange.written && std::exchange(oldest, false) && why.code == ErrorCode::kDataLoss;
    if (ref->outcome) continue;
    ref->in_flight = false;
    ref->in_doubt = ref->in_doubt || exchange.written;
    if (its_reply_is_wrong) {
      finish(ref, std::unexpected(why));
    } else if (!exchange.written || (ref->command.repeatable && retry_budget_.take())) {
      again.push_back(ref);
    } else {
      finish(ref, fail(ErrorCode::kUnavailable,
                       fmt::format("{} (the command had been sent; whether it was carried out is unknown)", why.message)));
    }
  }
  topology_.refresh();
  dispatch(again);
}

void Router::replicated(const RequestRef& ref) {
  if (ref->unreplicated) finish(ref, std::move(*ref->unreplicated));
}

void Router::not_replicated(const std::vector<RequestRef>& refs, const core::Error& why) {
  std::vector<RequestRef> again;
  for (const auto& ref : refs) {
    ref->in_doubt = true;
    if (ref->command.repeatable && retry_budget_.take()) {
      ref->unreplicated.reset();
      again.push_back(ref);
    } else {
      finish(ref, fail(ErrorCode::kUnavailable, fmt::format("{} (carried out, but replicas may not have it)", why.message)));
    }
  }
  dispatch(again);
}

void Router::state_changed(Connection& connection) {
  if (connection.ready()) topology_.connection_ready(connection.node());
  metrics_.connections.set(static_cast<double>(topology_.ready_connections()));
  if (on_trouble_changed) on_trouble_changed();
}

}  // namespace scalestyle::adapters::redis
