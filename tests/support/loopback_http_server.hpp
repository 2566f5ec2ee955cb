#pragma once
// A small HTTP/1.1 server on 127.0.0.1 for tests: answers each request as a handler says, faults included.
// One request a connection; requests are handled in threads of their own and kept for inspection.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace scalestyle::support {

struct LoopbackRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct LoopbackReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  bool announce_length = true;                   // false: the end of the connection ends the body
  std::optional<std::size_t> cut_after{};        // close after so many bytes of the body
  std::chrono::milliseconds delay{0};            // before the answer
  std::chrono::milliseconds hang_before_end{0};  // after the (cut) body
};

class LoopbackHttpServer {
 public:
  using Handler = std::function<LoopbackReply(const LoopbackRequest&)>;

  explicit LoopbackHttpServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen on loopback");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
  }
  LoopbackHttpServer(const LoopbackHttpServer&) = delete;
  LoopbackHttpServer& operator=(const LoopbackHttpServer&) = delete;
  ~LoopbackHttpServer() {
    stopping_ = true;
    acceptor_.request_stop();
    acceptor_.join();
    connections_.clear();
    ::close(listener_);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view path = "") const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  [[nodiscard]] std::vector<LoopbackRequest> requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
  }

 private:
  void accept_all(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd wanted{listener_, POLLIN, 0};
      if (::poll(&wanted, 1, 20) <= 0) continue;
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      connections_.emplace_back([this, connection] {
        serve(connection);
        ::close(connection);
      });
    }
  }

  void serve(int connection) {
    const auto request = read_request(connection);
    if (!request) return;
    {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(*request);
    }
    const LoopbackReply reply = handler_(*request);
    pause(reply.delay);
    std::string head = fmt::format("HTTP/1.1 {} Status\r\nConnection: close\r\n", reply.status);
    for (const auto& [name, value] : reply.headers) head += fmt::format("{}: {}\r\n", name, value);
    if (reply.announce_length) head += fmt::format("Content-Length: {}\r\n", reply.body.size());
    head += "\r\n";
    if (!send_all(connection, head)) return;
    send_all(connection, std::string_view(reply.body).substr(0, reply.cut_after.value_or(reply.body.size())));
    pause(reply.hang_before_end);
  }

  void pause(std::chrono::milliseconds duration) const {
    const auto end = std::chrono::steady_clock::now() + duration;
    while (!stopping_ && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  static bool send_all(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  static std::optional<LoopbackRequest> read_request(int connection) {
    std::string text;
    std::size_t head_end = std::string::npos;
    std::size_t needed = 0;
    char buffer[16384];
    while (head_end == std::string::npos || text.size() < needed) {
      const ssize_t count = ::recv(connection, &buffer[0], sizeof(buffer), 0);
      if (count <= 0) return std::nullopt;
      text.append(&buffer[0], static_cast<std::size_t>(count));
      if (head_end != std::string::npos) continue;
      head_end = text.find("\r\n\r\n");
      if (head_end == std::string::npos) continue;
      needed = head_end + 4;
      const auto request = parse_head(text.substr(0, head_end));
      const auto length = request.headers.find("content-length");
      if (length != request.headers.end()) needed += std::strtoull(length->second.c_str(), nullptr, 10);
    }
    auto request = parse_head(text.substr(0, head_end));
    request.body = text.substr(head_end + 4);
    return request;
  }

  static LoopbackRequest parse_head(const std::string& head) {
    LoopbackRequest request;
    const auto first_space = head.find(' ');
    const auto second_space = head.find(' ', first_space + 1);
    request.method = head.substr(0, first_space);
    request.target = head.substr(first_space + 1, second_space - first_space - 1);
    for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
      const auto colon = head.find(": ", at);
      if (colon == std::string::npos) break;
      std::string name = head.substr(at + 2, colon - at - 2);
      for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
      request.headers[name] = head.substr(colon + 2, head.find("\r\n", colon) - colon - 2);
    }
    return request;
  }

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<LoopbackRequest> requests_;  // guarded by mutex_
  std::list<std::jthread> connections_;    // the acceptor's, then the destructor's
  std::jthread acceptor_;
};

}  // namespace scalestyle::support
