#pragma once
// Replication: WAIT behind the commands of one connection, until replicas have them.
//
// WAIT counts what its own connection wrote, so it goes where the commands went. It holds that connection back: it asks for
// half of command_timeout at most, and again until the commands' deadlines end them.
// The I/O thread's alone.

#include <memory>
#include <string_view>
#include <vector>

#include "adapters/redis/client_metrics.hpp"
#include "adapters/redis/connection_impl.hpp"
#include "adapters/redis/node_impl.hpp"

namespace scalestyle::adapters::redis {

class ReplicationEvents {
 public:
  virtual ~ReplicationEvents() = default;
  virtual void replicated(const RequestRef& ref) = 0;
  // They were carried out, and it cannot be known whether replicas have them.
  virtual void not_replicated(const std::vector<RequestRef>& refs, const core::Error& why) = 0;
};

class Replication {
 public:
  Replication(const ConnectionSettings& settings, const ClientMetrics& metrics, ReplicationEvents& events)
      : settings_(settings), metrics_(metrics), events_(events) {}

  // `requests` were just given to `connection` of `node`.
  void confirm(Node& node, Connection& connection, std::vector<RequestRef> requests);

 private:
  struct Group;
  using GroupPointer = std::shared_ptr<Group>;
  using Replied = void (Replication::*)(const GroupPointer&, const RespReply&);
  void ask(const GroupPointer& group, std::vector<std::string> arguments, Replied replied);
  void wait(const GroupPointer& group);
  void waited(const GroupPointer& group, const RespReply& reply);
  void ask_attached(const GroupPointer& group);
  void told_attached(const GroupPointer& group, const RespReply& reply);
  void end(Group& group);
  void fail(Group& group, const core::Error& why);

  const ConnectionSettings& settings_;
  const ClientMetrics& metrics_;
  ReplicationEvents& events_;
};

// Of INFO replication: replicas that follow.
[[nodiscard]] std::size_t replicas_online(std::string_view info);

}  // namespace scalestyle::adapters::redis
