#include "http/connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/read.hpp>
#include <iterator>
#include <optional>
#include <utility>

#include "core/request_steps.hpp"
#include "http/connection_errors.hpp"
#include "http/header_reader_impl.hpp"
#include "http/request_trace.hpp"

namespace scalestyle::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using ErrorCode = boost::system::error_code;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kLingerTime{1'000};
constexpr std::size_t kLingerBytes = 256 * 1024;

class Session;

// Between a session and the task it waits for. Touched on the I/O thread only: what the task gives is brought there.
struct Exchange {
  bool has_effects = false;
  Session* session = nullptr;  // null once the session no longer waits
  core::SteadyTime ended{};    // when the task ended
};
template <class T>
struct ResultExchange : Exchange {
  std::optional<core::Result<T>> result{};
};

// Holds the stream for as long as the step runs, which may be longer than its client waits.
core::Task<core::Result<std::string>> next_piece(std::shared_ptr<BodyStream> stream) { co_return co_await stream->next(); }

class Session final : public Connection, public std::enable_shared_from_this<Session> {
 public:
  Session(ConnectionHost& host, int descriptor, Audience audience)
      : host_(host), peer_(peer_address(descriptor)), place_(host.by_address, peer_), audience_(audience),
        stream_(host.io, descriptor, host.tls != nullptr ? host.tls->current() : nullptr), answered_(host.io),
        buffer_(header_limit() + host.options.max_body_bytes + 65'536) {
    host_.connections.insert(this);
  }
  ~Session() override {
    end_exchange();
    release_body();
    host_.connections.erase(this);
  }

  asio::awaitable<void> run();
  void wake() { answered_.cancel(); }

  void begin_drain() override {
    if (phase_ == Phase::kIdle) close();
  }
  void close() override {
    closed_ = true;
    stream_.close();
    wake();
  }
  // Ends the connection so that the client cannot take it for an orderly end.
  void reset() {
    stream_.end_hard();
    close();
  }
  void check_time(core::SteadyTime now) override {
    // Before its end a TLS client sends that it ends, behind which the watch cannot see.
    if (stream_.is_tls() && exchange_ != nullptr && !exchange_->has_effects && stream_.has_peer_ended()) leave();
    if (now < phase_end_) return;
    phase_end_ = core::SteadyTime::max();
    timed_out_ = true;
    stream_.cancel();
    wake();
  }

 private:
  enum class Phase { kShakingHands, kIdle, kReading, kAnswering, kWriting, kLingering };

  [[nodiscard]] std::size_t header_limit() const { return host_.options.max_target_bytes + host_.options.max_header_bytes + 256; }
  void enter(Phase phase, std::chrono::nanoseconds limit) {
    phase_ = phase;
    timed_out_ = false;
    phase_end_ = host_.clock.steady_now() + limit;
  }

  // The client went away while it was owed an answer.
  void leave() {
    client_gone_ = true;
    wake();
  }

  asio::awaitable<bool> shake_hands();
  asio::awaitable<bool> wait_for_request();
  asio::awaitable<bool> read_request(RequestParser& parser);
  asio::awaitable<bool> read_body(RequestParser& parser);
  asio::awaitable<bool> answer(RequestParser& parser);
  asio::awaitable<std::optional<Response>> perform(Call call);
  template <class T>
  asio::awaitable<std::optional<core::Result<T>>> run_task(core::Task<core::Result<T>> task, core::Deadline deadline, bool has_effects);
  asio::awaitable<bool> write(const Response& response, std::string_view request_id, bool keep_alive, bool with_body);
  asio::awaitable<StreamEnd> write_stream(std::shared_ptr<BodyStream> stream, core::Deadline deadline, bool chunked);
  asio::awaitable<bool> write_piece(std::string_view piece, bool chunked);
  asio::awaitable<bool> refuse(ApiError error, core::SteadyTime received);
  asio::awaitable<void> linger();
  [[nodiscard]] std::optional<ApiError> header_fault(const RequestParser& parser) const;
  // What to tell the client about a failed read of this part of a request.
  [[nodiscard]] std::optional<ApiError> read_fault(ErrorCode error, const char* part, bool target_known) const {
    if (closed_) return std::nullopt;
    return timed_out_ ? request_timeout(part) : http::read_fault(error, part, target_known);
  }
  void watch_client(const std::shared_ptr<Exchange>& exchange);
  void end_exchange();
  [[nodiscard]] bool reserve_body(std::size_t bytes);
  void release_body();

  ConnectionHost& host_;
  const std::string peer_;
  const AddressConnections::Place place_;
  const Audience audience_;
  ClientStream stream_;
  asio::steady_timer answered_;  // never expires: cancelled to say "look again"
  beast::flat_buffer buffer_;
  std::shared_ptr<Exchange> exchange_;
  core::Operation operation_;
  std::shared_ptr<core::TaskContext> context_;  // of the request's tasks
  std::string request_id_;
  Phase phase_ = Phase::kIdle;
  core::SteadyTime phase_end_ = core::SteadyTime::max();
  core::SteadyTime received_{};
  std::size_t served_ = 0;
  std::size_t large_body_bytes_ = 0;  // reserved of the host's
  bool timed_out_ = false;
  bool client_gone_ = false;
  bool closed_ = false;
};

asio::awaitable<void> Session::run() {
  if (stream_.is_tls() && !co_await shake_hands()) co_return;
  while (true) {
    if (!co_await wait_for_request()) break;
    RequestParser parser;
    if (!co_await read_request(parser)) break;
    const bool goes_on = co_await answer(parser);
    release_body();
    if (!goes_on) break;
  }
  if (!closed_ && !client_gone_) co_await linger();
}

asio::awaitable<bool> Session::shake_hands() {
  enter(Phase::kShakingHands, host_.options.handshake_timeout);
  ++host_.handshakes;
  const bool done = co_await stream_.shake_hands();
  --host_.handshakes;
  if (!done && !closed_) host_.failed_handshakes.add();
  co_return done && !closed_ && !timed_out_;
}

// False: the client closed, was idle too long, or the server drains.
asio::awaitable<bool> Session::wait_for_request() {
  enter(Phase::kIdle, host_.options.idle_timeout);
  for (bool empty_line_seen = false; !host_.draining;) {
    const std::string_view seen(static_cast<const char*>(buffer_.cdata().data()), buffer_.size());
    if (seen.empty() || (seen == "\r" && !empty_line_seen)) {
      const auto [error, bytes] = co_await stream_.async_read_some(buffer_.prepare(8192), kUse);
      if (error) co_return false;
      buffer_.commit(bytes);
      continue;
    }
    // One empty line before a request is passed over (RFC 9112, section 2.2).
    if (empty_line_seen || !seen.starts_with("\r\n")) co_return true;
    buffer_.consume(2);
    empty_line_seen = true;
  }
  co_return false;
}

asio::awaitable<bool> Session::read_request(RequestParser& parser) {
  parser.header_limit(static_cast<std::uint32_t>(header_limit()));
  parser.body_limit(boost::none);  // set when the route is known
  enter(Phase::kReading, host_.options.header_timeout);
  const core::SteadyTime begun = host_.clock.steady_now();
  const ErrorCode error = co_await read_header(stream_, buffer_, parser);
  if (auto fault = read_fault(error, "header", !parser.get().target().empty())) co_return co_await refuse(std::move(*fault), begun);
  if (error) co_return false;
  received_ = host_.clock.steady_now();
  if (auto fault = header_fault(parser)) co_return co_await refuse(std::move(*fault), received_);
  if (parser.is_done()) co_return true;
  co_return co_await read_body(parser);
}

asio::awaitable<bool> Session::read_body(RequestParser& parser) {
  const std::size_t limit = host_.application.body_limit(parse_method(parser.get().method_string()), parser.get().target())
                                .value_or(host_.options.max_body_bytes);
  const auto length = parser.content_length();
  if (length && *length > limit) co_return co_await refuse(body_too_large(limit), received_);
  if (!reserve_body(length ? static_cast<std::size_t>(*length) : limit)) {
    co_return co_await refuse(too_many_bodies(), received_);
  }
  parser.body_limit(limit);
  enter(Phase::kReading, host_.options.body_timeout);
  if (const auto expect = parser.get().find(beast::http::field::expect); expect != parser.get().end()) {
    if (!beast::iequals(expect->value(), "100-continue")) {
      co_return co_await refuse(make_error("expectation_failed", "only \"100-continue\" can be expected", "Expect"), received_);
    }
    const std::array<asio::const_buffer, 1> go_on{asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25)};
    const ErrorCode error = co_await stream_.write_all(go_on);
    if (error) co_return false;
  }
  const auto [error, bytes] = co_await beast::http::async_read(stream_, buffer_, parser, kUse);
  if (error == beast::http::error::body_limit && !closed_) co_return co_await refuse(body_too_large(limit), received_);
  if (auto fault = read_fault(error, "body", true)) co_return co_await refuse(std::move(*fault), received_);
  co_return !error;
}

std::optional<ApiError> Session::header_fault(const RequestParser& parser) const {
  const auto& fields = parser.get();
  HeaderCheck check(host_.options);
  for (const auto& field : fields) check.add(field.name_string(), field.value());
  return check.fault(fields.target().size(), fields.version() >= 11);
}

// True: the connection goes on.
asio::awaitable<bool> Session::answer(RequestParser& parser) {
  const core::SteadyTime began = host_.clock.steady_now();
  const auto& fields = parser.get();
  Request request;
  request.method = parse_method(fields.method_string());
  request.target = std::string(fields.target());
  read_header_fields(request, [&fields](std::string_view name) -> std::string_view { return fields[name]; });
  for (auto [at, end] = fields.equal_range("X-Forwarded-For"); at != end; ++at) add_value(request.forwarded_for, at->value());
  request.peer = peer_;
  request.audience = audience_;
  request.body = std::move(parser.get().body());
  request.received = received_;
  const bool with_body = request.method != Method::kHead;

  RequestTrace trace(host_.tracer, request);
  context_ = trace.context();
  Call call = host_.application.begin(std::move(request));
  const std::string request_id = request_id_ = call.request_id;
  core::request_steps().add(core::RequestStep::kBegin, host_.clock.steady_now() - began);
  const core::Deadline deadline = call.deadline;
  const std::shared_ptr<const AuditNote> audit = std::move(call.audit);
  auto headers = std::move(call.headers);
  FinishedCall record{.request_id = request_id, .route = call.route, .audit = audit.get(), .trace = trace.scope()};
  std::optional<Response> response;
  if (auto* immediate = std::get_if<Response>(&call.work)) {
    response = std::move(*immediate);
  } else {
    response = co_await perform(std::move(call));
  }
  bool keep_alive = false;
  if (response) {
    std::ranges::move(headers, std::back_inserter(response->headers));
    const bool spent = ++served_ >= host_.options.max_requests_per_connection;
    // Without chunks it is the connection's end that ends a stream.
    const bool chunked = response->stream != nullptr && fields.version() >= 11;
    const bool delimited = response->stream == nullptr || chunked;
    keep_alive = parser.keep_alive() && delimited && !response->close && !host_.draining && !spent;
    record.status = response->status;
    response->chunked = chunked;
    trace.show(*response);
    if (!co_await write(*response, request_id, keep_alive, with_body)) keep_alive = false;
    if (response->stream != nullptr && with_body) {
      record.stream = StreamEnd::kGone;
      std::shared_ptr<BodyStream> stream = std::move(response->stream);
      if (!client_gone_) record.stream = co_await write_stream(std::move(stream), deadline, chunked);
      if (*record.stream != StreamEnd::kComplete) {
        keep_alive = false;
        if (!chunked) reset();
      }
    }
  }
  record.took = host_.clock.steady_now() - received_;
  host_.application.finished(record);
  trace.end(record);
  context_.reset();
  co_return keep_alive;
}

// Nothing when the client went away.
asio::awaitable<std::optional<Response>> Session::perform(Call call) {
  Work work = std::move(std::get<Work>(call.work));
  std::optional<core::Result<Response>> result = co_await run_task(std::move(work), call.deadline, call.has_effects);
  if (client_gone_ || closed_) co_return std::nullopt;
  if (!result || !*result) co_return unanswered(host_.application, call, result);
  co_return std::move(**result);
}

// Runs the task, and drops it when the client goes away or when its time is over: then there is no result.
template <class T>
asio::awaitable<std::optional<core::Result<T>>> Session::run_task(core::Task<core::Result<T>> task, core::Deadline deadline,
                                                                  bool has_effects) {
  const auto left = std::min<std::chrono::nanoseconds>(deadline.remaining(host_.clock), std::chrono::hours(1));
  enter(Phase::kAnswering, left + host_.options.answer_grace);
  const auto exchange = std::make_shared<ResultExchange<T>>();
  exchange->session = this;
  exchange->has_effects = has_effects;
  exchange_ = exchange;
  operation_ = core::start(std::move(task), [exchange, gate = host_.gate, io_thread = host_.io_thread](core::Result<T>&& result) mutable {
    const auto take = [exchange, ended = std::chrono::steady_clock::now()](core::Result<T>&& given) {
      exchange->ended = ended;
      exchange->result = std::move(given);
      if (exchange->session != nullptr) exchange->session->wake();
    };
    if (std::this_thread::get_id() == io_thread) return take(std::move(result));
    const std::lock_guard lock(gate->mutex);
    if (gate->io != nullptr) asio::post(*gate->io, [take, result = std::move(result)]() mutable { take(std::move(result)); });
  }, context_);
  if (!exchange->result) {
    answered_.expires_at(std::chrono::steady_clock::time_point::max());
    if (!has_effects) watch_client(exchange);
    while (!exchange->result && !client_gone_ && !closed_ && !timed_out_) {
      [[maybe_unused]] const auto [ignored] = co_await answered_.async_wait(kUse);
    }
    if (!closed_) stream_.cancel();  // the watch
  }
  if (exchange->result) core::request_steps().add(core::RequestStep::kBack, std::chrono::steady_clock::now() - exchange->ended);
  end_exchange();
  co_return std::move(exchange->result);
}

void Session::end_exchange() {
  if (exchange_ == nullptr) return;
  exchange_->session = nullptr;
  if (exchange_->has_effects) operation_.detach();
  exchange_.reset();
  operation_ = core::Operation();  // cancels what is still running
}

// False: the large bodies at hand leave no room for one of `bytes`. Small ones are bounded by the number of connections.
bool Session::reserve_body(std::size_t bytes) {
  if (bytes <= host_.options.max_body_bytes) return true;
  if (host_.large_body_bytes + bytes > host_.options.max_large_bodies_bytes) return false;
  host_.large_body_bytes += bytes;
  large_body_bytes_ = bytes;
  return true;
}

void Session::release_body() { host_.large_body_bytes -= std::exchange(large_body_bytes_, 0); }

// A client that closes while its answer is being made is noticed without reading what it may have pipelined.
void Session::watch_client(const std::shared_ptr<Exchange>& exchange) {
  stream_.async_wait_readable([self = shared_from_this(), exchange](ErrorCode error) {
    if (!error && self->exchange_ == exchange && self->stream_.is_peer_gone()) self->leave();
  });
}

asio::awaitable<bool> Session::write(const Response& response, std::string_view request_id, bool keep_alive, bool with_body) {
  const core::StepTimer timer(core::RequestStep::kWrite);
  enter(Phase::kWriting, host_.options.write_timeout);
  const std::string head = header_block(response, request_id, keep_alive, current_date(host_));
  const bool body = with_body && response.status != 204 && response.status != 304;
  const std::string_view content = body ? response.content() : std::string_view();
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(content)};
  const ErrorCode error = co_await stream_.write_all(parts);
  if (error) client_gone_ = true;
  co_return !error;
}

// One piece is made, then written, then the next: a client that reads slowly holds up the making, not our memory.
asio::awaitable<StreamEnd> Session::write_stream(std::shared_ptr<BodyStream> stream, core::Deadline deadline, bool chunked) {
  const core::Deadline end = deadline.is_never() ? deadline : core::Deadline::at(deadline.time() + host_.options.answer_grace);
  while (true) {
    if (end.expired(host_.clock)) co_return StreamEnd::kLate;
    core::Task<core::Result<std::string>> making = next_piece(stream);
    std::optional<core::Result<std::string>> piece = co_await run_task(std::move(making), deadline, false);
    if (client_gone_ || closed_) co_return StreamEnd::kGone;
    if (!piece) co_return StreamEnd::kLate;
    if (!*piece) {
      const std::string trace_id = telemetry::trace_id_of(context_.get());
      host_.log.warning("a streamed answer ended early",
                        {{"request_id", request_id_}, {"trace_id", trace_id}, {"cause", piece->error().message}});
      co_return StreamEnd::kFailed;
    }
    const bool last = (*piece)->empty();
    bool written = true;
    if (chunked || !last) written = co_await write_piece(**piece, chunked);
    if (!written) co_return timed_out_ ? StreamEnd::kSlowReader : StreamEnd::kGone;
    if (last) co_return StreamEnd::kComplete;
  }
}

// With chunks an empty piece is the end (RFC 9112, section 7.1).
asio::awaitable<bool> Session::write_piece(std::string_view piece, bool chunked) {
  enter(Phase::kWriting, host_.options.write_timeout);
  const std::string size = chunked ? fmt::format("{:x}\r\n", piece.size()) : std::string();
  const std::string_view end = chunked ? std::string_view("\r\n") : std::string_view();
  const std::array<asio::const_buffer, 3> parts{asio::buffer(size), asio::buffer(piece), asio::buffer(end)};
  const ErrorCode error = co_await stream_.write_all(parts);
  if (error) client_gone_ = true;
  co_return !error;
}

// Always false: what follows on this connection cannot be understood.
asio::awaitable<bool> Session::refuse(ApiError error, core::SteadyTime received) {
  error.close = true;
  const std::string request_id = choose_request_id({});
  const Response response = host_.application.refuse(error, request_id);
  static_cast<void>(co_await write(response, request_id, false, true));
  host_.application.finished({request_id, "none", response.status, host_.clock.steady_now() - received});
  co_return false;
}

// Closing with unread input would reset the connection and could destroy the answer on its way: read it first, a while.
asio::awaitable<void> Session::linger() {
  enter(Phase::kLingering, kLingerTime);
  co_await stream_.end_sending();
  for (std::size_t total = 0; total < kLingerBytes && !timed_out_ && !closed_;) {
    const std::size_t bytes = co_await stream_.drop_some();
    if (bytes == 0) break;
    total += bytes;
  }
}

}  // namespace

void serve_connection(ConnectionHost& host, int socket_descriptor, Audience audience) {
  auto session = std::make_shared<Session>(host, socket_descriptor, audience);
  asio::co_spawn(host.io, [session]() { return session->run(); }, [session, &host](const std::exception_ptr& failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& cause) {
      host.log.error("a connection was given up", {{"cause", cause.what()}});
    }
  });
}

}  // namespace scalestyle::http
