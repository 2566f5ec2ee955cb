#pragma once
// HttpClient: one HTTP request to another server. The only way the product speaks HTTP as a client.
//
// Everything is bounded: the body by max_body_bytes, redirects by max_redirects, the time by the deadline.
// Thread safety: send() may be called from any thread; many requests may be under way.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scalestyle::ports {

enum class HttpMethod : std::uint8_t { kGet, kPost };

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers{};  // as received, in order
  std::string body{};                 // empty when a sink took it

  // The value of the last header of that name, compared without case; empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// Takes the body of a 2xx answer piece by piece. Called on the client's I/O thread, never concurrently; an error
// ends the request with that error. Must outlive the request.
class HttpBodySink {
 public:
  virtual ~HttpBodySink() = default;
  // Once, before the first piece (also of an empty body): status and headers are known.
  [[nodiscard]] virtual core::Status begin(const HttpResponse& head) = 0;
  [[nodiscard]] virtual core::Status write(std::span<const std::byte> piece) = 0;
};

struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string url{};                  // https; http only with allow_plain_http
  std::vector<HttpHeader> headers{};
  std::string body{};                 // of a POST
  std::string bearer_token{};         // sent to the origin of `url` alone, never after a redirect to another
  std::uint64_t max_body_bytes = 1 << 20;  // of the answer
  int max_redirects = 0;              // followed for GET alone; a redirect goes to https, or stays on its origin
  bool allow_plain_http = false;
  HttpBodySink* sink = nullptr;       // borrowed; null: the body is returned
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // Any status is a success of the call, but a redirect that may not be followed. The body of an answer that is not
  // 2xx goes to `body`, cut at 4 KiB. Completes on the client's I/O thread.
  // Errors: kInvalidArgument (URL, header), kUnavailable (no connection, TLS failure, stalled or cut body),
  // kDeadlineExceeded, kResourceExhausted (body too large, too many redirects; with the field "requests" too many requests under way),
  // kPermissionDenied (a redirect away from https), kCancelled, or what the sink returned.
  [[nodiscard]] virtual core::Task<core::Result<HttpResponse>> send(HttpRequest request, core::Deadline deadline) = 0;
};

inline std::string_view HttpResponse::header(std::string_view name) const {
  const auto same_letter = [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(a) == lower(b);
  };
  for (auto at = headers.rbegin(); at != headers.rend(); ++at) {
    if (at->name.size() != name.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < name.size(); ++i) same = same && same_letter(at->name[i], name[i]);
    if (same) return at->value;
  }
  return {};
}

}  // namespace scalestyle::ports
