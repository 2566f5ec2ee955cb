#pragma once
// What a connection says of requests that it cannot read or has no room for. Private to the server.

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "http/api_error.hpp"
#include "http/application.hpp"
#include "http/server_options.hpp"

namespace scalestyle::http {

[[nodiscard]] ApiError body_too_large(std::size_t limit);
[[nodiscard]] ApiError too_many_bodies();
[[nodiscard]] ApiError request_timeout(const char* part);  // "header" or "body"

// What to tell the client about a failed read of this part; nothing when it is gone, or when nothing failed.
[[nodiscard]] std::optional<ApiError> read_fault(const boost::system::error_code& error, const char* part, bool target_known);

// For a work that was late (no result), or ended with an error.
[[nodiscard]] Response unanswered(Application& application, const Call& call, const std::optional<core::Result<Response>>& result);

// Values of a field that was given several times, as one (RFC 9110, section 5.3).
void add_value(std::string& values, std::string_view value);

// Looks over a request's header: sizes, one Host, one clear length.
class HeaderCheck {
 public:
  explicit HeaderCheck(const ServerOptions& options) : options_(options) {}
  void add(std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<ApiError> fault(std::size_t target_bytes, bool at_least_http_11) const;

 private:
  const ServerOptions& options_;
  std::size_t bytes_ = 0;
  std::size_t hosts_ = 0;
  std::size_t lengths_ = 0;
  std::size_t codings_ = 0;
  bool is_plain_length_ = false;
  bool only_chunked_ = true;
  bool has_controls_ = false;
};

}  // namespace scalestyle::http
