#pragma once
// ReasonStream: a language model's reason as server-sent events, sent while it is made.
//
//   event: token   data: {"text":" Light"}        parts of the sentence; together its beginning
//   event: done    data: the whole answer         once, at the end
//   event: error   data: the envelope of an error  instead
//
// Between the generator, which never waits, and the connection, which may, stands a buffer of kMaxBufferedBytes: a client that
// lets it fill up has its generation stopped. Dropping the stream stops the generator.
// Thread safety: as BodyStream.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "http/message.hpp"
#include "http/stream_buffer.hpp"
#include "search/reason_service.hpp"

namespace scalestyle::http {

// "event: name\ndata: json\n\n"; `json` has no line ends.
[[nodiscard]] std::string server_sent_event(std::string_view name, std::string_view json);

class ReasonStream final : public BodyStream {
 public:
  static constexpr std::size_t kMaxBufferedBytes = 16 * 1024;

  // Makes the last event of what came of it; called once, on the thread that ends the generation.
  using Ending = std::function<std::string(core::Result<search::WrittenReason> outcome)>;

  // Begins at once, on this thread. `service` and `timers` must outlive the stream and the generation.
  struct Wish {
    search::ReasonPrompt prompt{};
    std::size_t max_tokens = 0;
    core::Deadline deadline = core::Deadline::never();
    Ending ending{};
  };
  ReasonStream(search::ReasonService& service, core::TimerQueue& timers, Wish wish);
  ~ReasonStream() override;
  ReasonStream(const ReasonStream&) = delete;
  ReasonStream& operator=(const ReasonStream&) = delete;

  [[nodiscard]] core::Task<core::Result<std::string>> next() override;

 private:
  const std::shared_ptr<StreamBuffer> buffer_;
  core::TimerQueue& timers_;
  const core::Deadline deadline_;
  core::Operation generation_;
};

}  // namespace scalestyle::http
