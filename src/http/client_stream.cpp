#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <string>

#include "http/client_stream_impl.hpp"
#include "http/connection.hpp"

namespace scalestyle::http {

namespace asio = boost::asio;

namespace {

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);

}  // namespace

ClientStream::ClientStream(asio::io_context& io, int descriptor, std::shared_ptr<TlsContext> tls)
    : socket_(io), context_(std::move(tls)) {
  ErrorCode ignored;
  socket_.assign(address_family(descriptor) == AF_INET6 ? Tcp::v6() : Tcp::v4(), descriptor, ignored);
  socket_.set_option(Tcp::no_delay(true), ignored);
  if (context_ != nullptr) tls_.emplace(socket_, *context_);
}

asio::awaitable<bool> ClientStream::shake_hands() {
  if (!tls_) co_return true;
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kUse);
  co_return !error;
}

asio::awaitable<ClientStream::ErrorCode> ClientStream::write_all(std::span<const asio::const_buffer> parts) {
  constexpr std::size_t kOneRecord = 16 * 1024;
  if (tls_ && asio::buffer_size(parts) <= kOneRecord) {
    std::string joined;
    for (const asio::const_buffer& part : parts) joined.append(static_cast<const char*>(part.data()), part.size());
    const auto [error, bytes] = co_await asio::async_write(*tls_, asio::buffer(joined), kUse);
    co_return error;
  }
  const auto [error, bytes] = co_await asio::async_write(*this, parts, kUse);
  co_return error;
}

asio::awaitable<void> ClientStream::end_sending() {
  if (tls_) [[maybe_unused]] const auto [unheard] = co_await tls_->async_shutdown(kUse);
  ErrorCode ignored;
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
}

asio::awaitable<std::size_t> ClientStream::drop_some() {
  std::array<char, 4096> dropped{};
  const auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(dropped), kUse);
  co_return error ? 0 : bytes;
}

bool ClientStream::is_peer_gone() {
  char byte = 0;
  const auto seen = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen == 0 || (seen < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool ClientStream::has_peer_ended() {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  return info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_CLOSE;
}

}  // namespace scalestyle::http
