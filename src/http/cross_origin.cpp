#include "http/cross_origin.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scalestyle::http {

namespace {

constexpr std::size_t kMaxOrigins = 64;

bool is_origin(std::string_view text) {
  std::size_t begin = 0;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (text.starts_with(scheme)) begin = scheme.size();
  }
  if (begin == 0 || text.size() == begin) return false;
  const std::string_view host = text.substr(begin);
  return host.front() != ':' && std::ranges::all_of(host, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
         });
}

}  // namespace

core::Result<CrossOrigin> CrossOrigin::parse(std::string_view text) {
  constexpr std::string_view kBetween = " ,";
  CrossOrigin allowed;
  for (std::size_t begin = text.find_first_not_of(kBetween); begin != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBetween, begin), text.size());
    const std::string_view origin = text.substr(begin, end - begin);
    if (!is_origin(origin)) {
      return core::fail(core::ErrorCode::kInvalidArgument,
                        fmt::format("cors_origins: \"{}\" is no origin: name each as https://host or https://host:port, in lower case, "
                                    "without a path; \"*\" is not taken",
                                    origin),
                        "cors_origins");
    }
    allowed.origins_.emplace_back(origin);
    begin = text.find_first_not_of(kBetween, end);
  }
  if (allowed.origins_.size() > kMaxOrigins) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("cors_origins: at most {} origins", kMaxOrigins), "cors_origins");
  }
  return allowed;
}

void CrossOrigin::add_headers(const Request& request, std::vector<std::pair<std::string_view, std::string>>& headers) const {
  if (empty()) return;
  headers.emplace_back("Vary", "Origin");
  if (std::ranges::find(origins_, request.origin) == origins_.end()) return;
  headers.emplace_back("Access-Control-Allow-Origin", request.origin);
  headers.emplace_back("Access-Control-Allow-Credentials", "true");
  if (request.method == Method::kOptions && !request.preflight_method.empty()) {
    headers.emplace_back("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
    headers.emplace_back("Access-Control-Allow-Headers",
                         "Authorization, Content-Type, X-API-Key, X-Request-Id, X-User-Token, traceparent, tracestate");
    headers.emplace_back("Access-Control-Max-Age", "600");
    return;
  }
  headers.emplace_back("Access-Control-Expose-Headers", "Retry-After, X-Request-Id");
}

}  // namespace scalestyle::http
