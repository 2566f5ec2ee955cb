#pragma once
// One request after the other on one keep-alive connection, for measurements that are a sequence.

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "http_connection.hpp"

namespace scalestyle::load {

// Thread safety: none.
class BlockingClient {
 public:
  explicit BlockingClient(Address address, std::string host) : address_(address), host_(std::move(host)) {}

  // The answer's body is valid until the next call. kUnavailable after 10 s.
  [[nodiscard]] core::Result<HttpAnswer> get(std::string_view target);
  [[nodiscard]] core::Result<HttpAnswer> post(std::string_view target, std::string_view json);

 private:
  [[nodiscard]] core::Result<HttpAnswer> exchange(std::string request);

  Address address_;
  std::string host_;
  HttpConnection connection_;
};

// The request's bytes.
[[nodiscard]] std::string get_request(std::string_view host, std::string_view target);
[[nodiscard]] std::string post_request(std::string_view host, std::string_view target, std::string_view json);

}  // namespace scalestyle::load
