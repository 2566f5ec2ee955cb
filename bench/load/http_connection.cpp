#include "http_connection.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace scalestyle::load {
namespace {

constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 20U;
constexpr std::size_t kReadBytes = 64 << 10U;

std::unexpected<core::Error> failed(std::string_view action) {
  return core::fail(core::ErrorCode::kUnavailable, fmt::format("{}: {}", action, std::strerror(errno)));
}

bool is_loopback(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof address);
    return ntohl(address.sin_addr.s_addr) >> 24U == 127;
  }
  sockaddr_in6 address{};
  std::memcpy(&address, &storage, sizeof address);
  return storage.ss_family == AF_INET6 && std::memcmp(&address.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback) == 0;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

core::Result<Address> resolve(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("{}:{}: {}", host, port, gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, &freeaddrinfo);
  Address address;
  std::memcpy(&address.storage, list->ai_addr, list->ai_addrlen);
  address.length = list->ai_addrlen;
  address.is_loopback = is_loopback(address.storage);
  return address;
}

void HttpConnection::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

core::Status HttpConnection::start(const Address& address, std::string request) {
  request_ = std::move(request);
  sent_ = 0;
  received_.clear();
  header_bytes_ = 0;
  if (descriptor_ >= 0) return on_writable();
  descriptor_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return failed("socket");
  const int yes = 1;
  if (::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0) return failed("TCP_NODELAY");
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0 &&
      errno != EINPROGRESS) {
    return failed("connect");
  }
  return {};
}

core::Status HttpConnection::on_writable() {
  while (sent_ < request_.size()) {
    const ssize_t count = ::send(descriptor_, request_.data() + sent_, request_.size() - sent_, MSG_NOSIGNAL);
    if (count < 0 && (errno == EAGAIN || errno == ENOTCONN)) return {};
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("send");
    sent_ += static_cast<std::size_t>(count);
  }
  return {};
}

core::Result<HttpConnection::Progress> HttpConnection::on_readable() {
  while (true) {
    const std::size_t before = received_.size();
    received_.resize(before + kReadBytes);
    const ssize_t count = ::recv(descriptor_, received_.data() + before, kReadBytes, 0);
    received_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno == EAGAIN) return Progress::kMore;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("recv");
    if (count == 0) return core::fail(core::ErrorCode::kUnavailable, "the server closed the connection");
    CORE_TRY(const Progress progress, parse());
    if (progress == Progress::kComplete || static_cast<std::size_t>(count) < kReadBytes) return progress;
  }
}

core::Result<HttpConnection::Progress> HttpConnection::parse() {
  const auto bad = [](std::string_view what) { return core::fail(core::ErrorCode::kDataLoss, std::string(what)); };
  if (received_.size() > kMaxAnswerBytes) return bad("an answer of more than 64 MiB");
  const std::string_view text(received_);
  if (header_bytes_ == 0) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return Progress::kMore;
    if (text.size() < 12 || !text.starts_with("HTTP/1.")) return bad("not an HTTP/1 answer");
    const auto [stop, error] = std::from_chars(text.data() + 9, text.data() + 12, answer_.status);
    if (error != std::errc{} || stop != text.data() + 12) return bad("no HTTP status");
    answer_.keep_alive = text[7] == '1';
    answer_.has_retry_after = false;
    bool has_length = false;
    std::string_view rest = text.substr(0, end);
    while (true) {
      const std::size_t line_end = rest.find("\r\n");
      if (line_end == std::string_view::npos) break;
      rest.remove_prefix(line_end + 2);
      const std::string_view line = rest.substr(0, rest.find("\r\n"));
      const std::size_t colon = std::min(line.find(':'), line.size());
      const std::string_view name = line.substr(0, colon);
      const std::string_view value = trim(line.substr(std::min(colon + 1, line.size())));
      if (equals_ignoring_case(name, "retry-after")) answer_.has_retry_after = true;
      if (equals_ignoring_case(name, "connection")) answer_.keep_alive = !equals_ignoring_case(value, "close");
      if (equals_ignoring_case(name, "content-length")) {
        const auto [last, wrong] = std::from_chars(value.data(), value.data() + value.size(), content_bytes_);
        has_length = wrong == std::errc{} && last == value.data() + value.size();
      }
    }
    if (!has_length || content_bytes_ > kMaxAnswerBytes) return bad("no usable Content-Length");
    header_bytes_ = end + 4;
  }
  if (text.size() < header_bytes_ + content_bytes_) return Progress::kMore;
  if (text.size() > header_bytes_ + content_bytes_) return bad("bytes after the end of the answer");
  answer_.body = text.substr(header_bytes_, content_bytes_);
  return Progress::kComplete;
}

}  // namespace scalestyle::load
