#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <utility>

#include "adapters/redis/connection_impl.hpp"
#include "adapters/redis/error_reply.hpp"

namespace scalestyle::adapters::redis {
namespace {

using boost::system::error_code;
using core::ErrorCode;
using std::chrono::milliseconds;

constexpr std::size_t kMaxWriteBytes = 1u << 20;   // of one write; what is beyond goes with the next
constexpr std::size_t kMaxKnownScripts = 1'000;
constexpr auto kLasting = std::chrono::seconds(1);  // a connection that stood so long is opened again without a pause
constexpr std::string_view kClientName = "scalestyle";

}  // namespace

Connection::Connection(const ConnectionSettings& settings, Endpoint endpoint)
    : settings_(settings),
      endpoint_(std::move(endpoint)),
      node_(endpoint_.text()),
      timer_(settings.io),
      overdue_(settings.io),
      jitter_(std::random_device{}()) {
  trouble_ = error(ErrorCode::kUnavailable, "not connected yet");
}

core::Error Connection::error(ErrorCode code, const std::string& text) const { return error_of(node_, text, code); }

void Connection::open() {
  if (state_ == State::kClosed) return;
  state_ = State::kConnecting;
  transport_ = std::make_shared<Transport>(settings_.io, endpoint_, settings_.tls);
  timer_.expires_after(settings_.options.connect_timeout);
  timer_.async_wait([self = shared_from_this(), attempt = transport_](const error_code& cancelled) {
    if (cancelled || self->transport_ != attempt || self->state_ == State::kReady) return;
    self->lost(self->error(ErrorCode::kUnavailable, fmt::format("no {} within {} ms",
                                                                self->state_ == State::kGreeting ? "answer" : "connection",
                                                                self->settings_.options.connect_timeout.count())));
  });
  transport_->open([self = shared_from_this(), attempt = transport_](const core::Status& status) {
    if (self->transport_ == attempt) self->opened(status);
  });
}

void Connection::open_soon() {
  refused_ = false;
  if (state_ == State::kPausing) open();
}

void Connection::opened(const core::Status& status) {
  if (!status) return lost(error(status.error().code, status.error().message));
  state_ = State::kGreeting;
  reader_.emplace(settings_.options.max_reply_bytes);
  greet();
  read_more();
}

void Connection::greet() {
  const auto& options = settings_.options;
  std::string bytes;
  greetings_ = 1;
  if (!options.password.empty() && options.username.empty()) {
    append_command(bytes, std::array<std::string_view, 2>{"AUTH", options.password});
    ++greetings_;
  } else if (!options.password.empty()) {
    append_command(bytes, std::array<std::string_view, 3>{"AUTH", options.username, options.password});
    ++greetings_;
  }
  append_command(bytes, std::array<std::string_view, 3>{"CLIENT", "SETNAME", kClientName});
  writing_ = true;
  transport_->write(std::move(bytes), [self = shared_from_this(), attempt = transport_](const error_code& failed) {
    if (self->transport_ != attempt) return;
    self->writing_ = false;
    if (failed) return self->lost(self->error(ErrorCode::kUnavailable, failed.message()));
    self->flush();
  });
}

void Connection::take_greeting(const RespReply& reply) {
  const bool is_authentication = greetings_ == 2;
  --greetings_;
  if (reply.is_error) {
    const auto parsed = parse_error_reply(reply.value.text);
    const bool unavailable = parsed.code == ErrorCode::kUnavailable;
    const bool refused = is_authentication || parsed.kind == ErrorReply::Kind::kAuthentication;
    // A name is a help to people who look at the server's clients: a user that may not set one goes without.
    if (unavailable || refused) {
      return lost(error(unavailable ? parsed.code : ErrorCode::kPermissionDenied, reply.value.text));
    }
  }
  if (greetings_ == 0) become_ready();
}

void Connection::become_ready() {
  state_ = State::kReady;
  refused_ = false;
  ready_since_ = settings_.clock.steady_now();
  trouble_.message.clear();
  timer_.cancel();
  settings_.log.log(telemetry::LogLevel::kDebug, "connected to redis", {{"node", node_}});
  settings_.events.state_changed(*this);
  flush();
}

void Connection::read_more() {
  transport_->read([self = shared_from_this(), attempt = transport_](const error_code& failed, std::string_view bytes) {
    if (self->transport_ != attempt) return;
    if (failed) {
      const bool ended = failed == boost::asio::error::eof || failed == boost::asio::ssl::error::stream_truncated;
      return self->lost(self->error(ErrorCode::kUnavailable, ended ? "the server closed the connection" : failed.message()));
    }
    const auto status = self->received(bytes);
    if (self->transport_ != attempt) return;
    if (!status) return self->lost(self->error(status.error().code, status.error().message));
    self->read_more();
  });
}

core::Status Connection::received(std::string_view bytes) {
  const auto attempt = transport_;
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, RespReader::kPieceBytes);
    bytes.remove_prefix(piece.size());
    CORE_CHECK(reader_->feed(piece));
    for (;;) {
      CORE_TRY(auto reply, reader_->next());
      if (!reply) break;
      CORE_CHECK(take(std::move(*reply)));
      if (transport_ != attempt) return {};
    }
  }
  return {};
}

core::Status Connection::take(RespReply reply) {
  if (state_ == State::kGreeting) {
    take_greeting(reply);
    return {};
  }
  if (pending_.empty()) return core::fail(ErrorCode::kDataLoss, "a reply came that nothing had asked for");
  if (std::exchange(pending_.front().asking, false)) return {};  // of ASKING; the command's own tells what came of it
  const Exchange exchange = std::move(pending_.front());
  pending_.pop_front();
  if (exchange.control) {
    exchange.control->done(std::move(reply));
  } else {
    settings_.events.replied(*this, exchange.request, std::move(reply));
  }
  if (retiring_ && outstanding() == 0) close();
  return {};
}

void Connection::enqueue(Exchange exchange) {
  outgoing_.push_back(std::move(exchange));
  if (state_ == State::kNew) open();
  schedule_flush();
}

// At the end of what the I/O thread does now: whatever else comes until then goes into the same write.
void Connection::schedule_flush() {
  if (state_ != State::kReady || writing_ || flush_scheduled_) return;
  flush_scheduled_ = true;
  boost::asio::post(settings_.io, [self = shared_from_this()] {
    self->flush_scheduled_ = false;
    self->flush();
  });
}

void Connection::flush() {
  if (state_ != State::kReady || writing_) return;
  std::string bytes = take_outgoing();
  if (bytes.empty()) return;
  writing_ = true;
  watch_replies();
  transport_->write(std::move(bytes), [self = shared_from_this(), attempt = transport_](const error_code& failed) {
    if (self->transport_ != attempt) return;
    self->writing_ = false;
    if (failed) return self->lost(self->error(ErrorCode::kUnavailable, failed.message()));
    self->flush();
  });
}

// A command that nobody waits for any more is not sent.
std::string Connection::take_outgoing() {
  std::string bytes;
  const auto now = settings_.clock.steady_now();
  while (!outgoing_.empty() && bytes.size() < kMaxWriteBytes) {
    Exchange exchange = std::move(outgoing_.front());
    outgoing_.pop_front();
    if (!exchange.control && exchange.request->outcome) continue;
    append(bytes, exchange);
    exchange.written = true;
    exchange.written_at = now;
    if (!exchange.control) exchange.request->in_flight = true;
    pending_.push_back(std::move(exchange));
  }
  return bytes;
}

void Connection::append(std::string& bytes, const Exchange& exchange) {
  std::vector<std::string_view> arguments;
  const RedisScript* const script = exchange.control ? nullptr : exchange.request->command.script.get();
  if (script != nullptr) {
    // Whole the first time on this connection: what is behind it in the pipeline then comes after it, whatever the server knows.
    if (known_scripts_.size() >= kMaxKnownScripts) known_scripts_.clear();
    const bool unknown = known_scripts_.insert(script->sha1).second;
    const bool whole = unknown || exchange.request->whole_script;
    arguments.emplace_back(whole ? "EVAL" : "EVALSHA");
    arguments.emplace_back(whole ? script->text : script->sha1);
  }
  const auto& rest = exchange.control ? exchange.control->arguments : exchange.request->command.arguments;
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  if (exchange.asking) append_command(bytes, std::array<std::string_view, 1>{"ASKING"});
  append_command(bytes, arguments);
}

// Closes the connection when its oldest reply has been due for command_timeout: what is behind it would wait for ever.
void Connection::watch_replies() {
  if (watching_ || pending_.empty()) return;
  watching_ = true;
  const auto due = pending_.front().written_at + settings_.options.command_timeout;
  overdue_.expires_after(std::max<core::SteadyTime::duration>(due - settings_.clock.steady_now(), milliseconds(1)));
  overdue_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    self->watching_ = false;
    if (cancelled || self->state_ != State::kReady || self->pending_.empty()) return;
    const auto limit = self->settings_.options.command_timeout;
    if (self->pending_.front().written_at + limit > self->settings_.clock.steady_now()) return self->watch_replies();
    self->lost(self->error(ErrorCode::kUnavailable, fmt::format("no reply within {} ms: connection closed", limit.count())));
  });
}

void Connection::lost(core::Error why) {
  const bool lasted = state_ == State::kReady && settings_.clock.steady_now() - ready_since_ >= kLasting;
  failures_ = lasted ? 0 : failures_ + 1;
  refused_ = state_ != State::kReady;
  transport_->close();
  transport_.reset();
  reader_.reset();
  known_scripts_.clear();
  writing_ = false;
  overdue_.cancel();
  std::vector<Exchange> exchanges;
  exchanges.reserve(outstanding());
  for (auto* queue : {&pending_, &outgoing_}) {
    std::ranges::move(*queue, std::back_inserter(exchanges));
    queue->clear();
  }
  if (trouble_.message != why.message) {
    settings_.log.warning("a connection to redis is lost", {{"reason", why.message}});
  }
  trouble_ = std::move(why);
  if (retiring_) {
    state_ = State::kClosed;
    timer_.cancel();
  } else if (lasted) {
    open();
  } else {
    pause();
  }
  settings_.events.state_changed(*this);
  const core::Error reason = trouble_;
  settings_.events.returned(*this, std::move(exchanges), reason);
}

void Connection::pause() {
  state_ = State::kPausing;
  const auto& options = settings_.options;
  auto delay = options.reconnect_first;
  for (int i = 1; i < failures_ && delay < options.reconnect_longest; ++i) delay *= 2;
  delay = std::min(delay, options.reconnect_longest);
  // Half of it at random: many clients of a server that comes back do not all come at once.
  delay = delay / 2 + milliseconds(std::uniform_int_distribution<std::int64_t>(0, delay.count() / 2)(jitter_));
  timer_.expires_after(std::max(delay, milliseconds(1)));
  timer_.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled && self->state_ == State::kPausing) self->open();
  });
}

void Connection::retire() {
  retiring_ = true;
  if (outstanding() == 0) close();
}

void Connection::close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  timer_.cancel();
  overdue_.cancel();
  if (transport_) transport_->close();
  transport_.reset();
  pending_.clear();
  outgoing_.clear();
  settings_.events.state_changed(*this);
}

}  // namespace scalestyle::adapters::redis
