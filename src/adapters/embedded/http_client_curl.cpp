#include "adapters/embedded/http_client_curl.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapters/embedded/http_transfer.hpp"

namespace scalestyle::adapters {
namespace {

using core::ErrorCode;
using core::fail;
using ports::HttpRequest;
using ports::HttpResponse;

constexpr int kPollMilliseconds = 1000;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

class Url {
 public:
  explicit Url(const std::string& text) : handle_(curl_url()) {
    if (handle_ && curl_url_set(handle_.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) handle_.reset();
  }
  // Replaces it by `location` as seen from here; false when that is no URL.
  [[nodiscard]] bool follow(const std::string& location) {
    return handle_ && curl_url_set(handle_.get(), CURLUPART_URL, location.c_str(), 0) == CURLUE_OK;
  }
  [[nodiscard]] std::string part(CURLUPart which, unsigned flags = 0) const {
    char* text = nullptr;
    if (!handle_ || curl_url_get(handle_.get(), which, &text, flags) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
  }
  [[nodiscard]] std::string origin() const {
    return fmt::format("{}://{}:{}", part(CURLUPART_SCHEME), part(CURLUPART_HOST),
                       part(CURLUPART_PORT, CURLU_DEFAULT_PORT));
  }

 private:
  struct Free {
    void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
  };
  std::unique_ptr<CURLU, Free> handle_;
};

// Turns `request` into the one that the redirect in `response` asks for.
core::Status follow_redirect(HttpRequest& request, const HttpResponse& response) {
  const std::string location(response.header("Location"));
  Url url(request.url);
  const std::string origin = url.origin();
  if (location.empty() || !url.follow(location)) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: answered {} with no usable Location", request.url,
                                                     response.status));
  }
  const bool same_origin = url.origin() == origin;
  if (!same_origin && url.part(CURLUPART_SCHEME) != "https") {
    return fail(ErrorCode::kPermissionDenied, fmt::format("{}: redirected to {}, which is not https", request.url,
                                                          url.origin()));
  }
  if (!same_origin) request.bearer_token.clear();
  request.url = url.part(CURLUPART_URL);
  return {};
}

}  // namespace

class HttpClientCurl::Loop {
 public:
  Loop(Options options, const core::Clock& clock, CURLM* multi)
      : options_(std::move(options)), clock_(clock), multi_(multi) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() {
    end_all();
    curl_multi_cleanup(multi_);
  }

  [[nodiscard]] const Options& options() const { return options_; }
  void wake() { curl_multi_wakeup(multi_); }

  core::Status submit(std::shared_ptr<HttpTransfer> transfer) {
    {
      const std::scoped_lock lock(mutex_);
      if (stopped_) return fail(ErrorCode::kCancelled, "the HTTP client has stopped");
      if (open_ == options_.max_requests) {
        return fail(ErrorCode::kResourceExhausted, fmt::format("{} HTTP requests are under way already", open_), "requests");
      }
      ++open_;
      submitted_.push_back(std::move(transfer));
    }
    wake();
    return {};
  }

  void run(const std::stop_token& stop) {
    const std::stop_callback waker(stop, [this] { wake(); });
    while (!stop.stop_requested()) {
      add_submitted();
      int running = 0;
      curl_multi_perform(multi_, &running);
      end_finished();
      end_overdue();
      curl_multi_poll(multi_, nullptr, 0, next_wait_ms(), nullptr);
    }
    end_all();
  }

 private:
  void add_submitted() {
    std::vector<std::shared_ptr<HttpTransfer>> fresh;
    {
      const std::scoped_lock lock(mutex_);
      fresh.swap(submitted_);
    }
    for (auto& transfer : fresh) {
      CURL* handle = transfer->handle();
      curl_multi_add_handle(multi_, handle);
      active_.emplace(handle, std::move(transfer));
    }
  }

  void end_finished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE) end(message->easy_handle, message->data.result);
    }
  }

  void end_overdue() {
    std::vector<CURL*> overdue;
    for (const auto& [handle, transfer] : active_) {
      if (transfer->cancelled() || transfer->deadline().expired(clock_)) overdue.push_back(handle);
    }
    for (CURL* handle : overdue) end(handle, CURLE_OPERATION_TIMEDOUT);
  }

  // Hands the outcome to the awaiting task, which may call submit() again.
  void end(CURL* handle, CURLcode code) {
    auto node = active_.extract(handle);
    if (node.empty()) return;
    curl_multi_remove_handle(multi_, handle);
    settle(*node.mapped(), code);
  }

  void settle(HttpTransfer& transfer, CURLcode code) {
    {
      const std::scoped_lock lock(mutex_);
      --open_;
    }
    transfer.done.set(transfer.outcome(code, transfer.deadline().expired(clock_)));
  }

  void end_all() {
    std::vector<std::shared_ptr<HttpTransfer>> waiting;
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
      waiting.swap(submitted_);
    }
    for (auto& [handle, transfer] : active_) {
      curl_multi_remove_handle(multi_, handle);
      waiting.push_back(std::move(transfer));
    }
    active_.clear();
    for (const auto& transfer : waiting) {
      transfer->cancel();
      settle(*transfer, CURLE_ABORTED_BY_CALLBACK);
    }
  }

  // Until the next deadline; libcurl shortens it for its own timers.
  [[nodiscard]] int next_wait_ms() const {
    auto wait = std::chrono::nanoseconds(std::chrono::milliseconds(kPollMilliseconds));
    for (const auto& [handle, transfer] : active_) wait = std::min(wait, transfer->deadline().remaining(clock_));
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
  }

  const Options options_;
  const core::Clock& clock_;
  CURLM* const multi_;
  std::unordered_map<CURL*, std::shared_ptr<HttpTransfer>> active_;  // the loop's thread alone

  std::mutex mutex_;
  std::vector<std::shared_ptr<HttpTransfer>> submitted_;  // guarded by mutex_
  std::size_t open_ = 0;                                  // guarded by mutex_
  bool stopped_ = false;                                  // guarded by mutex_
};

HttpClientCurl::HttpClientCurl(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
HttpClientCurl::~HttpClientCurl() = default;

core::Result<std::unique_ptr<HttpClientCurl>> HttpClientCurl::create(Options options, const core::Clock& clock) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* multi = started == CURLE_OK ? curl_multi_init() : nullptr;
  if (multi == nullptr) return fail(ErrorCode::kUnavailable, "libcurl cannot start");
  return std::unique_ptr<HttpClientCurl>(
      new HttpClientCurl(std::make_unique<Loop>(std::move(options), clock, multi)));
}

void HttpClientCurl::run(const std::stop_token& stop) { loop_->run(stop); }

core::Task<core::Result<HttpResponse>> HttpClientCurl::send(HttpRequest request, core::Deadline deadline) {
  const std::stop_token stop = co_await core::current_stop_token();
  for (int redirects = 0;; ++redirects) {
    CORE_CO_TRY(const auto transfer, HttpTransfer::create(request, loop_->options(), deadline));
    std::optional<std::stop_callback<std::function<void()>>> canceller;
    CORE_CO_CHECK(loop_->submit(transfer));
    canceller.emplace(stop, [this, &transfer] {
      transfer->cancel();
      loop_->wake();
    });
    core::Result<HttpResponse> answer = co_await transfer->done;
    canceller.reset();
    const bool redirected = answer && is_redirect(answer->status) && request.method == ports::HttpMethod::kGet;
    if (!redirected || request.max_redirects == 0) co_return answer;
    if (redirects == request.max_redirects) {
      co_return fail(ErrorCode::kResourceExhausted, fmt::format("{}: more than {} redirects", request.url, redirects));
    }
    CORE_CO_CHECK(follow_redirect(request, *answer));
  }
}

}  // namespace scalestyle::adapters
