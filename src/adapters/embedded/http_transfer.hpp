#pragma once
// One hop of one request: a libcurl easy handle with what it received. Used by HttpClientCurl only.
// libcurl's types appear as what they are (CURL is void, CURLcode an int) so that its header stays out of this one.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "adapters/embedded/http_client_curl.hpp"
#include "core/task.hpp"

struct curl_slist;

namespace scalestyle::adapters {

class HttpTransfer {
 public:
  // kInvalidArgument for a URL or header that may not be sent.
  [[nodiscard]] static core::Result<std::shared_ptr<HttpTransfer>> create(
      const ports::HttpRequest& request, const HttpClientCurl::Options& options, core::Deadline deadline);

  [[nodiscard]] void* handle() const { return handle_.get(); }
  [[nodiscard]] core::Deadline deadline() const { return deadline_; }

  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  // What the transfer amounts to once libcurl ended it with `curl_code`. Once, on the loop's thread.
  [[nodiscard]] core::Result<ports::HttpResponse> outcome(int curl_code, bool deadline_expired);

  // Whether a socket to this address may be opened: by libcurl, on the loop's thread.
  [[nodiscard]] bool may_connect(std::span<const std::byte> address);

  core::OneShot<core::Result<ports::HttpResponse>> done;

 private:
  struct FreeHandle {
    void operator()(void* handle) const;
  };
  struct FreeList {
    void operator()(curl_slist* list) const;
  };
  static constexpr std::size_t kErrorTextBytes = 256;

  HttpTransfer(const ports::HttpRequest& request, core::Deadline deadline) : request_(request), deadline_(deadline) {}
  [[nodiscard]] core::Status set_headers();
  void set_options(const HttpClientCurl::Options& options);

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  [[nodiscard]] core::Status take_header(std::string_view line);
  [[nodiscard]] core::Status take_body(std::string_view piece);
  [[nodiscard]] core::Status begin_body();
  [[nodiscard]] bool successful() const { return response_.status >= 200 && response_.status < 300; }

  ports::HttpRequest request_;
  core::Deadline deadline_;
  std::unique_ptr<void, FreeHandle> handle_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  ports::HttpResponse response_;
  core::Status failure_;  // of our own callbacks
  PeerCheck peer_check_;
  core::Status refused_peer_;  // no failure where the peer has another address
  std::uint64_t body_bytes_ = 0;
  std::size_t header_bytes_ = 0;
  bool body_begun_ = false;
  std::array<char, kErrorTextBytes> error_text_{};
  std::atomic<bool> cancelled_{false};
};

}  // namespace scalestyle::adapters
