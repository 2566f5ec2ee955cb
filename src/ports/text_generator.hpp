#pragma once
// TextGenerator: a chat's next message, piece by piece. Embedded: nn/ in process. Distributed: any OpenAI-compatible server.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scalestyle::ports {

struct ChatMessage {
  enum class Role : std::uint8_t { kSystem, kUser, kAssistant };
  Role role = Role::kUser;
  std::string text;  // UTF-8; control tokens of a model that are spelled in it are text like any other
};

struct GenerationRequest {
  std::vector<ChatMessage> messages;
  std::size_t max_tokens = 48;   // of the answer, 1 … 1,024
  float temperature = 0;         // 0: greedy; up to 2
  float top_p = 1;               // (0, 1]: of the likeliest tokens that hold this share, one is drawn
  std::uint64_t seed = 0;        // of the draws: the same request gives the same text on one machine's model and precision
};

// Errors: kInvalidArgument, naming the field, for no message or a number out of its range.
[[nodiscard]] inline core::Status check(const GenerationRequest& request) {
  const auto refuse = [](const char* field, const char* rule) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::string(field) + " must be " + rule, field);
  };
  if (request.messages.empty()) return refuse("messages", "at least one");
  if (request.max_tokens < 1 || request.max_tokens > 1024) return refuse("max_tokens", "from 1 to 1024");
  if (!(request.temperature >= 0 && request.temperature <= 2)) return refuse("temperature", "from 0 to 2");
  if (!(request.top_p > 0 && request.top_p <= 1)) return refuse("top_p", "above 0 and at most 1");
  return {};
}

enum class StopCause : std::uint8_t { kEnd, kMaxTokens, kDeadline };

struct GeneratedText {
  std::string text;  // whole UTF-8 characters; what was made until the deadline, where that ended it
  StopCause stopped = StopCause::kEnd;
  std::size_t prompt_tokens = 0;
  std::size_t tokens = 0;  // generated
};

struct GeneratorInfo {
  std::string model;         // "qwen2-1.5b-instruct"
  std::string weights_hash;  // SHA-256, hex; empty when a server does not tell
  std::string precision;     // "bf16" | "int8"; empty for a server
  std::size_t max_context = 0;  // tokens of prompt and answer together
};

// Thread safety: every method may be called from any thread, concurrently.
class TextGenerator {
 public:
  virtual ~TextGenerator() = default;

  [[nodiscard]] virtual const GeneratorInfo& info() const = 0;

  // Generates one message. `on_piece`, when not empty, is given each piece of whole UTF-8 characters as it is made, on the
  // thread that makes it: it must be quick and must not throw; false stops the generation (kCancelled). The pieces together are
  // the text. Dropping the task stops it too. Never blocks the caller.
  // Errors: kCancelled, kDeadlineExceeded (before the first token), kResourceExhausted (as many generations as it takes are in
  // progress), kInvalidArgument (prompt longer than the context, parameters out of range, text that is not UTF-8),
  // kUnavailable (server away), kPermissionDenied (the server does not take the key).
  [[nodiscard]] virtual core::Task<core::Result<GeneratedText>> generate(GenerationRequest request, core::Deadline deadline,
                                                                         std::function<bool(std::string_view piece)> on_piece) = 0;
};

}  // namespace scalestyle::ports
