#pragma once
// HttpClientCurl: ports::HttpClient on libcurl's multi interface, all transfers on one thread.
//
// The owner gives a thread to run(); without it nothing is sent. No other thread touches libcurl's handles: send()
// hands a transfer over through a bounded queue and the awaiting task resumes on the thread of run().
// Proxies are taken from the usual environment variables (https_proxy, no_proxy).

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

#include "core/clock.hpp"
#include "ports/http_client.hpp"

namespace scalestyle::adapters {

class HttpClientCurl final : public ports::HttpClient {
 public:
  struct Options {
    std::size_t max_requests = 64;  // under way at once; more are refused with kResourceExhausted
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::seconds stall_timeout{30};  // a transfer that moves nothing this long ends with kUnavailable
    std::string user_agent = "scalestyle";
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
