#include "http/connection.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace scalestyle::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kLingerTime{1'000};
constexpr std::size_t kLingerBytes = 256 * 1024;
constexpr std::size_t kMaxShedding = 64;

ApiError error_of(const ConnectionHost& host, ShedCause cause) {
  if (cause == ShedCause::kAddressFull) {
    return make_error("rate_limited", fmt::format("{} connections are open from this address, which is the limit for one; use those, or "
                                                  "close some",
                                                  host.by_address.limit()));
  }
  ApiError full = make_error("overloaded", "the server is at its limit of connections; try again later");
  full.reason = search::DegradationReason::kDownstreamCapacityRejected;
  return full;
}

asio::awaitable<void> say_full(ConnectionHost& host, ApiError full, std::shared_ptr<tcp::socket> socket,
                               std::shared_ptr<asio::steady_timer> limit) {
  const std::string request_id = choose_request_id({});
  const Response response = host.application.refuse(full, request_id);
  const std::string text = header_block(response, request_id, false, current_date(host)) + response.body;
  [[maybe_unused]] const auto [failed, written] = co_await asio::async_write(*socket, asio::buffer(text), kUse);
  host.application.finished({request_id, "none", response.status, {}});
  ErrorCode ignored;
  socket->shutdown(tcp::socket::shutdown_send, ignored);
  std::array<char, 4096> dropped{};
  for (std::size_t total = 0; total < kLingerBytes;) {
    const auto [error, bytes] = co_await socket->async_read_some(asio::buffer(dropped), kUse);
    if (error) break;
    total += bytes;
  }
  limit->cancel();
  --host.shedding;
}

}  // namespace

void shed_connection(ConnectionHost& host, int socket_descriptor, ShedCause cause) {
  const auto protocol = address_family(socket_descriptor) == AF_INET6 ? tcp::v6() : tcp::v4();
  auto socket = std::make_shared<tcp::socket>(host.io);
  ErrorCode unusable;
  socket->assign(protocol, socket_descriptor, unusable);
  if (host.shedding >= kMaxShedding || host.tls != nullptr) return;  // closed without a word
  ++host.shedding;
  auto limit = std::make_shared<asio::steady_timer>(host.io, kLingerTime);
  limit->async_wait([socket](ErrorCode error) {
    ErrorCode ignored;
    if (!error) socket->close(ignored);
  });
  asio::co_spawn(host.io, say_full(host, error_of(host, cause), std::move(socket), std::move(limit)), asio::detached);
}

std::string_view current_date(ConnectionHost& host) {
  const auto now = std::chrono::floor<std::chrono::seconds>(host.clock.wall_now());
  if (host.date.empty() || now != host.date_second) {
    host.date_second = now;
    host.date = http_date(now);
  }
  return host.date;
}

std::string peer_address(int socket_descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getpeername(socket_descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* const bytes = address.ss_family == AF_INET6
                                ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr)
                                : static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  return ::inet_ntop(address.ss_family, bytes, text.data(), text.size()) != nullptr ? text.data() : "";
}

int address_family(int socket_descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  const bool known = ::getsockname(socket_descriptor, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  return known && address.ss_family == AF_INET6 ? AF_INET6 : AF_INET;
}

}  // namespace scalestyle::http
