#include "blocking_client.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <cstring>

namespace scalestyle::load {
namespace {

constexpr int kWaitMs = 10'000;

}  // namespace

std::string get_request(std::string_view host, std::string_view target) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\n\r\n", target, host);
}

std::string post_request(std::string_view host, std::string_view target, std::string_view json) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}", target,
                     host, json.size(), json);
}

core::Result<HttpAnswer> BlockingClient::get(std::string_view target) { return exchange(get_request(host_, target)); }

core::Result<HttpAnswer> BlockingClient::post(std::string_view target, std::string_view json) {
  return exchange(post_request(host_, target, json));
}

core::Result<HttpAnswer> BlockingClient::exchange(std::string request) {
  CORE_CHECK(connection_.start(address_, std::move(request)));
  while (true) {
    pollfd wanted{connection_.descriptor(), static_cast<short>(connection_.wants_write() ? POLLOUT : POLLIN), 0};
    const int count = ::poll(&wanted, 1, kWaitMs);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return core::fail(core::ErrorCode::kUnavailable, count == 0 ? "no answer" : std::strerror(errno));
    if (connection_.wants_write()) {
      CORE_CHECK(connection_.on_writable());
      continue;
    }
    CORE_TRY(const auto progress, connection_.on_readable());
    if (progress == HttpConnection::Progress::kMore) continue;
    const HttpAnswer answer = connection_.answer();
    if (!answer.keep_alive) return core::fail(core::ErrorCode::kUnavailable, "the server does not keep the connection");
    return answer;
  }
}

}  // namespace scalestyle::load
