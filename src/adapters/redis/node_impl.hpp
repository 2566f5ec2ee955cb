#pragma once
// Node: one server and its connections. Commands of one slot share a connection, so that they stay in order; those of
// pipeline_replicated() have one of their own, because WAIT holds back what is behind it.
// The I/O thread's alone.

#include <memory>
#include <vector>

#include "adapters/redis/connection_impl.hpp"

namespace scalestyle::adapters::redis {

class Node {
 public:
  Node(const ConnectionSettings& settings, Endpoint endpoint);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  [[nodiscard]] Connection& of_slot(std::uint16_t slot);
  [[nodiscard]] Connection& least_loaded();  // a ready one where there is one
  [[nodiscard]] Connection& replicated();

  void open_all();  // but the replicated one, which opens with its first command
  void open_soon();  // one of them stands: the others need not wait
  void retire();
  void close();
  [[nodiscard]] std::size_t ready() const;
  // Of its connections for plain commands: that one stands, and else why not.
  [[nodiscard]] bool stands() const;
  [[nodiscard]] const core::Error& trouble() const;

  // Replicas attached when it was last asked. Outlives the node where a WAIT does.
  struct Replicas {
    std::size_t attached = 0;
    core::SteadyTime valid_until = core::SteadyTime::min();
  };
  const std::shared_ptr<Replicas> replicas = std::make_shared<Replicas>();

 private:
  const ConnectionSettings& settings_;
  const Endpoint endpoint_;
  const std::string name_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::shared_ptr<Connection> replicated_;
};

}  // namespace scalestyle::adapters::redis
