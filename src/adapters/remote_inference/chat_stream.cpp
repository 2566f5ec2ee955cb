#include "adapters/remote_inference/chat_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace scalestyle::adapters::remote_inference {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxErrorText = 200;

const char* role_name(ports::ChatMessage::Role role) {
  switch (role) {
    case ports::ChatMessage::Role::kSystem: return "system";
    case ports::ChatMessage::Role::kUser: return "user";
    case ports::ChatMessage::Role::kAssistant: return "assistant";
  }
  return "user";
}

// The member of an object; null where there is none or `value` is no object.
const json::value* member(const json::value* value, std::string_view key) {
  const json::object* object = value == nullptr ? nullptr : value->if_object();
  return object == nullptr ? nullptr : object->if_contains(key);
}

std::string_view text_of(const json::value* value) {
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

void read_count(const json::value* value, std::size_t& count) {
  if (value != nullptr && value->is_int64() && value->get_int64() >= 0) count = static_cast<std::size_t>(value->get_int64());
}

// {"error": {"message": …}}, {"error": …} or {"message": …}.
std::string_view error_message(const json::value& value) {
  const json::value* error = member(&value, "error");
  for (const json::value* text : {member(error, "message"), error, member(&value, "message")}) {
    if (!text_of(text).empty()) return text_of(text);
  }
  return {};
}

std::string one_line(std::string_view text) {
  std::string line(text.substr(0, kMaxErrorText));
  std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  // A character may have been cut.
  while (!line.empty() && line.size() < text.size() && (static_cast<unsigned char>(text[line.size()]) & 0xC0U) == 0x80U) {
    line.pop_back();
  }
  return line;
}

}  // namespace

core::Result<std::string> chat_request_body(const ports::GenerationRequest& request, const std::string& model) {
  json::array messages;
  for (const ports::ChatMessage& message : request.messages) {
    messages.push_back(json::object{{"role", role_name(message.role)}, {"content", message.text}});
  }
  // Numbers as written in decimal: 0.7F would go out as 0.699999988079071.
  const auto decimal = [](float value) { return json::parse(fmt::format("{}", value)); };
  const json::object body{{"model", model},
                          {"messages", std::move(messages)},
                          {"max_tokens", request.max_tokens},
                          {"temperature", decimal(request.temperature)},
                          {"top_p", decimal(request.top_p)},
                          // Servers read a signed number.
                          {"seed", static_cast<std::int64_t>(request.seed & 0x7FFF'FFFF'FFFF'FFFFU)},
                          {"stream", true},
                          {"stream_options", json::object{{"include_usage", true}}}};
  std::string text = json::serialize(body);
  boost::system::error_code error;
  json::stream_parser checker;
  checker.write(text, error);
  if (error) return core::fail(ErrorCode::kInvalidArgument, "a message is not UTF-8", "messages");
  return text;
}

std::string chat_error_text(std::string_view body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  return error ? std::string() : one_line(error_message(value));
}

core::Status ChatStream::take(std::string_view data) {
  if (data == "[DONE]") {
    complete_ = true;
    return {};
  }
  boost::system::error_code error;
  const json::value value = json::parse(data, error);
  if (error || !value.is_object()) {
    return core::fail(ErrorCode::kUnavailable, "the server's stream has an event that is not a JSON object");
  }
  if (const json::value* failure = member(&value, "error"); failure != nullptr && !failure->is_null()) {
    return core::fail(ErrorCode::kUnavailable, "the server failed while it answered: " + one_line(error_message(value)));
  }
  const json::value* usage = member(&value, "usage");
  read_count(member(usage, "prompt_tokens"), text_.prompt_tokens);
  const json::value* choices = member(&value, "choices");
  if (choices != nullptr && choices->is_array() && !choices->get_array().empty()) {
    const json::value* choice = &choices->get_array().front();
    const std::string_view piece = text_of(member(member(choice, "delta"), "content"));
    if (!piece.empty()) {
      ++text_.tokens;  // servers send a token an event; those that join some say so in the usage
      text_.text += piece;
      if (on_piece_ && !on_piece_(piece)) return core::fail(ErrorCode::kCancelled, "whoever takes the text has stopped it");
    }
    const std::string_view reason = text_of(member(choice, "finish_reason"));
    if (!reason.empty()) {
      complete_ = true;
      text_.stopped = reason == "length" ? ports::StopCause::kMaxTokens : ports::StopCause::kEnd;
    }
  }
  read_count(member(usage, "completion_tokens"), text_.tokens);
  return {};
}

}  // namespace scalestyle::adapters::remote_inference
