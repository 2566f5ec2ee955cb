#pragma once
// Topology: which nodes there are and who is the master of what: one server, or a Cluster whose slot map it reads
// (CLUSTER SLOTS) at first contact, when something hints that it has changed, and every half minute.
// The I/O thread's alone.

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/redis/node_impl.hpp"
#include "adapters/redis/slot_map.hpp"

namespace scalestyle::adapters::redis {

class Topology {
 public:
  enum class Mode : std::uint8_t { kUnknown, kStandalone, kCluster };
  // Called when a reading of the map ends: with nothing, or why no node could be asked.
  using Refreshed = std::function<void(const core::Status&)>;

  Topology(const ConnectionSettings& settings, std::vector<Endpoint> seeds, Refreshed refreshed);
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;

  [[nodiscard]] Mode mode() const { return mode_; }
  // While the mode is unknown: why the last attempt failed; none while one is under way.
  [[nodiscard]] const std::optional<core::Error>& failure() const { return failure_; }

  // Null where the slot has no master, no master is known, or there are too many nodes.
  [[nodiscard]] Node* master_of(std::uint16_t slot);
  [[nodiscard]] Node* any_master();
  [[nodiscard]] Node* node(const Endpoint& endpoint);  // becomes known where it was not
  [[nodiscard]] Node* known(const std::string& name);
  [[nodiscard]] std::vector<std::string> masters() const;

  // Reads the map soon, but not more often than ten times a second.
  void refresh();
  void moved(std::uint16_t slot, const Endpoint& master) { slots_.move(slot, master); }
  void connection_ready(const std::string& node);  // it may be the one that a first contact waits for

  void close();
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] std::size_t ready_connections() const;

 private:
  struct Attempt {
    std::vector<Endpoint> candidates{};  // left to ask, the last first
    std::optional<core::Error> failure{};
    std::uint64_t number = 0;
  };
  void begin();
  void ask_next();
  void answered(const Endpoint& asked, const core::Result<RespReply>& reply);
  [[nodiscard]] core::Status understand(const Endpoint& asked, const RespReply& reply);
  void adopt_masters(const std::vector<Endpoint>& masters);
  void end(const core::Status& status);
  void schedule(core::SteadyTime::duration delay);
  [[nodiscard]] std::vector<Endpoint> candidates() const;

  const ConnectionSettings& settings_;
  const std::vector<Endpoint> seeds_;
  const Refreshed refreshed_;
  Mode mode_ = Mode::kUnknown;
  std::optional<core::Error> failure_;
  std::map<std::string, std::shared_ptr<Node>> nodes_;  // by "host:port"
  std::vector<std::shared_ptr<Node>> masters_;
  std::size_t turn_ = 0;  // of any_master()
  SlotMap slots_;
  std::optional<Attempt> attempt_;
  std::uint64_t attempts_ = 0;
  bool wanted_ = false;  // another reading after the one under way
  bool soon_ = false;    // the timer runs for a reading that was asked for
  core::SteadyTime begun_ = core::SteadyTime::min();
  boost::asio::steady_timer timer_;       // the next reading
  boost::asio::steady_timer impatience_;  // with the node that is being asked
  bool closed_ = false;
};

}  // namespace scalestyle::adapters::redis
