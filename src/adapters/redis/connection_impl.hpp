#pragma once
// Connection: one connection of the pool. Commands go out in the order given, many in one write; replies are matched to them
// in that order. It opens itself again after it broke, after growing delays, and gives back what had no reply.
// The I/O thread's alone. Nothing of its owner is called from inside enqueue().

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include "adapters/redis/pending_call.hpp"
#include "adapters/redis/resp.hpp"
#include "adapters/redis/transport_impl.hpp"

namespace scalestyle::adapters::redis {

// A command of the client's own: CLUSTER SLOTS, INFO, WAIT.
struct Control {
  std::vector<std::string> arguments{};
  std::function<void(const core::Result<RespReply>&)> done{};
};

// One command on its way: a request's, or a control.
struct Exchange {
  RequestRef request{};
  std::shared_ptr<Control> control{};
  bool asking = false;  // ASKING goes before it
  bool written = false;
  core::SteadyTime written_at{};
};

class Connection;

class ConnectionEvents {
 public:
  virtual ~ConnectionEvents() = default;
  virtual void replied(Connection& connection, const RequestRef& request, RespReply reply) = 0;
  // The connection broke: `exchanges` are those without a reply, in order; `written` says whether they may have been done.
  virtual void returned(Connection& connection, std::vector<Exchange> exchanges, const core::Error& why) = 0;
  virtual void state_changed(Connection& connection) = 0;
};

struct ConnectionSettings {
  RedisClient::Options options;
  const core::Clock& clock;
  boost::asio::io_context& io;
  std::shared_ptr<TlsContext> tls;  // null: plain
  ConnectionEvents& events;
  telemetry::Logger& log;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(const ConnectionSettings& settings, Endpoint endpoint);

  void open_if_new() {
    if (state_ == State::kNew) open();
  }
  void open_soon();  // the server is there: without the rest of a pause
  // Whether a command may be given to it now: not after an attempt to open it failed, until one succeeds.
  [[nodiscard]] bool accepts() const { return state_ != State::kClosed && !refused_; }
  void enqueue(Exchange exchange);

  [[nodiscard]] bool ready() const { return state_ == State::kReady; }
  [[nodiscard]] std::size_t outstanding() const { return pending_.size() + outgoing_.size(); }
  [[nodiscard]] const core::Error& trouble() const { return trouble_; }  // why it is not ready
  [[nodiscard]] const std::string& node() const { return node_; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

  void retire();  // ends with its last reply
  void close();   // ends now, without a word to its owner

 private:
  enum class State : std::uint8_t { kNew, kConnecting, kGreeting, kReady, kPausing, kClosed };

  void open();
  void opened(const core::Status& status);
  void greet();
  void take_greeting(const RespReply& reply);
  void become_ready();
  void read_more();
  [[nodiscard]] core::Status received(std::string_view bytes);
  [[nodiscard]] core::Status take(RespReply reply);
  void schedule_flush();
  void flush();
  [[nodiscard]] std::string take_outgoing();
  void append(std::string& bytes, const Exchange& exchange);
  void watch_replies();
  void lost(core::Error why);
  void pause();
  [[nodiscard]] core::Error error(core::ErrorCode code, const std::string& text) const;

  const ConnectionSettings& settings_;
  const Endpoint endpoint_;
  const std::string node_;
  State state_ = State::kNew;
  core::Error trouble_;
  std::shared_ptr<Transport> transport_;
  std::optional<RespReader> reader_;
  boost::asio::steady_timer timer_;    // connecting, or the pause before it
  boost::asio::steady_timer overdue_;  // of the oldest reply
  bool watching_ = false;
  bool writing_ = false;
  bool flush_scheduled_ = false;
  bool retiring_ = false;
  bool refused_ = false;       // the last attempt to open it failed
  std::size_t greetings_ = 0;  // replies to AUTH and CLIENT SETNAME that are expected
  int failures_ = 0;           // attempts in a row that did not last
  core::SteadyTime ready_since_{};
  std::deque<Exchange> outgoing_;
  std::deque<Exchange> pending_;
  std::unordered_set<std::string> known_scripts_;  // SHA-1 of those that were sent whole here
  std::minstd_rand jitter_;
};

}  // namespace scalestyle::adapters::redis
