#pragma once
// An HttpClientCurl with its thread, for tests; stops at the end of its scope.

#include <memory>
#include <stop_token>
#include <thread>

#include "adapters/embedded/http_client_curl.hpp"
#include "core/clock.hpp"

namespace scalestyle::support {

class RunningHttpClient {
 public:
  explicit RunningHttpClient(adapters::HttpClientCurl::Options options = {})
      : client_(adapters::HttpClientCurl::create(std::move(options), clock_).value()),
        loop_([this](const std::stop_token& stop) { client_->run(stop); }) {}
  RunningHttpClient(const RunningHttpClient&) = delete;
  RunningHttpClient& operator=(const RunningHttpClient&) = delete;
  ~RunningHttpClient() {
    loop_.request_stop();
    loop_.join();
  }
  adapters::HttpClientCurl& operator*() { return *client_; }
  [[nodiscard]] const core::Clock& clock() const { return clock_; }

 private:
  core::SystemClock clock_;
  std::unique_ptr<adapters::HttpClientCurl> client_;
  std::jthread loop_;
};

}  // namespace scalestyle::support
