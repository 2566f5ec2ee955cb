#pragma once
// ImageFetcherCurl: ports::ImageFetcher on libcurl, all transfers on one thread.
//
// A URL, and every redirect of it, must name a host of the operator's list; the address that its name leads to is checked
// when the connection is made, so that a name which changes its address in between (DNS rebinding) gains nothing. No
// proxy, no cookies, no credentials, no file but by http and https.
// The owner gives a thread to run(); without it nothing is fetched.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "adapters/embedded/allowed_hosts.hpp"
#include "adapters/embedded/http_client_curl.hpp"
#include "adapters/embedded/public_address.hpp"
#include "core/clock.hpp"
#include "ports/image_fetcher.hpp"

namespace scalestyle::adapters {

class ImageFetcherCurl final : public ports::ImageFetcher {
 public:
  struct Options {
    AllowedHosts hosts{};
    std::chrono::milliseconds timeout{2'000};  // of one fetch with all its redirects; the request's deadline may be earlier
    std::uint64_t max_bytes = 10 * 1024 * 1024;
    std::size_t max_redirects = 3;
    std::size_t max_fetches = 16;              // in progress; more are refused
    PeerCheck peer_check = check_public_address;
  };

  // `clock` must outlive the fetcher. kInvalidArgument for options out of range, kUnavailable when libcurl cannot start.
  [[nodiscard]] static core::Result<std::unique_ptr<ImageFetcherCurl>> create(Options options, const core::Clock& clock);

  // Returns after `stop` is requested, when every pending fetch has ended with kCancelled. fetch() fails from then on.
  void run(const std::stop_token& stop) { client_->run(stop); }

  [[nodiscard]] core::Task<core::Result<std::string>> fetch(std::string url, core::Deadline deadline) override;

 private:
  ImageFetcherCurl(Options options, std::unique_ptr<HttpClientCurl> client, const core::Clock& clock)
      : options_(std::move(options)), client_(std::move(client)), clock_(clock) {}

  // Normalises `url`, or what it is in a redirect from `base`.
  [[nodiscard]] core::Result<std::string> allowed_url(const std::string& base, const std::string& url) const;
  [[nodiscard]] core::Task<core::Result<std::string>> follow(std::string url, core::Deadline deadline);
  [[nodiscard]] core::Error explain(const core::Error& error) const;

  const Options options_;
  const std::unique_ptr<HttpClientCurl> client_;
  const core::Clock& clock_;
  std::atomic<std::size_t> in_progress_{0};
};

}  // namespace scalestyle::adapters
