#pragma once
// Router: takes calls, sends each command to its node, and does what the replies ask for: follows MOVED and ASK, lets commands
// wait while the cluster cannot take them, repeats what may be repeated, within a budget, ends what is overdue.
// The I/O thread's alone.

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/redis/client_metrics.hpp"
#include "adapters/redis/error_reply.hpp"
#include "adapters/redis/replication_impl.hpp"
#include "adapters/redis/topology_impl.hpp"
#include "core/retry_budget.hpp"

namespace scalestyle::adapters::redis {

class Router final : public ConnectionEvents, private ReplicationEvents {
 public:
  Router(const ConnectionSettings& settings, std::vector<Endpoint> seeds, const ClientMetrics& metrics);

  void start() { topology_.refresh(); }
  void submit(std::vector<std::shared_ptr<Call>> calls);
  void cancel(const std::shared_ptr<Call>& call);
  void stop();  // ends all calls (kCancelled) and connections

  [[nodiscard]] std::string trouble() const { return topology_.trouble(); }
  // Called when trouble() may have changed.
  std::function<void()> on_trouble_changed;

 private:
  void replied(Connection& connection, const RequestRef& ref, RespReply reply) override;
  void returned(Connection& connection, std::vector<Exchange> exchanges, const core::Error& why) override;
  void state_changed(Connection& connection) override;
  void replicated(const RequestRef& ref) override;
  void not_replicated(const std::vector<RequestRef>& refs, const core::Error& why) override;

  void dispatch(const std::vector<RequestRef>& refs);
  // The node and connection to send it on; none when it was ended or waits.
  struct Place {
    Node* node = nullptr;
    Connection* connection = nullptr;
  };
  [[nodiscard]] Place place(const RequestRef& ref);
  [[nodiscard]] Place place_at(Node& node, const RequestRef& ref);
  void send(Connection& connection, const RequestRef& ref, bool asking);
  void refused(Connection& connection, const RequestRef& ref, const std::string& text);
  void redirect(Connection& connection, const RequestRef& ref, const ErrorReply& reply, const std::string& text);
  void wait(const RequestRef& ref, core::Error obstacle);
  void refreshed(const core::Status& status);

  void finish(const RequestRef& ref, core::Result<RedisValue> outcome);
  void settle(const std::shared_ptr<Call>& call, core::Status status);
  void end_overdue();
  [[nodiscard]] static core::Error overdue(const Call& call, const Request& request);
  void end_call(const std::shared_ptr<Call>& call);
  void watch_deadlines();

  const ConnectionSettings& settings_;
  const ClientMetrics& metrics_;
  core::RetryBudget retry_budget_;
  Topology topology_;
  Replication replication_;
  std::deque<RequestRef> waiting_room_;  // for the next reading of the slot map
  Deadlines deadlines_;                  // every call that is not settled
  boost::asio::steady_timer timer_;      // the first of them
  core::SteadyTime timer_at_ = core::SteadyTime::max();
  bool stopped_ = false;
};

}  // namespace scalestyle::adapters::redis
