#include "adapters/remote_inference/server_sent_events.hpp"

#include <fmt/format.h>

namespace scalestyle::adapters::remote_inference {

using core::ErrorCode;

core::Status ServerSentEvents::push(std::string_view bytes, const Consume& consume) {
  while (!bytes.empty()) {
    if (after_return_ && bytes.front() == '\n') bytes.remove_prefix(1);
    after_return_ = false;
    const std::size_t end = bytes.find_first_of("\r\n");
    line_.append(bytes.substr(0, end));
    if (line_.size() > limits_.max_line_bytes) {
      return core::fail(ErrorCode::kResourceExhausted,
                        fmt::format("a line of the event stream has more than {} bytes", limits_.max_line_bytes));
    }
    if (end == std::string_view::npos) return {};
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    CORE_CHECK(end_line(consume));
  }
  return {};
}

core::Status ServerSentEvents::end_line(const Consume& consume) {
  std::string_view line = line_;
  if (first_line_ && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  first_line_ = false;
  core::Status outcome;
  if (!line.empty()) {
    outcome = take_field(line);
  } else if (has_data_) {
    outcome = consume({.type = type_.empty() ? std::string_view("message") : type_, .data = data_});
  }
  if (line.empty()) {
    type_.clear();
    data_.clear();
    has_data_ = false;
  }
  line_.clear();
  return outcome;
}

core::Status ServerSentEvents::take_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") type_ = value;
  if (name != "data") return {};
  if (has_data_) data_ += '\n';
  has_data_ = true;
  if (data_.size() + value.size() > limits_.max_event_bytes) {
    return core::fail(ErrorCode::kResourceExhausted,
                      fmt::format("an event of the stream has more than {} bytes", limits_.max_event_bytes));
  }
  data_ += value;
  return {};
}

}  // namespace scalestyle::adapters::remote_inference
