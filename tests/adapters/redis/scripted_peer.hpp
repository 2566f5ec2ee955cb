#pragma once
// A peer on 127.0.0.1 that reads RESP commands and answers whatever a test says, for what no real server does: hostile bytes,
// late replies, connections that break at a given point.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace scalestyle::adapters::redis {

class ScriptedPeer {
 public:
  using Command = std::vector<std::string>;
  // The bytes to answer; none closes the connection. The client's greeting and CLUSTER SLOTS are answered as a server without
  // Cluster does, unless `handles_all`.
  using Handler = std::function<std::optional<std::string>(const Command&)>;

  explicit ScriptedPeer(Handler handler, bool handles_all = false) : handler_(std::move(handler)), handles_all_(handles_all) {
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
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;
  ~ScriptedPeer() {
    stopping_ = true;
    acceptor_.join();
    threads_.clear();
    ::close(listener_);
  }

  [[nodiscard]] std::string node() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::vector<Command> commands() const {  // but those answered for the test
    const std::scoped_lock lock(mutex_);
    return commands_;
  }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] bool stopping() const { return stopping_; }

 private:
  void accept_all() {
    while (!stopping_) {
      pollfd wanted{listener_, POLLIN, 0};
      if (::poll(&wanted, 1, 10) <= 0) continue;
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      ++connections_;
      threads_.emplace_back([this, connection] {
        serve(connection);
        ::close(connection);
      });
    }
  }

  void serve(int connection) {
    std::string bytes;
    while (!stopping_) {
      while (const auto one = take_command(bytes)) {
        const auto answer = answer_to(*one);
        if (!answer) return;
        for (std::size_t sent = 0; sent < answer->size();) {
          const auto count = ::send(connection, answer->data() + sent, answer->size() - sent, MSG_NOSIGNAL);
          if (count <= 0) return;
          sent += static_cast<std::size_t>(count);
        }
      }
      pollfd wanted{connection, POLLIN, 0};
      if (::poll(&wanted, 1, 10) <= 0) continue;
      char buffer[16384];
      const auto count = ::recv(connection, &buffer[0], sizeof(buffer), 0);
      if (count <= 0) return;
      bytes.append(&buffer[0], static_cast<std::size_t>(count));
    }
  }

  std::optional<std::string> answer_to(const Command& one) {
    if (!handles_all_ && one.front() == "CLIENT") return "+OK\r\n";
    if (!handles_all_ && one.front() == "CLUSTER") return "-ERR This instance has cluster support disabled\r\n";
    {
      const std::scoped_lock lock(mutex_);
      commands_.push_back(one);
    }
    return handler_(one);
  }

  static std::optional<Command> take_command(std::string& bytes) {
    std::size_t at = 0;
    const auto number = [&](char mark) -> std::optional<std::size_t> {
      const auto end = bytes.find("\r\n", at);
      if (end == std::string::npos || bytes[at] != mark) return std::nullopt;
      const auto value = std::strtoull(bytes.c_str() + at + 1, nullptr, 10);
      at = end + 2;
      return value;
    };
    const auto count = number('*');
    if (!count) return std::nullopt;
    Command one;
    for (std::size_t i = 0; i < *count; ++i) {
      const auto size = number('$');
      if (!size || bytes.size() < at + *size + 2) return std::nullopt;
      one.push_back(bytes.substr(at, *size));
      at += *size + 2;
    }
    bytes.erase(0, at);
    return one;
  }

  Handler handler_;
  bool handles_all_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<Command> commands_;  // guarded by mutex_
  std::list<std::jthread> threads_;  // the acceptor's, then the destructor's
  std::jthread acceptor_;
};

}  // namespace scalestyle::adapters::redis
