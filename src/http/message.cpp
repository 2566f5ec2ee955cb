#include "http/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>

namespace scalestyle::http {

Method parse_method(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Method>, 7> kMethods{{{"GET", Method::kGet},
                                                                         {"HEAD", Method::kHead},
                                                                         {"POST", Method::kPost},
                                                                         {"PUT", Method::kPut},
                                                                         {"PATCH", Method::kPatch},
                                                                         {"DELETE", Method::kDelete},
                                                                         {"OPTIONS", Method::kOptions}}};
  const auto found = std::ranges::find(kMethods, name, [](const auto& method) { return method.first; });
  return found == kMethods.end() ? Method::kOther : found->second;
}

void read_header_fields(Request& request, const std::function<std::string_view(std::string_view)>& field) {
  request.request_id_header = field("X-Request-Id");
  request.if_none_match = field("If-None-Match");
  request.accept = field("Accept");
  request.content_type = field("Content-Type");
  request.content_encoding = field("Content-Encoding");
  request.traceparent = field("traceparent");
  request.tracestate = field("tracestate");
  request.timeout_header = field("X-Request-Timeout-Ms");
  request.api_key = field("X-API-Key");
  request.authorization = field("Authorization");
  request.user_token = field("X-User-Token");
  request.cookie = field("Cookie");
  request.origin = field("Origin");
  request.preflight_method = field("Access-Control-Request-Method");
}

Response json_response(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 424: return "Failed Dependency";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

namespace {

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  out += "\r\n";
}

}  // namespace

std::string http_date(core::WallTime time) {
  // Names of their own: a locale must not change the header.
  constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - days));
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(days).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string header_block(const Response& response, std::string_view request_id, bool keep_alive, std::string_view date) {
  constexpr std::size_t kTypical = 512;
  std::string out;
  out.reserve(kTypical);
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\n";
  const bool has_body = response.status != 204 && response.status != 304;
  if (has_body) {
    append_header(out, "Content-Type", response.content_type);
    if (response.stream == nullptr) {
      append_header(out, "Content-Length", std::to_string(response.content().size()));
    } else {
      if (response.chunked) append_header(out, "Transfer-Encoding", "chunked");
      append_header(out, "X-Accel-Buffering", "no");  // proxies that know it pass every piece on at once
    }
  }
  append_header(out, "Date", date);
  append_header(out, "X-Request-Id", request_id);
  append_header(out, "X-Content-Type-Options", "nosniff");
  append_header(out, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  append_header(out, "Referrer-Policy", "no-referrer");
  bool cache_control = false;
  for (const auto& [name, value] : response.headers) {
    append_header(out, name, value);
    cache_control = cache_control || name == "Cache-Control";
  }
  if (!cache_control) append_header(out, "Cache-Control", "no-store");
  append_header(out, "Connection", keep_alive ? "keep-alive" : "close");
  out += "\r\n";
  return out;
}

std::string choose_request_id(std::string_view header) {
  constexpr std::size_t kMaxLength = 64;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  if (!header.empty() && header.size() <= kMaxLength && std::ranges::all_of(header, allowed)) return std::string(header);
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  const auto high = generator();
  const auto low = generator();
  return fmt::format("{:016x}{:016x}", high, low);
}

std::optional<TargetParts> split_target(std::string_view target) {
  const auto starts_with_scheme = [&](std::string_view scheme) {
    return target.size() > scheme.size() && std::ranges::equal(target.substr(0, scheme.size()), scheme, [](char a, char b) {
             return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
           });
  };
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!starts_with_scheme(scheme)) continue;
    const std::size_t path = target.find_first_of("/?", scheme.size());
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    if (target.front() == '?') return TargetParts{"/", target.substr(1)};
    break;
  }
  if (target == "*") return TargetParts{"*", {}};
  if (target.empty() || target.front() != '/') return std::nullopt;
  const std::size_t question = target.find('?');
  if (question == std::string_view::npos) return TargetParts{target, {}};
  return TargetParts{target.substr(0, question), target.substr(question + 1)};
}

}  // namespace scalestyle::http
