#pragma once
// One keep-alive HTTP/1.1 connection of the load generator: a non-blocking socket, one request at a time.

#include <sys/socket.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::load {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  bool is_loopback = false;
};

// A numeric address or a name. kNotFound when it does not resolve.
[[nodiscard]] core::Result<Address> resolve(const std::string& host, const std::string& port);

struct HttpAnswer {
  int status = 0;
  bool keep_alive = true;
  std::string_view body;  // valid until the connection's next use
  bool has_retry_after = false;
};

// Thread safety: none.
class HttpConnection {
 public:
  HttpConnection() = default;
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection() { close(); }

  // Starts a connection attempt when there is none, and sends `request` as far as the socket takes it.
  [[nodiscard]] core::Status start(const Address& address, std::string request);
  // After the socket became writable / readable. wants_write says which to wait for.
  [[nodiscard]] core::Status on_writable();
  enum class Progress : std::uint8_t { kMore, kComplete };
  [[nodiscard]] core::Result<Progress> on_readable();

  [[nodiscard]] bool wants_write() const { return sent_ < request_.size(); }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const HttpAnswer& answer() const { return answer_; }
  void close();

 private:
  [[nodiscard]] core::Result<Progress> parse();

  int descriptor_ = -1;
  std::string request_;
  std::size_t sent_ = 0;
  std::string received_;
  std::size_t header_bytes_ = 0;   // 0 until the whole header is there
  std::size_t content_bytes_ = 0;
  HttpAnswer answer_;
};

}  // namespace scalestyle::load
