#pragma once
// ClientStream: the bytes of one client, plain or within TLS, as Asio's and Beast's operations take a stream. Private to the
// server; I/O thread only.
//
// One type for both, with a branch where bytes are read or written: the operations above it are compiled once.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "http/tls_certificates_impl.hpp"

namespace scalestyle::http {

class ClientStream {
 public:
  using Tcp = boost::asio::ip::tcp;
  using ErrorCode = boost::system::error_code;
  using executor_type = Tcp::socket::executor_type;

  // Takes over the accepted socket. Without a context the bytes are plain.
  ClientStream(boost::asio::io_context& io, int descriptor, std::shared_ptr<TlsContext> tls);
  ClientStream(const ClientStream&) = delete;
  ClientStream& operator=(const ClientStream&) = delete;

  [[nodiscard]] executor_type get_executor() { return socket_.get_executor(); }
  [[nodiscard]] bool is_tls() const { return tls_.has_value(); }

  template <class Buffers, class Token>
  typename boost::asio::async_result<std::decay_t<Token>, void(ErrorCode, std::size_t)>::return_type async_read_some(
      const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(Reading{this}, token, buffers);
  }
  template <class Buffers, class Token>
  typename boost::asio::async_result<std::decay_t<Token>, void(ErrorCode, std::size_t)>::return_type async_write_some(
      const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(ErrorCode, std::size_t)>(Writing{this}, token, buffers);
  }
  // Writes all of it. With TLS short parts become one record, not one each.
  boost::asio::awaitable<ErrorCode> write_all(std::span<const boost::asio::const_buffer> parts);

  // Calls `handler` when something can be read of the connection, without reading it.
  template <class Handler>
  void async_wait_readable(Handler&& handler) {
    socket_.async_wait(Tcp::socket::wait_read, std::forward<Handler>(handler));
  }

  // The handshake of TLS: false when it failed. True at once for plain bytes.
  boost::asio::awaitable<bool> shake_hands();
  // Tells the client that nothing more comes; with TLS so that it can tell that from a cut (RFC 8446, section 6.1).
  boost::asio::awaitable<void> end_sending();
  // Reads what the client still sends, as it comes over the wire, without looking at it.
  boost::asio::awaitable<std::size_t> drop_some();

  // Whether the client has closed its side, or the connection is broken; asked when something can be read.
  [[nodiscard]] bool is_peer_gone();
  // The same by the state of the connection, whatever is unread before its end.
  [[nodiscard]] bool has_peer_ended();

  void cancel() {
    ErrorCode ignored;
    socket_.cancel(ignored);
  }
  void close() {
    ErrorCode ignored;
    socket_.close(ignored);
  }
  // The next close() is one that the client cannot take for an orderly end.
  void end_hard() {
    ErrorCode ignored;
    socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  }

 private:
  struct Reading {
    ClientStream* stream;
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const {
      if (stream->tls_) return stream->tls_->async_read_some(buffers, std::forward<Handler>(handler));
      stream->socket_.async_read_some(buffers, std::forward<Handler>(handler));
    }
  };
  struct Writing {
    ClientStream* stream;
    template <class Handler, class Buffers>
    void operator()(Handler&& handler, const Buffers& buffers) const {
      if (stream->tls_) return stream->tls_->async_write_some(buffers, std::forward<Handler>(handler));
      stream->socket_.async_write_some(buffers, std::forward<Handler>(handler));
    }
  };

  Tcp::socket socket_;
  std::shared_ptr<TlsContext> context_;  // outlives its streams
  std::optional<boost::asio::ssl::stream<Tcp::socket&>> tls_;
};

}  // namespace scalestyle::http
