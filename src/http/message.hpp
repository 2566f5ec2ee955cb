#pragma once
// A request and a response as the application sees them, free of any HTTP library.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scalestyle::telemetry {
class TraceScope;
}

namespace scalestyle::http {

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

[[nodiscard]] Method parse_method(std::string_view name);  // "GET" …: as case-sensitive as RFC 9110 has them

// Where a request came in: with one port for all, or on one of two.
enum class Audience : std::uint8_t { kAll, kPublic, kAdmin };

struct Request {
  Method method = Method::kGet;
  std::string target{};            // origin form, as sent: "/path?query"; or "*"
  std::string request_id_header{}; // X-Request-Id as sent; empty when absent
  std::string if_none_match{};
  std::string accept{};            // as sent; empty when absent
  std::string content_type{};      // the same
  std::string content_encoding{};
  std::string traceparent{};       // W3C Trace Context, as sent
  std::string tracestate{};        // the same
  std::string timeout_header{};    // X-Request-Timeout-Ms, as sent
  std::string api_key{};           // X-API-Key, as sent
  std::string authorization{};
  std::string user_token{};        // X-User-Token, as sent
  std::string cookie{};
  std::string origin{};
  std::string preflight_method{};  // Access-Control-Request-Method, as sent
  std::string peer{};              // address of the connection's other end; empty when it is not known
  Audience audience = Audience::kAll;
  std::string forwarded_for{};     // X-Forwarded-For, as sent; several as one
  std::shared_ptr<const telemetry::TraceScope> trace{};  // which the server made of them; null: it belongs to none
  std::string body{};              // without its transfer coding
  core::SteadyTime received{};     // when the header was complete: deadlines count from here
};

// Fills in the members that are header fields. `field` gives the value of a name; empty where there is none.
void read_header_fields(Request& request, const std::function<std::string_view(std::string_view)>& field);

// A body that is made while it is sent. The next piece is asked for only when the one before was written, so that a client
// which reads slowly holds up the making. All of it has to be made within the call's deadline. When the client goes, or
// the time is over, the task in progress is dropped and then the stream: whatever makes it stops.
// Thread safety: one call at a time; next() is called, and the stream destroyed, on any thread.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // The next bytes; empty: the end. An error ends the connection, from which the client sees that something is missing.
  [[nodiscard]] virtual core::Task<core::Result<std::string>> next() = 0;
};

// What an answer took, beside what its route takes: see RateLimits.
struct AnswerCost {
  double share = 1;  // of its route's base cost
  double more = 0;   // units beyond that
};

struct Response {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string body{};
  std::shared_ptr<const std::string> shared_body{};  // instead of `body`, for documents that do not change
  std::vector<std::pair<std::string_view, std::string>> headers{};
  bool close = false;  // end the connection after this response
  AnswerCost cost{};
  // Instead of `body`: sent piece by piece as it comes, in chunks (RFC 9112, section 7.1); to clients of HTTP/1.0 until the
  // connection's end. Not for a status that has no body.
  std::shared_ptr<BodyStream> stream{};
  bool chunked = false;  // how a stream is sent; the connection's to set

  [[nodiscard]] std::string_view content() const { return shared_body != nullptr ? *shared_body : std::string_view(body); }
};

// 200 with this JSON.
[[nodiscard]] Response json_response(std::string body);

[[nodiscard]] std::string_view reason_phrase(int status);

// Status line and header block of `response`, blank line included. Control characters in values become blanks. Every answer
// says that it is no page: it may not be guessed to be one, load or run anything, be framed, or tell others where it came from.
[[nodiscard]] std::string header_block(const Response& response, std::string_view request_id, bool keep_alive,
                                       std::string_view date);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7).
[[nodiscard]] std::string http_date(core::WallTime time);

// The client's id where it is 1–64 of [A-Za-z0-9._-]; else a new random one of 32 hexadecimal digits.
[[nodiscard]] std::string choose_request_id(std::string_view header);

// The path of a request target without its query, and the query. Takes the origin form, the absolute form
// ("http://host/path") and "*"; nothing for other forms.
struct TargetParts {
  std::string_view path;
  std::string_view query;
};
[[nodiscard]] std::optional<TargetParts> split_target(std::string_view target);

}  // namespace scalestyle::http
