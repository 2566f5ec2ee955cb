#include "http/server.hpp"

#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <thread>
#include <utility>
#include <vector>

#include "http/connection.hpp"
#include "http/tls_certificates_impl.hpp"

namespace scalestyle::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using SystemError = boost::system::error_code;

namespace {

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kSweepInterval{100};     // how late a time-out may be noticed
constexpr std::chrono::milliseconds kAcceptPause{100};       // when the process has no file descriptor left
constexpr int kBacklog = 1024;

core::Result<tcp::endpoint> endpoint_of(const ServerOptions& options, std::uint16_t port) {
  SystemError error;
  const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
  if (error) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("host \"{}\" is not an IPv4 or IPv6 address (0.0.0.0 is every interface)", options.host), "host");
  }
  return tcp::endpoint(address, port);
}

telemetry::Counter shed_counter(telemetry::Metrics& metrics, const char* limit) {
  return metrics.counter({"scalestyle_http_connections_shed_total", "Connections refused at a limit of connections: of all, or of one address.",
                          {{"limit", limit}}});
}

}  // namespace

struct Server::Impl {
  Impl(const ServerOptions& limits, Dependencies dependencies)
      : options(limits),
        use(dependencies),
        gate(std::make_shared<Gate>()),
        host{io, options, use.application, use.clock, use.log, gate, use.tracer},
        acceptor(io),
        admin_acceptor(io),
        sweep_timer(io),
        drain_timer(io),
        signals(io),
        open_connections(use.metrics.gauge({"scalestyle_http_connections", "Open connections."})),
        shed_connections(shed_counter(use.metrics, "all")),
        shed_of_addresses(shed_counter(use.metrics, "address")) {
    gate->io = &io;
    host.failed_handshakes = use.metrics.counter(
        {"scalestyle_http_tls_handshakes_failed_total", "Connections that ended, or were too slow, before TLS was agreed on."});
  }
  ~Impl() {
    const std::lock_guard lock(gate->mutex);
    gate->io = nullptr;
  }

  core::Status prepare();
  core::Status listen(tcp::acceptor& on, std::uint16_t wanted, const char* field);
  asio::awaitable<void> accept(tcp::acceptor& on, Audience audience);
  [[nodiscard]] bool is_full() const {
    return host.connections.size() >= options.max_connections || (host.tls != nullptr && host.handshakes >= options.max_handshakes);
  }
  asio::awaitable<void> sweep();
  void begin_drain();

  const ServerOptions options;
  Dependencies use;
  std::shared_ptr<Gate> gate;
  std::unique_ptr<TlsCertificates> certificates;  // null: plain connections
  ConnectionHost host;  // outlives the context, whose queue may hold sessions
  asio::io_context io{1};
  tcp::acceptor acceptor;
  tcp::acceptor admin_acceptor;  // open where operators have a port of their own
  asio::steady_timer sweep_timer;
  asio::steady_timer drain_timer;
  asio::signal_set signals;
  telemetry::Gauge open_connections;
  telemetry::Counter shed_connections;
  telemetry::Counter shed_of_addresses;
  std::uint16_t port = 0;
  std::uint16_t admin_port = 0;
};

core::Status Server::Impl::prepare() {
  CORE_TRY(auto proxies, TrustedProxies::parse(options.trusted_proxies));
  host.by_address.limit_to(options.max_connections_per_address, std::move(proxies));
  if (!options.tls_certificate.empty()) {
    CORE_TRY(certificates, TlsCertificates::open({options.tls_certificate, options.tls_key}, use.clock, use.log, use.metrics));
    host.tls = certificates.get();
  }
  CORE_CHECK(listen(acceptor, options.port, "port"));
  if (options.admin_port) CORE_CHECK(listen(admin_acceptor, *options.admin_port, "admin_port"));
  SystemError ignored;
  port = acceptor.local_endpoint(ignored).port();
  admin_port = options.admin_port ? admin_acceptor.local_endpoint(ignored).port() : port;
  return {};
}

core::Status Server::Impl::listen(tcp::acceptor& on, std::uint16_t wanted, const char* field) {
  CORE_TRY(const tcp::endpoint endpoint, endpoint_of(options, wanted));
  SystemError error;
  const auto refuse = [&](const char* what) {
    return core::fail(core::ErrorCode::kUnavailable,
                      fmt::format("cannot {} {}:{}: {}", what, options.host, wanted, error.message()), field);
  };
  on.open(endpoint.protocol(), error);
  if (error) return refuse("open a socket for");
  on.set_option(tcp::acceptor::reuse_address(true), error);
  on.bind(endpoint, error);
  if (error) return refuse("listen on");
  on.listen(kBacklog, error);
  if (error) return refuse("listen on");
  return {};
}

asio::awaitable<void> Server::Impl::accept(tcp::acceptor& on, Audience audience) {
  while (on.is_open()) {
    auto [error, socket] = co_await on.async_accept(kUse);
    if (!on.is_open()) co_return;
    if (error) {
      if (error == asio::error::no_descriptors || error == asio::error::no_buffer_space || error == asio::error::no_memory) {
        use.log.warning("cannot accept connections", {{"cause", error.message()}});
        asio::steady_timer pause(io, kAcceptPause);
        [[maybe_unused]] const auto [ignored] = co_await pause.async_wait(kUse);
      }
      continue;
    }
    SystemError released;
    const int descriptor = socket.release(released);
    if (released) continue;
    if (is_full()) {
      shed_connections.add();
      shed_connection(host, descriptor, ShedCause::kFull);
    } else if (host.by_address.is_full(peer_address(descriptor))) {
      shed_of_addresses.add();
      shed_connection(host, descriptor, ShedCause::kAddressFull);
    } else {
      serve_connection(host, descriptor, audience);
    }
    open_connections.set(static_cast<double>(host.connections.size()));
  }
}

// Looks at every connection's time limit, so that a request needs no timer of its own.
asio::awaitable<void> Server::Impl::sweep() {
  while (true) {
    sweep_timer.expires_after(kSweepInterval);
    [[maybe_unused]] const auto [ignored] = co_await sweep_timer.async_wait(kUse);
    const core::SteadyTime now = use.clock.steady_now();
    const std::vector<Connection*> all(host.connections.begin(), host.connections.end());
    for (Connection* connection : all) connection->check_time(now);
    if (certificates != nullptr) certificates->refresh();
    open_connections.set(static_cast<double>(host.connections.size()));
    if (host.draining && host.connections.empty()) {
      io.stop();
      co_return;
    }
  }
}

void Server::Impl::begin_drain() {
  if (host.draining) return;
  host.draining = true;
  use.application.begin_drain();
  SystemError ignored;
  acceptor.close(ignored);
  admin_acceptor.close(ignored);
  signals.cancel(ignored);
  const std::vector<Connection*> all(host.connections.begin(), host.connections.end());
  for (Connection* connection : all) connection->begin_drain();
  sweep_timer.cancel();
  drain_timer.expires_after(options.drain_timeout);
  drain_timer.async_wait([this](SystemError error) {
    if (error) return;
    use.log.warning("closing connections that did not finish in time",
                    {{"connections", host.connections.size()}, {"drain_timeout_ms", options.drain_timeout.count()}});
    const std::vector<Connection*> late(host.connections.begin(), host.connections.end());
    for (Connection* connection : late) connection->close();
    sweep_timer.cancel();
  });
}

core::Result<std::unique_ptr<Server>> Server::open(const ServerOptions& options, Dependencies dependencies) {
  CORE_CHECK(options.validate());
  auto impl = std::make_unique<Impl>(options, dependencies);
  CORE_CHECK(impl->prepare());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

std::uint16_t Server::port() const { return impl_->port; }

std::uint16_t Server::admin_port() const { return impl_->admin_port; }

void Server::run() {
  impl_->host.io_thread = std::this_thread::get_id();
  const bool divided = impl_->admin_acceptor.is_open();
  asio::co_spawn(impl_->io, impl_->accept(impl_->acceptor, divided ? Audience::kPublic : Audience::kAll), asio::detached);
  if (divided) asio::co_spawn(impl_->io, impl_->accept(impl_->admin_acceptor, Audience::kAdmin), asio::detached);
  asio::co_spawn(impl_->io, impl_->sweep(), asio::detached);
  impl_->io.run();
}

void Server::begin_drain() {
  const std::lock_guard lock(impl_->gate->mutex);
  asio::post(impl_->io, [impl = impl_.get()] { impl->begin_drain(); });
}

void Server::drain_on_signals(std::function<void(int)> notify) {
  impl_->signals.add(SIGTERM);
  impl_->signals.add(SIGINT);
  impl_->signals.async_wait([impl = impl_.get(), notify = std::move(notify)](SystemError error, int number) {
    if (error) return;
    notify(number);
    impl->begin_drain();
  });
}

}  // namespace scalestyle::http
