#include "adapters/embedded/image_fetcher_curl.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace scalestyle::adapters {

namespace {

using core::ErrorCode;

constexpr const char* kField = "image_url";
constexpr std::size_t kMaxUrlBytes = 4096;
constexpr int kOk = 200;

std::unexpected<core::Error> refuse(ErrorCode code, std::string message) { return core::fail(code, std::move(message), kField); }

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

struct FreeUrl {
  void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
};

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

// Counts the fetches in progress.
class Place {
 public:
  Place(std::atomic<std::size_t>& taken, std::size_t limit) : taken_(taken), granted_(taken.fetch_add(1) < limit) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { taken_.fetch_sub(1); }
  [[nodiscard]] bool granted() const { return granted_; }

 private:
  std::atomic<std::size_t>& taken_;
  const bool granted_;
};

}  // namespace

core::Result<std::unique_ptr<ImageFetcherCurl>> ImageFetcherCurl::create(Options options, const core::Clock& clock) {
  if (options.timeout.count() <= 0 || options.max_bytes == 0 || options.max_fetches == 0 || !options.peer_check) {
    return core::fail(ErrorCode::kInvalidArgument, "fetching of pictures needs a time, a size, a number and a check of addresses", "options");
  }
  HttpClientCurl::Options client;
  client.max_requests = options.max_fetches;
  client.connect_timeout = options.timeout;
  client.peer_check = options.peer_check;
  CORE_TRY(auto made, HttpClientCurl::create(std::move(client), clock));
  return std::unique_ptr<ImageFetcherCurl>(new ImageFetcherCurl(std::move(options), std::move(made), clock));
}

core::Task<core::Result<std::string>> ImageFetcherCurl::fetch(std::string url, core::Deadline deadline) {
  const Place place(in_progress_, options_.max_fetches);
  if (!place.granted()) {
    co_return core::fail(ErrorCode::kUnavailable, fmt::format("{} pictures are being fetched; try again later", options_.max_fetches));
  }
  const core::Deadline limit = deadline.within(options_.timeout, clock_);
  core::Task<core::Result<std::string>> following = follow(std::move(url), limit);
  core::Result<std::string> image = co_await std::move(following);
  if (image) co_return image;
  const core::Error& error = image.error();
  if (error.code == ErrorCode::kCancelled) co_return image;
  if (error.code != ErrorCode::kDeadlineExceeded) co_return std::unexpected(explain(error));
  if (deadline.expired(clock_)) co_return core::fail(ErrorCode::kDeadlineExceeded, "the picture at image_url was not there within the deadline");
  co_return refuse(ErrorCode::kNotFound,
                   fmt::format("the server of image_url did not give the picture within {} ms", options_.timeout.count()));
}

core::Task<core::Result<std::string>> ImageFetcherCurl::follow(std::string url, core::Deadline deadline) {
  std::string base;
  for (std::size_t redirects = 0;; ++redirects) {
    CORE_CO_TRY(std::string target, allowed_url(base, url));
    ports::HttpRequest request;
    request.url = target;
    request.max_body_bytes = options_.max_bytes;
    request.allow_plain_http = target.starts_with("http://");
    core::Task<core::Result<ports::HttpResponse>> sending = client_->send(std::move(request), deadline);
    core::Result<ports::HttpResponse> answer = co_await std::move(sending);
    if (!answer) co_return std::unexpected(std::move(answer).error());
    if (answer->status == kOk) {
      if (answer->body.empty()) co_return refuse(ErrorCode::kNotFound, "what image_url leads to is empty");
      co_return std::move(answer->body);
    }
    url = std::string(answer->header("Location"));
    if (!is_redirect(answer->status) || url.empty()) {
      co_return refuse(ErrorCode::kNotFound, fmt::format("the server of image_url answered with status {}", answer->status));
    }
    if (redirects == options_.max_redirects) {
      co_return refuse(ErrorCode::kNotFound, fmt::format("image_url leads through more than {} redirects", options_.max_redirects));
    }
    base = std::move(target);
  }
}

core::Result<std::string> ImageFetcherCurl::allowed_url(const std::string& base, const std::string& url) const {
  const std::string_view what = base.empty() ? "image_url" : "where image_url is redirected to";
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  const auto set = [&](const std::string& text) {
    return parsed != nullptr && text.size() <= kMaxUrlBytes &&
           curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  };
  if ((!base.empty() && !set(base)) || !set(url)) {
    return refuse(ErrorCode::kInvalidArgument, fmt::format("{} must be an absolute URL without a user name", what));
  }
  const std::string scheme = part(parsed.get(), CURLUPART_SCHEME);
  if (scheme != "https" && scheme != "http") {
    return refuse(ErrorCode::kPermissionDenied, fmt::format("{} must begin with https://", what));
  }
  std::string host = part(parsed.get(), CURLUPART_HOST);
  for (char& c : host) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  if (host.ends_with('.')) host.pop_back();
  const std::string digits = part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::uint16_t port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (!options_.hosts.allows(scheme, host, port)) {
    return refuse(ErrorCode::kPermissionDenied,
                  fmt::format("{} is at {}://{}:{}, which the setting image_url_hosts does not allow", what, scheme, host, port));
  }
  return part(parsed.get(), CURLUPART_URL, CURLU_NO_DEFAULT_PORT);
}

// What the client may know of a failed transfer.
core::Error ImageFetcherCurl::explain(const core::Error& error) const {
  switch (error.code) {
    case ErrorCode::kResourceExhausted:
      return {ErrorCode::kResourceExhausted, fmt::format("the picture at image_url is larger than {} bytes", options_.max_bytes), kField};
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kNotFound: {
      core::Error named = error;
      named.field = kField;
      return named;
    }
    default: return {ErrorCode::kNotFound, fmt::format("the picture at image_url could not be fetched: {}", error.message), kField};
  }
}

}  // namespace scalestyle::adapters
