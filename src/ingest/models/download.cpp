#include "ingest/models/download.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>
#include <thread>
#include <utility>

#include "core/files.hpp"
#include "ingest/models/model_store.hpp"

namespace scalestyle::ingest::models {
namespace {

using core::ErrorCode;
using core::fail;
namespace fs = std::filesystem;

constexpr int kAttemptsWithoutProgress = 3;
constexpr int kMaxRedirects = 5;

// Appends the answer to the partial file, or writes it anew when the server sends the whole.
class PartSink final : public ports::HttpBodySink {
 public:
  PartSink(const Download& download, fs::path path, FetchObserver& observer)
      : download_(download), path_(std::move(path)), observer_(observer) {}
  PartSink(const PartSink&) = delete;
  PartSink& operator=(const PartSink&) = delete;
  ~PartSink() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  core::Status open() {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    const off_t end = descriptor_ < 0 ? -1 : ::lseek(descriptor_, 0, SEEK_END);
    if (end < 0) return std::unexpected(core::system_error("open", path_, errno));
    size_bytes_ = static_cast<std::uint64_t>(end);
    return size_bytes_ > download_.file.size_bytes ? restart() : core::Status();
  }
  core::Status restart() {
    size_bytes_ = 0;
    if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) != 0) {
      return std::unexpected(core::system_error("empty", path_, errno));
    }
    return {};
  }
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

  core::Status begin(const ports::HttpResponse& head) override {
    if (head.status != 206) {
      CORE_CHECK(restart());
    } else if (!head.header("Content-Range").starts_with(fmt::format("bytes {}-", size_bytes_))) {
      return fail(ErrorCode::kUnavailable, fmt::format("{}: the server resumes elsewhere than asked", download_.url));
    }
    const std::string_view length = head.header("Content-Length");
    std::uint64_t announced = 0;
    const auto parsed = std::from_chars(length.data(), length.data() + length.size(), announced);
    if (!length.empty() && parsed.ec == std::errc() && size_bytes_ + announced != download_.file.size_bytes) {
      return fail(ErrorCode::kDataLoss, fmt::format("{}: the server's file is {} bytes, the pinned one {}",
                                                    download_.url, size_bytes_ + announced, download_.file.size_bytes));
    }
    return {};
  }

  core::Status write(std::span<const std::byte> piece) override {
    while (!piece.empty()) {
      const ssize_t written = ::write(descriptor_, piece.data(), piece.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return std::unexpected(core::system_error("write", path_, errno));
      size_bytes_ += static_cast<std::uint64_t>(written);
      piece = piece.subspan(static_cast<std::size_t>(written));
    }
    observer_.progress(download_.label, size_bytes_, download_.file.size_bytes);
    return {};
  }

 private:
  const Download& download_;
  const fs::path path_;
  FetchObserver& observer_;
  int descriptor_ = -1;
  std::uint64_t size_bytes_ = 0;
};

core::Status status_error(const Download& download, int status) {
  const std::string message = fmt::format("{}: the server answered {}", download.url, status);
  if (status == 401 || status == 403) {
    return fail(ErrorCode::kPermissionDenied,
                message + (download.bearer_token.empty() ? " (a token may help: HF_TOKEN)" : " (to this token)"));
  }
  if (status == 404 || status == 410) return fail(ErrorCode::kNotFound, message);
  if (status == 429 || status >= 500) return fail(ErrorCode::kUnavailable, message);
  return fail(ErrorCode::kFailedPrecondition, message);
}

core::Status attempt(const Download& download, PartSink& sink, const FetchOptions& options,
                     const FetchServices& services) {
  ports::HttpRequest request;
  request.url = download.url;
  request.bearer_token = download.bearer_token;
  request.max_body_bytes = download.file.size_bytes;
  request.max_redirects = kMaxRedirects;
  request.allow_plain_http = download.url.starts_with("http://");
  request.sink = &sink;
  if (sink.size_bytes() > 0) request.headers.push_back({"Range", fmt::format("bytes={}-", sink.size_bytes())});
  const auto deadline = core::Deadline::after(options.request_timeout, services.clock);
  CORE_TRY(const auto answer, core::sync_wait(services.http.send(std::move(request), deadline)));
  if (answer.status == 416) {
    CORE_CHECK(sink.restart());
    return fail(ErrorCode::kUnavailable, fmt::format("{}: the server cannot resume there", download.url));
  }
  if (answer.status != 200 && answer.status != 206) return status_error(download, answer.status);
  if (sink.size_bytes() < download.file.size_bytes) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {} of {} bytes came", download.url, sink.size_bytes(),
                                                     download.file.size_bytes));
  }
  return {};
}

}  // namespace

core::Status download_file(const Download& download, const FetchOptions& options, const FetchServices& services) {
  const fs::path part = download.target.string() + ".part";
  {
    PartSink sink(download, part, services.observer);
    CORE_CHECK(sink.open());
    if (sink.size_bytes() > 0) {
      services.observer.note(fmt::format("{}: resuming at {} of {} bytes", download.label, sink.size_bytes(),
                                         download.file.size_bytes));
    }
    int failures = 0;
    while (sink.size_bytes() < download.file.size_bytes) {
      const std::uint64_t before = sink.size_bytes();
      const auto status = attempt(download, sink, options, services);
      if (status) break;
      failures = sink.size_bytes() > before ? 1 : failures + 1;
      if (!status.error().retryable || failures == kAttemptsWithoutProgress) return status;
      std::this_thread::sleep_for(options.retry_pause);
    }
  }
  if (auto status = check_file(part, download.file); !status) {
    std::error_code ignored;
    fs::remove(part, ignored);
    return fail(status.error().code, fmt::format("{}: {}", download.url, status.error().message));
  }
  CORE_CHECK(core::sync_file(part));
  std::error_code error;
  fs::rename(part, download.target, error);
  if (error) return std::unexpected(core::system_error("replace", download.target, error.value()));
  return {};
}

}  // namespace scalestyle::ingest::models
