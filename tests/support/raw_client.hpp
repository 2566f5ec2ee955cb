#pragma once
// A blocking TCP client for tests that decide every byte and packet themselves.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace scalestyle::support {

struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  // as sent; the last of equal names
  std::string body;
};

class RawClient {
 public:
  // `to`: an address of this machine, in the host's order of bytes.
  explicit RawClient(std::uint16_t port, std::uint32_t to = INADDR_LOOPBACK) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(to);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient(RawClient&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_), input_(std::move(other.input_)) {}
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(); }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int descriptor() const { return socket_; }
  // Of reading and writing by others through descriptor().
  void limit_waiting(std::chrono::seconds limit) {
    const timeval time{limit.count(), 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  // Closes with a reset instead of an orderly end.
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  void end_sending() { ::shutdown(socket_, SHUT_WR); }

  // False when the other side does not take it any more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // One response; nothing when the connection ends or `limit` passes before it is complete.
  [[nodiscard]] std::optional<RawResponse> read(bool head_only = false,
                                                std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (input_.find("\r\n\r\n") == std::string::npos) {
      if (!receive(end)) return std::nullopt;
    }
    RawResponse response;
    const std::size_t head_end = input_.find("\r\n\r\n");
    std::string head = input_.substr(0, head_end + 2);
    input_.erase(0, head_end + 4);
    if (head.size() < 12) return std::nullopt;
    response.status = std::atoi(head.substr(9, 3).c_str());
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      const std::size_t line_end = head.find("\r\n", at);
      const std::string line = head.substr(at, line_end - at);
      const std::size_t colon = line.find(": ");
      if (colon != std::string::npos) response.headers[line.substr(0, colon)] = line.substr(colon + 2);
      at = line_end + 2;
    }
    const auto length = response.headers.find("Content-Length");
    const std::size_t size = head_only || length == response.headers.end() ? 0 : static_cast<std::size_t>(std::atoll(length->second.c_str()));
    while (input_.size() < size) {
      if (!receive(end)) return std::nullopt;
    }
    response.body = input_.substr(0, size);
    input_.erase(0, size);
    return response;
  }

  // One chunk of a chunked body (RFC 9112, section 7.1), "" for the last; nothing as with read().
  [[nodiscard]] std::optional<std::string> read_chunk(std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (input_.find("\r\n") == std::string::npos) {
      if (!receive(end)) return std::nullopt;
    }
    const std::size_t line = input_.find("\r\n") + 2;
    const auto size = static_cast<std::size_t>(std::strtoull(input_.c_str(), nullptr, 16));
    while (input_.size() < line + size + 2) {
      if (!receive(end)) return std::nullopt;
    }
    std::string chunk = input_.substr(line, size);
    input_.erase(0, line + size + 2);
    return chunk;
  }

  // Everything up to the end of the connection, and whether that was orderly (not a reset, not `limit`).
  [[nodiscard]] std::pair<std::string, bool> read_to_end(std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (receive(end)) continue;
    return {std::move(input_), ended_ && !broken_};
  }

  // Whether the other side closes within `limit`, having sent nothing more.
  [[nodiscard]] bool closed_within(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (input_.empty()) {
      if (!receive(end)) return ended_;
    }
    return false;
  }

 private:
  bool receive(std::chrono::steady_clock::time_point end) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd waiting{socket_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return false;
    char bytes[16 * 1024];
    const auto received = ::recv(socket_, bytes, sizeof bytes, 0);
    if (received <= 0) {
      ended_ = true;
      broken_ = received < 0;
      return false;
    }
    input_.append(bytes, static_cast<std::size_t>(received));
    return true;
  }

  int socket_;
  bool connected_ = false;
  bool ended_ = false;
  bool broken_ = false;  // it ended with a reset
  std::string input_;
};

}  // namespace scalestyle::support
