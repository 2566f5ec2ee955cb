#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adapters/redis/error_reply.hpp"
#include "adapters/redis/replication_impl.hpp"

namespace scalestyle::adapters::redis {
namespace {

using namespace std::chrono_literals;

constexpr auto kAttachedValid = 1s;

}  // namespace

std::size_t replicas_online(std::string_view info) {
  std::size_t count = 0;
  while (!info.empty()) {
    const auto end = info.find('\n');
    const std::string_view line = info.substr(0, end);
    if (line.starts_with("slave") && line.find("state=online") != std::string_view::npos) ++count;
    info.remove_prefix(end == std::string_view::npos ? info.size() : end + 1);
  }
  return count;
}

struct Replication::Group {
  struct Member {
    RequestRef ref;
    std::uint32_t attempt;  // another one since then has its own group
    [[nodiscard]] bool waits() const { return !ref->outcome && ref->attempt == attempt; }
  };
  std::shared_ptr<Connection> connection;
  std::shared_ptr<Node::Replicas> replicas;
  std::vector<Member> members{};
  std::size_t wanted = 0;
  std::size_t asked = 0;         // of the WAIT under way
  std::size_t acknowledged = 0;  // of the last one
};

void Replication::confirm(Node& node, Connection& connection, std::vector<RequestRef> requests) {
  const auto group = std::make_shared<Group>(Group{.connection = connection.shared_from_this(), .replicas = node.replicas});
  for (auto& ref : requests) {
    group->wanted = std::max(group->wanted, ref.call->replicas);
    group->members.push_back({ref, ref->attempt});
  }
  // Where none is attached the answer to INFO, which comes after the commands' own, ends the waiting.
  const bool known = settings_.clock.steady_now() < group->replicas->valid_until && group->replicas->attached > 0;
  known ? wait(group) : ask_attached(group);
}

void Replication::ask(const GroupPointer& group, std::vector<std::string> arguments, Replied replied) {
  auto control = std::make_shared<Control>();
  control->arguments = std::move(arguments);
  control->done = [this, group, replied](const core::Result<RespReply>& reply) {
    if (!reply) return fail(*group, reply.error());
    if (reply->is_error) {
      return fail(*group, error_of(group->connection->node(), reply->value.text, parse_error_reply(reply->value.text).code));
    }
    (this->*replied)(group, *reply);
  };
  group->connection->enqueue({.control = std::move(control)});
}

void Replication::wait(const GroupPointer& group) {
  auto longest = std::chrono::nanoseconds(settings_.options.command_timeout / 2);
  auto left = std::chrono::nanoseconds::zero();
  for (const auto& member : group->members) {
    if (member.waits()) left = std::max(left, member.ref.call->deadline.remaining(settings_.clock));
  }
  const auto limit = std::max(std::chrono::ceil<std::chrono::milliseconds>(std::min(left, longest)), 1ms);  // 0 would be for ever
  group->asked = std::min(group->wanted, group->replicas->attached);
  ask(group, {"WAIT", std::to_string(group->asked), std::to_string(limit.count())}, &Replication::waited);
}

void Replication::waited(const GroupPointer& group, const RespReply& reply) {
  group->acknowledged = static_cast<std::size_t>(std::max<std::int64_t>(reply.value.integer, 0));
  if (group->acknowledged >= group->asked) return end(*group);
  ask_attached(group);
}

void Replication::ask_attached(const GroupPointer& group) {
  ask(group, {"INFO", "replication"}, &Replication::told_attached);
}

void Replication::told_attached(const GroupPointer& group, const RespReply& reply) {
  group->replicas->attached = replicas_online(reply.value.text);
  group->replicas->valid_until = settings_.clock.steady_now() + kAttachedValid;
  if (std::min(group->wanted, group->replicas->attached) <= group->acknowledged) return end(*group);
  const bool anybody = std::ranges::any_of(group->members, [](const auto& member) { return member.waits(); });
  if (anybody) wait(group);
}

void Replication::end(Group& group) {
  for (const auto& member : group.members) {
    if (!member.waits() || !member.ref->unreplicated) continue;  // it may wait for another attempt
    if (group.replicas->attached == 0) metrics_.unreplicated_writes.add();
    events_.replicated(member.ref);
  }
}

// Those without a reply are their connection's to give back.
void Replication::fail(Group& group, const core::Error& why) {
  std::vector<RequestRef> refs;
  for (const auto& member : group.members) {
    if (member.waits() && member.ref->unreplicated) refs.push_back(member.ref);
  }
  if (!refs.empty()) events_.not_replicated(refs, why);
}

}  // namespace scalestyle::adapters::redis
