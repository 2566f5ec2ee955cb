#pragma once
// HttpClientCurl: ports::HttpClient on libcurl's multi interface, all transfers on one thread.
//
// The owner gives a thread to run(); without it nothing is sent. No other thread touches libcurl's handles: send()
// hands a transfer over through a bounded queue and the awaiting task resumes on the thread of run().
// Proxies are taken from the usual environment variables (https_proxy, no_proxy), unless peers are checked.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "core/clock.hpp"
#include "ports/http_client.hpp"

namespace scalestyle::adapters {

// Asked about a peer's address, 4 bytes of IPv4 or 16 of IPv6 in network order, before a connection to it is made; an error
// keeps it from being made. Called on the thread of run().
using PeerCheck = std::function<core::Status(std::span<const std::byte> address)>;

class HttpClientCurl final : public ports::HttpClient {
 public:
  struct Options {
    std::size_t max_requests = 64;  // under way at once; more are refused with kResourceExhausted
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::seconds stall_timeout{30};  // a transfer that moves nothing this long ends with kUnavailable
    std::string user_agent = "scalestyle";
    PeerCheck peer_check{};  // with one no proxy is used, whose address it would be: a refusal is kPermissionDenied
  };

  // `clock` must outlive the client. kUnavailable when libcurl cannot start.
  [[nodiscard]] static core::Result<std::unique_ptr<HttpClientCurl>> create(Options options, const core::Clock& clock);

  // Pending requests end with kCancelled. run() must have returned and no send() may be in progress.
  ~HttpClientCurl() override;
  HttpClientCurl(const HttpClientCurl&) = delete;
  HttpClientCurl& operator=(const HttpClientCurl&) = delete;

  // The I/O loop: returns after `stop` is requested, when every pending request has ended with kCancelled.
  void run(const std::stop_token& stop);

  [[nodiscard]] core::Task<core::Result<ports::HttpResponse>> send(ports::HttpRequest request,
                                                                   core::Deadline deadline) override;

 private:
  class Loop;
  explicit HttpClientCurl(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace scalestyle::adapters
