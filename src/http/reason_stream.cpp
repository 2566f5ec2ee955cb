#include "http/reason_stream.hpp"

#include <utility>

#include "http/json_writer.hpp"

namespace scalestyle::http {

std::string server_sent_event(std::string_view name, std::string_view json) {
  std::string event = "event: ";
  event += name;
  event += "\ndata: ";
  event += json;
  event += "\n\n";
  return event;
}

ReasonStream::ReasonStream(search::ReasonService& service, core::TimerQueue& timers, Wish wish)
    : buffer_(std::make_shared<StreamBuffer>(kMaxBufferedBytes)), timers_(timers), deadline_(wish.deadline) {
  auto written = service.write(std::move(wish.prompt), wish.max_tokens, wish.deadline, [buffer = buffer_](std::string_view part) {
    JsonWriter json;
    json.begin_object().key("text").text(part).end_object();
    return buffer->put(server_sent_event("token", std::move(json).take()));
  });
  auto end = [buffer = buffer_, ending = std::move(wish.ending)](core::Result<search::WrittenReason>&& outcome) {
    if (!outcome && buffer->was_full()) {
      outcome = core::fail(core::ErrorCode::kResourceExhausted, "the client reads too slowly; the generation was stopped");
    }
    buffer->end(ending(std::move(outcome)));
  };
  generation_ = core::start(std::move(written), std::move(end));
}

ReasonStream::~ReasonStream() { buffer_->close(); }

core::Task<core::Result<std::string>> ReasonStream::next() { return StreamBuffer::take(buffer_, timers_, deadline_); }

}  // namespace scalestyle::http
