#include "http/inference_bodies.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <cmath>
#include <optional>
#include <utility>

#include "http/base64.hpp"

namespace scalestyle::http {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxDepth = 8;
constexpr std::size_t kMaxMessages = 256;
constexpr std::size_t kDefaultGeneratedTokens = 256;

std::unexpected<core::Error> wrong(std::string field, std::string_view rule) {
  std::string message = fmt::format("`{}` {}", field, rule);
  return core::fail(ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

std::unexpected<core::Error> too_much(std::string field, std::string rule) {
  return core::fail(ErrorCode::kResourceExhausted, fmt::format("`{}` {}", field, rule), std::move(field));
}

core::Result<json::object> parse_object(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::error_code error;
  json::value value = json::parse(text, error, {}, options);
  if (error) return core::fail(ErrorCode::kInvalidArgument, "the body is not JSON in UTF-8: " + error.message(), "body");
  if (!value.is_object()) return core::fail(ErrorCode::kInvalidArgument, "the body must be a JSON object", "body");
  return std::move(value.as_object());
}

// Null where the member is absent or null.
const json::value* member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

core::Status read(const json::object& object, std::string_view name, bool& out) {
  const json::value* value = member(object, name);
  if (value == nullptr) return {};
  if (!value->is_bool()) return wrong(std::string(name), "must be true or false");
  out = value->as_bool();
  return {};
}

core::Status read(const json::object& object, std::string_view name, std::string& out) {
  const json::value* value = member(object, name);
  if (value == nullptr) return {};
  if (!value->is_string()) return wrong(std::string(name), "must be a string");
  out = std::string(value->as_string());
  return {};
}

core::Status read_whole(const json::object& object, std::string_view name, std::uint64_t& out) {
  const json::value* value = member(object, name);
  if (value == nullptr) return {};
  if (value->is_int64() && value->as_int64() >= 0) {
    out = static_cast<std::uint64_t>(value->as_int64());
    return {};
  }
  if (value->is_uint64()) {
    out = value->as_uint64();
    return {};
  }
  return wrong(std::string(name), "must be a whole number that is not negative");
}

core::Status read_number(const json::object& object, std::string_view name, float& out) {
  const json::value* value = member(object, name);
  if (value == nullptr) return {};
  if (!value->is_number()) return wrong(std::string(name), "must be a number");
  out = static_cast<float>(value->to_number<double>());
  return {};
}

core::Result<std::string> one_text(const json::value& value, std::string field, const InferenceLimits& limits) {
  if (!value.is_string()) return wrong(std::move(field), "must be a string");
  const json::string& text = value.as_string();
  if (text.size() > limits.max_text_bytes) {
    return too_much(std::move(field), fmt::format("has {} bytes, more than the {} allowed", text.size(), limits.max_text_bytes));
  }
  return std::string(text);
}

core::Result<std::vector<std::string>> texts_of(const json::array& array, std::string_view name, const InferenceLimits& limits) {
  if (array.size() > limits.max_texts) {
    return too_much(std::string(name), fmt::format("has {} entries, more than the {} allowed in one request", array.size(), limits.max_texts));
  }
  std::vector<std::string> texts;
  texts.reserve(array.size());
  for (const json::value& value : array) {
    CORE_TRY(std::string text, one_text(value, fmt::format("{}[{}]", name, texts.size()), limits));
    texts.push_back(std::move(text));
  }
  return texts;
}

// A string, or an array of them that is not empty.
core::Result<std::vector<std::string>> text_or_texts(const json::object& object, std::string_view name, const InferenceLimits& limits) {
  const json::value* value = member(object, name);
  if (value == nullptr) return wrong(std::string(name), "is required");
  if (value->is_string()) {
    CORE_TRY(std::string text, one_text(*value, std::string(name), limits));
    return std::vector<std::string>{std::move(text)};
  }
  if (!value->is_array()) return wrong(std::string(name), "must be a string or an array of strings");
  if (value->as_array().empty()) return wrong(std::string(name), "must not be empty");
  return texts_of(value->as_array(), name, limits);
}

core::Status read_sampling(const json::object& object, ports::GenerationRequest& request) {
  CORE_CHECK(read_number(object, "temperature", request.temperature));
  CORE_CHECK(read_number(object, "top_p", request.top_p));
  CORE_CHECK(read_whole(object, "seed", request.seed));
  return {};
}

core::Status take_max_tokens(std::uint64_t wanted, std::string_view name, const InferenceLimits& limits, ports::GenerationRequest& request) {
  if (wanted < 1 || wanted > limits.max_generated_tokens) return wrong(std::string(name), fmt::format("must be from 1 to {}", limits.max_generated_tokens));
  request.max_tokens = static_cast<std::size_t>(wanted);
  return {};
}

// What a message says: a string, or parts of which those of type text count.
core::Result<std::string> message_text(const json::value& content, const std::string& field) {
  if (content.is_string()) return std::string(content.as_string());
  if (!content.is_array()) return wrong(field, "must be a string or an array of parts");
  std::string text;
  for (const json::value& part : content.as_array()) {
    const json::value* type = part.is_object() ? member(part.as_object(), "type") : nullptr;
    const json::value* words = part.is_object() ? member(part.as_object(), "text") : nullptr;
    const bool is_text = type != nullptr && type->is_string() && type->as_string() == "text" && words != nullptr && words->is_string();
    if (!is_text) return wrong(field, "may have parts of type text only");
    text += std::string_view(words->as_string());
  }
  return text;
}

core::Result<ports::ChatMessage> read_message(const json::value& value, const std::string& field, const InferenceLimits& limits) {
  if (!value.is_object()) return wrong(field, "must be an object");
  std::string role;
  CORE_CHECK(read(value.as_object(), "role", role));
  ports::ChatMessage message;
  if (role == "system" || role == "developer") {
    message.role = ports::ChatMessage::Role::kSystem;
  } else if (role == "user") {
    message.role = ports::ChatMessage::Role::kUser;
  } else if (role == "assistant") {
    message.role = ports::ChatMessage::Role::kAssistant;
  } else {
    return wrong(field + ".role", "must be one of system, developer, user, assistant");
  }
  const json::value* content = member(value.as_object(), "content");
  if (content == nullptr) return wrong(field + ".content", "is required");
  CORE_TRY(message.text, message_text(*content, field + ".content"));
  if (message.text.size() > limits.max_text_bytes) {
    return too_much(field + ".content", fmt::format("has more than the {} bytes allowed", limits.max_text_bytes));
  }
  return message;
}

}  // namespace

core::Result<EmbedBody> read_embed_body(std::string_view text, const InferenceLimits& limits) {
  CORE_TRY(const json::object object, parse_object(text));
  EmbedBody body;
  CORE_TRY(body.texts, text_or_texts(object, "inputs", limits));
  CORE_CHECK(read(object, "prompt_name", body.prompt_name));
  CORE_CHECK(read(object, "truncate", body.truncate));
  CORE_CHECK(read(object, "normalize", body.normalize));
  std::string side = "right";
  CORE_CHECK(read(object, "truncation_direction", side));
  if (side != "right" && side != "Right") return wrong("truncation_direction", "can be right only: a text is cut at its end");
  std::uint64_t dimensions = 0;
  CORE_CHECK(read_whole(object, "dimensions", dimensions));
  body.dimensions = static_cast<std::size_t>(dimensions);
  return body;
}

core::Result<EmbedBody> read_openai_embed_body(std::string_view text, const InferenceLimits& limits) {
  CORE_TRY(const json::object object, parse_object(text));
  EmbedBody body;
  CORE_TRY(body.texts, text_or_texts(object, "input", limits));
  std::string format = "float";
  CORE_CHECK(read(object, "encoding_format", format));
  if (format != "float" && format != "base64") return wrong("encoding_format", "must be float or base64");
  body.base64 = format == "base64";
  std::uint64_t dimensions = 0;
  CORE_CHECK(read_whole(object, "dimensions", dimensions));
  body.dimensions = static_cast<std::size_t>(dimensions);
  return body;
}

core::Result<RerankBody> read_rerank_body(std::string_view text, const InferenceLimits& limits) {
  CORE_TRY(const json::object object, parse_object(text));
  RerankBody body;
  const json::value* query = member(object, "query");
  if (query == nullptr) return wrong("query", "is required");
  CORE_TRY(body.query, one_text(*query, "query", limits));
  const json::value* texts = member(object, "texts");
  if (texts == nullptr) return wrong("texts", "is required");
  if (!texts->is_array()) return wrong("texts", "must be an array of strings");
  if (texts->as_array().empty()) return wrong("texts", "must not be empty");
  CORE_TRY(body.texts, texts_of(texts->as_array(), "texts", limits));
  CORE_CHECK(read(object, "truncate", body.truncate));
  CORE_CHECK(read(object, "raw_scores", body.raw_scores));
  CORE_CHECK(read(object, "return_text", body.return_text));
  return body;
}

core::Result<EmbedImageBody> read_embed_image_body(std::string_view text, const InferenceLimits& limits) {
  CORE_TRY(const json::object object, parse_object(text));
  const json::value* images = member(object, "images");
  EmbedImageBody body;
  if (member(object, "texts") != nullptr) {
    if (images != nullptr) return wrong("images", "and `texts` cannot be in one request");
    CORE_TRY(body.texts, text_or_texts(object, "texts", limits));
    return body;
  }
  if (images == nullptr) return wrong("images", "is required, or `texts`");
  if (!images->is_array()) return wrong("images", "must be an array of strings in Base64");
  const json::array& all = images->as_array();
  if (all.empty()) return wrong("images", "must not be empty");
  if (all.size() > limits.max_images) return too_much("images", fmt::format("has {} entries, more than the {} allowed in one request", all.size(), limits.max_images));
  for (const json::value& value : all) {
    const std::string field = fmt::format("images[{}]", body.images.size());
    if (!value.is_string()) return wrong(field, "must be a string in Base64");
    auto encoded = without_data_url(value.as_string());
    if (!encoded) {
      body.images.emplace_back(std::unexpected(std::move(encoded).error()));
    } else if (encoded->size() / 4 * 3 > limits.max_image_bytes + 2) {
      body.images.emplace_back(core::fail(ErrorCode::kResourceExhausted, fmt::format("is larger than the {} bytes allowed", limits.max_image_bytes)));
    } else {
      body.images.push_back(base64_decode(*encoded));
    }
  }
  return body;
}

core::Result<GenerateBody> read_generate_body(std::string_view text, const InferenceLimits& limits) {
  CORE_TRY(const json::object object, parse_object(text));
  const json::value* inputs = member(object, "inputs");
  if (inputs == nullptr) return wrong("inputs", "is required");
  CORE_TRY(std::string prompt, one_text(*inputs, "inputs", limits));
  GenerateBody body;
  body.request.messages.push_back({ports::ChatMessage::Role::kUser, std::move(prompt)});
  CORE_CHECK(read(object, "stream", body.stream));
  if (body.stream) return wrong("stream", "is for /v1/chat/completions: this route answers whole");
  body.request.max_tokens = kDefaultGeneratedTokens;
  const json::value* parameters = member(object, "parameters");
  if (parameters == nullptr) return body;
  if (!parameters->is_object()) return wrong("parameters", "must be an object");
  std::uint64_t most = kDefaultGeneratedTokens;
  CORE_CHECK(read_whole(parameters->as_object(), "max_new_tokens", most));
  CORE_CHECK(take_max_tokens(most, "max_new_tokens", limits, body.request));
  CORE_CHECK(read_sampling(parameters->as_object(), body.request));
  CORE_CHECK(ports::check(body.request));
  return body;
}

core::Result<GenerateBody> read_chat_body(std::string_view text, const InferenceLimits& limits) {
  CORE_TRY(const json::object object, parse_object(text));
  const json::value* messages = member(object, "messages");
  if (messages == nullptr) return wrong("messages", "is required");
  if (!messages->is_array() || messages->as_array().empty()) return wrong("messages", "must be an array of at least one message");
  if (messages->as_array().size() > kMaxMessages) return too_much("messages", fmt::format("has more than {} entries", kMaxMessages));
  GenerateBody body;
  for (const json::value& value : messages->as_array()) {
    CORE_TRY(ports::ChatMessage message, read_message(value, fmt::format("messages[{}]", body.request.messages.size()), limits));
    body.request.messages.push_back(std::move(message));
  }
  const std::string_view limit_name = member(object, "max_completion_tokens") != nullptr ? "max_completion_tokens" : "max_tokens";
  std::uint64_t most = kDefaultGeneratedTokens;
  CORE_CHECK(read_whole(object, limit_name, most));
  CORE_CHECK(take_max_tokens(most, limit_name, limits, body.request));
  CORE_CHECK(read_sampling(object, body.request));
  std::uint64_t choices = 1;
  CORE_CHECK(read_whole(object, "n", choices));
  if (choices != 1) return wrong("n", "can be 1 only");
  CORE_CHECK(read(object, "stream", body.stream));
  if (const json::value* options = member(object, "stream_options"); options != nullptr) {
    if (!options->is_object()) return wrong("stream_options", "must be an object");
    CORE_CHECK(read(options->as_object(), "include_usage", body.stream_usage));
  }
  CORE_CHECK(ports::check(body.request));
  return body;
}

}  // namespace scalestyle::http
