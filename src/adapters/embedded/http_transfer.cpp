#include "adapters/embedded/http_transfer.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

namespace scalestyle::adapters {
namespace {

using core::ErrorCode;
using core::fail;

constexpr std::size_t kMaxHeaderBytes = 64 << 10;
constexpr std::size_t kMaxErrorBodyBytes = 4 << 10;

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The address within a socket's address; empty for families other than IPv4 and IPv6.
std::span<const std::byte> address_bytes(const sockaddr& address) {
  const auto bytes_at = [&](std::size_t offset, std::size_t size) {
    return std::span(reinterpret_cast<const std::byte*>(&address) + offset, size);
  };
  if (address.sa_family == AF_INET) return bytes_at(offsetof(sockaddr_in, sin_addr), sizeof(in_addr));
  if (address.sa_family == AF_INET6) return bytes_at(offsetof(sockaddr_in6, sin6_addr), sizeof(in6_addr));
  return {};
}

curl_socket_t open_checked_socket(void* transfer, curlsocktype, curl_sockaddr* address) {
  if (!static_cast<HttpTransfer*>(transfer)->may_connect(address_bytes(address->addr))) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace

void HttpTransfer::FreeHandle::operator()(void* handle) const { curl_easy_cleanup(handle); }
void HttpTransfer::FreeList::operator()(curl_slist* list) const { curl_slist_free_all(list); }

core::Result<std::shared_ptr<HttpTransfer>> HttpTransfer::create(const ports::HttpRequest& request,
                                                                 const HttpClientCurl::Options& options,
                                                                 core::Deadline deadline) {
  std::shared_ptr<HttpTransfer> transfer(new HttpTransfer(request, deadline));
  if (has_control_characters(request.url)) {
    return fail(ErrorCode::kInvalidArgument, "the URL holds control characters", "url");
  }
  transfer->handle_.reset(curl_easy_init());
  if (!transfer->handle_) return fail(ErrorCode::kResourceExhausted, "libcurl cannot make another transfer");
  CORE_CHECK(transfer->set_headers());
  transfer->set_options(options);
  return transfer;
}

core::Status HttpTransfer::set_headers() {
  std::vector<ports::HttpHeader> all = request_.headers;
  if (!request_.bearer_token.empty()) all.push_back({"Authorization", "Bearer " + request_.bearer_token});
  all.push_back({"Expect", ""});  // no waiting for 100 Continue
  for (const ports::HttpHeader& header : all) {
    if (header.name.empty() || has_control_characters(header.name) || has_control_characters(header.value)) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("header '{}' may not be sent", header.name), "headers");
    }
    curl_slist* longer = curl_slist_append(headers_.get(), fmt::format("{}: {}", header.name, header.value).c_str());
    if (longer == nullptr) return fail(ErrorCode::kResourceExhausted, "out of memory for request headers");
    static_cast<void>(headers_.release());
    headers_.reset(longer);
  }
  return {};
}

void HttpTransfer::set_options(const HttpClientCurl::Options& options) {
  CURL* handle = handle_.get();
  const auto set = [handle](CURLoption option, auto value) { curl_easy_setopt(handle, option, value); };
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, request_.allow_plain_http ? "https,http" : "https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTPHEADER, headers_.get());
  set(CURLOPT_USERAGENT, options.user_agent.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
  static_assert(kErrorTextBytes >= CURL_ERROR_SIZE);
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  if (options.peer_check) {
    peer_check_ = options.peer_check;
    set(CURLOPT_PROXY, "");
    set(CURLOPT_OPENSOCKETFUNCTION, &open_checked_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
  }
  if (request_.method == ports::HttpMethod::kPost) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.data());
  }
}

std::size_t HttpTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  transfer.failure_ = transfer.take_header({data, size * count});
  return transfer.failure_ ? size * count : CURL_WRITEFUNC_ERROR;
}

std::size_t HttpTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  transfer.failure_ = transfer.take_body({data, size * count});
  return transfer.failure_ ? size * count : CURL_WRITEFUNC_ERROR;
}

bool HttpTransfer::may_connect(std::span<const std::byte> address) {
  if (const core::Status allowed = peer_check_(address); !allowed) {
    refused_peer_ = core::fail(ErrorCode::kPermissionDenied, fmt::format("{}: {}", request_.url, allowed.error().message));
    return false;
  }
  return true;
}

core::Status HttpTransfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) {
    return fail(ErrorCode::kResourceExhausted, fmt::format("{}: the answer's header is too large", request_.url));
  }
  if (line.starts_with("HTTP/")) {  // a new block: what came before was interim or of a proxy
    response_ = {};
    const auto space = line.find(' ');
    if (space != std::string_view::npos) {
      std::from_chars(line.data() + space + 1, line.data() + line.size(), response_.status);
    }
    return {};
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  response_.headers.push_back(
      {std::string(trimmed(line.substr(0, colon))), std::string(trimmed(line.substr(colon + 1)))});
  return {};
}

core::Status HttpTransfer::begin_body() {
  if (std::exchange(body_begun_, true)) return {};
  std::uint64_t announced = 0;
  const std::string_view length = response_.header("Content-Length");
  std::from_chars(length.data(), length.data() + length.size(), announced);
  if (successful() && announced > request_.max_body_bytes) {
    return fail(ErrorCode::kResourceExhausted, fmt::format("{}: the answer is {} bytes, more than the {} allowed",
                                                           request_.url, announced, request_.max_body_bytes));
  }
  if (successful() && request_.sink != nullptr) return request_.sink->begin(response_);
  return {};
}

core::Status HttpTransfer::take_body(std::string_view piece) {
  CORE_CHECK(begin_body());
  if (!successful()) {
    response_.body.append(piece.substr(0, kMaxErrorBodyBytes - response_.body.size()));
    return {};
  }
  body_bytes_ += piece.size();
  if (body_bytes_ > request_.max_body_bytes) {
    return fail(ErrorCode::kResourceExhausted,
                fmt::format("{}: the answer is larger than the {} bytes allowed", request_.url, request_.max_body_bytes));
  }
  if (request_.sink != nullptr) return request_.sink->write(std::as_bytes(std::span(piece.data(), piece.size())));
  response_.body.append(piece);
  return {};
}

core::Result<ports::HttpResponse> HttpTransfer::outcome(int curl_code, bool deadline_expired) {
  const auto code = static_cast<CURLcode>(curl_code);
  if (cancelled()) return fail(ErrorCode::kCancelled, fmt::format("{}: cancelled", request_.url));
  if (!failure_) return std::unexpected(failure_.error());
  if (code == CURLE_OK) {
    CORE_CHECK(begin_body());  // an empty body has begun as well
    return std::move(response_);
  }
  if (deadline_expired) {
    return fail(ErrorCode::kDeadlineExceeded, fmt::format("{}: no complete answer before the deadline", request_.url));
  }
  if (!refused_peer_) return std::unexpected(refused_peer_.error());
  const std::string reason = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code);
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return fail(ErrorCode::kInvalidArgument, fmt::format("'{}': {}", request_.url, reason), "url");
    default: return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", request_.url, reason));
  }
}

}  // namespace scalestyle::adapters
