#pragma once
// OpenAI's chat completions as a stream: the request's body, and the text out of the answer's events.
// Source: platform.openai.com/docs/api-reference/chat-streaming. Servers that speak it (vLLM, llama.cpp, text-generation-
// inference, Ollama) leave parts out: only choices[0] with its delta or finish_reason is needed.
//
// Thread safety: one thread at a time.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "ports/text_generator.hpp"

namespace scalestyle::adapters::remote_inference {

// The JSON body that asks `model` for `request`, streamed. Errors: kInvalidArgument for text that is not UTF-8.
[[nodiscard]] core::Result<std::string> chat_request_body(const ports::GenerationRequest& request, const std::string& model);

// What an answer that is no success says of its reason, for people: at most 200 characters of one line; empty when nothing.
[[nodiscard]] std::string chat_error_text(std::string_view body);

class ChatStream {
 public:
  explicit ChatStream(const std::function<bool(std::string_view)>& on_piece) : on_piece_(on_piece) {}

  // An event's data. Errors: kUnavailable (not the expected JSON, or the server says that it failed), kCancelled by on_piece.
  [[nodiscard]] core::Status take(std::string_view data);

  [[nodiscard]] bool complete() const { return complete_; }  // the server has said that the text ends
  [[nodiscard]] const ports::GeneratedText& text() const { return text_; }

 private:
  const std::function<bool(std::string_view)>& on_piece_;
  ports::GeneratedText text_;
  bool complete_ = false;
};

}  // namespace scalestyle::adapters::remote_inference
