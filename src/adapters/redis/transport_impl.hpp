#pragma once
// Transport: one attempt at a byte stream to a server, plain or TLS. Closed once and for all; the next attempt is a new one.
// The I/O thread's alone. Callbacks keep the transport alive; after close() they come with an error.

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/redis/endpoint.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::redis {

using TlsContext = boost::asio::ssl::context;

// Verifies with the authorities of `ca_file`, or the system's where it is empty. kInvalidArgument with "ca_file".
[[nodiscard]] core::Result<std::shared_ptr<TlsContext>> make_tls_context(const std::string& ca_file);

class Transport : public std::enable_shared_from_this<Transport> {
 public:
  using Opened = std::function<void(const core::Status&)>;
  using Written = std::function<void(const boost::system::error_code&)>;
  using Received = std::function<void(const boost::system::error_code&, std::string_view)>;

  // `tls`: null for a plain one.
  Transport(boost::asio::io_context& io, Endpoint endpoint, std::shared_ptr<TlsContext> tls);

  // Resolves, connects, shakes hands. kUnavailable says at what it failed.
  void open(Opened opened);
  void write(std::string bytes, Written written);  // one at a time
  void read(Received received);                    // one at a time; the bytes are valid in the callback
  void close();

 private:
  using Tcp = boost::asio::ip::tcp;
  void connect(const Tcp::resolver::results_type& addresses);
  void shake_hands();
  [[nodiscard]] core::Status prepare_verification();
  void finish(const core::Status& status);

  Endpoint endpoint_;
  std::shared_ptr<TlsContext> context_;
  Tcp::resolver resolver_;
  Tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<Tcp::socket&>> tls_;
  Opened opened_;
  std::string outgoing_;
  std::array<char, 64 * 1024> incoming_;
};

}  // namespace scalestyle::adapters::redis
