#pragma once
// Parser of an event stream (server-sent events) that comes in pieces cut anywhere, with bounds.
// Source: WHATWG HTML, "Server-sent events", 9.2.5 and 9.2.6. Fields other than `event` and `data` are read over.
//
// Thread safety: one thread at a time.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::adapters::remote_inference {

struct ServerSentEvent {
  std::string_view type;  // "message" where the stream names none
  std::string_view data;  // lines joined by line feeds
};

class ServerSentEvents {
 public:
  struct Limits {
    std::size_t max_line_bytes = std::size_t{256} << 10U;
    std::size_t max_event_bytes = std::size_t{512} << 10U;  // of an event's data
  };
  // Views are valid during the call. An error ends push() with it.
  using Consume = std::function<core::Status(const ServerSentEvent&)>;

  ServerSentEvents() = default;
  explicit ServerSentEvents(Limits limits) : limits_(limits) {}

  // Gives each event that `bytes` complete to `consume`. An event that the stream's end cuts is never given.
  // Errors: kResourceExhausted above a limit, or what `consume` returned; nothing may be pushed after one.
  [[nodiscard]] core::Status push(std::string_view bytes, const Consume& consume);

 private:
  [[nodiscard]] core::Status end_line(const Consume& consume);
  [[nodiscard]] core::Status take_field(std::string_view line);

  Limits limits_;
  std::string line_;
  std::string type_;
  std::string data_;
  bool has_data_ = false;
  bool first_line_ = true;
  bool after_return_ = false;  // the last byte was a carriage return: a line feed belongs to it
};

}  // namespace scalestyle::adapters::remote_inference
