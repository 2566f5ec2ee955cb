#include "consumer/line_reader.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace scalestyle::consumer {

namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;

}  // namespace

LineReader::LineReader(int descriptor, std::string name, std::size_t max_line_bytes, int cancel_descriptor)
    : descriptor_(descriptor), name_(std::move(name)), max_line_bytes_(max_line_bytes), cancel_descriptor_(cancel_descriptor) {}

core::Status LineReader::fill() {
  buffer_.resize(kChunkBytes);
  begin_ = 0;
  while (true) {
    std::array<pollfd, 2> ready{{{descriptor_, POLLIN, 0}, {cancel_descriptor_, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR) continue;
    if (ready[1].revents != 0) return core::fail(core::ErrorCode::kCancelled, "interrupted while reading " + name_);
    const ssize_t got = ::read(descriptor_, buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return core::fail(core::ErrorCode::kUnavailable, fmt::format("cannot read {}: {}", name_, std::strerror(errno)));
    }
    buffer_.resize(static_cast<std::size_t>(got));
    at_end_ = got == 0;
    return {};
  }
}

core::Result<bool> LineReader::next(Line& line) {
  line_.clear();
  bool too_long = false;
  bool any = false;
  while (true) {
    if (begin_ == buffer_.size()) {
      if (!at_end_) CORE_CHECK(fill());
      if (at_end_) break;
    }
    any = true;
    const std::string_view rest = std::string_view(buffer_).substr(begin_);
    const std::size_t end = rest.find('\n');
    const std::string_view part = rest.substr(0, end);
    const std::size_t room = max_line_bytes_ + 1 - line_.size();  // one more, for a '\r' that will go
    too_long = too_long || part.size() > room;
    line_ += part.substr(0, room);
    begin_ += part.size() + (end == std::string_view::npos ? 0 : 1);
    if (end != std::string_view::npos) break;
  }
  if (!any) return false;
  if (line_.ends_with('\r')) line_.pop_back();
  if (line_.size() > max_line_bytes_) {
    too_long = true;
    line_.resize(max_line_bytes_);
  }
  line = {.number = ++number_, .text = line_, .too_long = too_long};
  return true;
}

}  // namespace scalestyle::consumer
