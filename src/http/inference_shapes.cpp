#include "http/inference_shapes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "http/json_writer.hpp"
#include "text/base64.hpp"

namespace scalestyle::http {

using core::ErrorCode;

namespace {

constexpr std::size_t kBytesPerFloat = 13;  // of a float of a unit vector as text, with its comma

void write_vector(JsonWriter& json, std::span<const float> values) {
  json.begin_array();
  for (const float value : values) json.number(value);
  json.end_array();
}

// As the double that it equals: a reader that goes through doubles, and rounds its last digit as it likes, has the same float.
void write_wide_vector(JsonWriter& json, std::span<const float> values) {
  json.begin_array();
  for (const float value : values) json.number(static_cast<double>(value));
  json.end_array();
}

std::span<const float> row_of(const ports::EmbeddingBatch& batch, std::size_t row) {
  return std::span(batch.values).subspan(row * batch.dimension, batch.dimension);
}

std::size_t rows_of(const ports::EmbeddingBatch& batch) { return batch.dimension == 0 ? 0 : batch.values.size() / batch.dimension; }

std::string little_endian_floats(std::span<const float> values) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes(values.size_bytes(), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return text::base64_encode(bytes);
}

std::string_view dtype_of(std::string_view precision) {
  if (precision == "f32") return "float32";
  if (precision == "bf16") return "bfloat16";
  return precision;
}

void write_model_type(JsonWriter& json, const ServedModels& models, std::string_view pooling) {
  json.key("model_type").begin_object();
  if (models.text != nullptr) {
    json.key("embedding").begin_object().key("pooling").text(pooling).end_object();
  } else if (models.pairs != nullptr) {
    json.key("reranker").begin_object();
    json.key("id2label").begin_object().key("0").text("LABEL_0").end_object();
    json.key("label2id").begin_object().key("LABEL_0").integer(0).end_object();
    json.end_object();
  }
  json.end_object();
}

void write_encoder(JsonWriter& json, std::string_view name, const ports::EncoderInfo* info) {
  if (info == nullptr) return;
  json.key(name).begin_object();
  json.key("model_id").text(info->model).key("weights_hash").text(info->weights_hash).key("precision").text(info->precision);
  json.key("dimension").integer(info->dimension).key("max_input_length").integer(info->max_tokens);
  json.end_object();
}

void write_usage(JsonWriter& json, const ports::GeneratedText& text) {
  json.key("usage").begin_object();
  json.key("prompt_tokens").integer(text.prompt_tokens).key("completion_tokens").integer(text.tokens);
  json.key("total_tokens").integer(text.prompt_tokens + text.tokens).end_object();
}

std::string_view finish_reason(ports::StopCause cause) { return cause == ports::StopCause::kEnd ? "stop" : "length"; }

void begin_chat(JsonWriter& json, std::string_view object, const ChatIdentity& identity) {
  json.begin_object().key("id").text(identity.id).key("object").text(object);
  json.key("created").integer(static_cast<std::uint64_t>(std::max<std::int64_t>(identity.created, 0)));
  json.key("model").text(identity.model);
}

}  // namespace

InferenceError to_inference_error(const core::Error& error, bool is_limit) {
  InferenceError told{.message = error.message, .field = error.field};
  const auto set = [&told](int status, std::string_view type) {
    told.status = status;
    told.type = type;
  };
  switch (error.code) {
    case ErrorCode::kInvalidArgument: set(is_limit ? 413 : 422, "Validation"); break;
    case ErrorCode::kResourceExhausted: is_limit ? set(413, "Validation") : set(429, "Overloaded"); break;
    case ErrorCode::kDeadlineExceeded: set(504, "Overloaded"); break;
    case ErrorCode::kCancelled:
    case ErrorCode::kUnavailable: set(503, "Unhealthy"); break;
    default: set(424, "Backend"); break;
  }
  return told;
}

std::string_view inference_error_type(int status) {
  if (status == 503) return "Overloaded";
  return status >= 500 ? "Backend" : "Validation";
}

Response inference_error_response(const InferenceError& error, InferenceDialect dialect) {
  JsonWriter json;
  json.begin_object();
  if (dialect == InferenceDialect::kTei) {
    json.key("error").text(error.message).key("error_type").text(error.type);
    if (!error.field.empty()) json.key("field").text(error.field);
  } else {
    json.key("error").begin_object().key("message").text(error.message);
    json.key("type").text(error.status == 429 ? "rate_limit_error" : error.status < 424 ? "invalid_request_error" : "server_error");
    json.key("param");
    error.field.empty() ? json.null() : json.text(error.field);
    json.key("code").null().end_object();
  }
  json.end_object();
  Response response = json_response(std::move(json).take());
  response.status = error.status;
  if (error.status == 429 || error.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

std::string embeddings_json(const ports::EmbeddingBatch& batch) {
  JsonWriter json(batch.values.size() * kBytesPerFloat + 64);
  json.begin_array();
  for (std::size_t row = 0; row < rows_of(batch); ++row) write_vector(json, row_of(batch, row));
  json.end_array();
  return std::move(json).take();
}

std::string openai_embeddings_json(const ports::EmbeddingBatch& batch, std::string_view model, bool base64) {
  JsonWriter json(batch.values.size() * kBytesPerFloat + 256);
  json.begin_object().key("object").text("list").key("data").begin_array();
  for (std::size_t row = 0; row < rows_of(batch); ++row) {
    json.begin_object().key("object").text("embedding").key("embedding");
    if (base64) {
      json.text(little_endian_floats(row_of(batch, row)));
    } else {
      write_vector(json, row_of(batch, row));
    }
    json.key("index").integer(row).end_object();
  }
  json.end_array().key("model").text(model);
  json.key("usage").begin_object().key("prompt_tokens").integer(batch.tokens).key("total_tokens").integer(batch.tokens).end_object();
  json.end_object();
  return std::move(json).take();
}

std::string ranks_json(const std::vector<ports::PairScore>& scores, bool raw_scores, std::span<const std::string> texts) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return scores[a].logit > scores[b].logit; });
  JsonWriter json(scores.size() * 40 + 16);
  json.begin_array();
  for (const std::size_t index : order) {
    json.begin_object().key("index").integer(index);
    if (!texts.empty()) json.key("text").text(texts[index]);
    json.key("score").number(static_cast<double>(raw_scores ? scores[index].logit : scores[index].score)).end_object();
  }
  json.end_array();
  return std::move(json).take();
}

std::string picture_results_json(const std::vector<core::Result<std::vector<float>>>& vectors) {
  JsonWriter json(vectors.size() * 8'192 + 32);
  json.begin_object().key("results").begin_array();
  for (const auto& vector : vectors) {
    json.begin_object();
    if (vector) {
      json.key("embedding");
      write_wide_vector(json, *vector);
    } else {
      json.key("error").text(vector.error().message).key("error_type").text("Validation");
      json.key("code").text(core::to_string(vector.error().code));
    }
    json.end_object();
  }
  json.end_array().end_object();
  return std::move(json).take();
}

std::string picture_texts_json(const ports::EmbeddingBatch& batch) {
  JsonWriter json(batch.values.size() * kBytesPerFloat + 64);
  json.begin_object().key("results").begin_array();
  for (std::size_t row = 0; row < rows_of(batch); ++row) {
    json.begin_object().key("embedding");
    write_wide_vector(json, row_of(batch, row));
    json.end_object();
  }
  json.end_array().end_object();
  return std::move(json).take();
}

std::string generated_json(const ports::GeneratedText& text) {
  JsonWriter json(text.text.size() + 128);
  json.begin_object().key("generated_text").text(text.text);
  json.key("details").begin_object();
  json.key("finish_reason").text(text.stopped == ports::StopCause::kEnd ? "eos_token" : "length");
  json.key("generated_tokens").integer(text.tokens).end_object().end_object();
  return std::move(json).take();
}

std::string chat_completion_json(const ports::GeneratedText& text, const ChatIdentity& identity) {
  JsonWriter json(text.text.size() + 512);
  begin_chat(json, "chat.completion", identity);
  json.key("choices").begin_array().begin_object().key("index").integer(0);
  json.key("message").begin_object().key("role").text("assistant").key("content").text(text.text).end_object();
  json.key("finish_reason").text(finish_reason(text.stopped)).end_object().end_array();
  write_usage(json, text);
  json.end_object();
  return std::move(json).take();
}

std::string chat_chunk_json(std::string_view piece, bool first, const ChatIdentity& identity) {
  JsonWriter json(piece.size() + 256);
  begin_chat(json, "chat.completion.chunk", identity);
  json.key("choices").begin_array().begin_object().key("index").integer(0).key("delta").begin_object();
  if (first) json.key("role").text("assistant");
  json.key("content").text(piece).end_object().key("finish_reason").null().end_object().end_array().end_object();
  return std::move(json).take();
}

std::string chat_end_json(const ports::GeneratedText& text, const ChatIdentity& identity) {
  JsonWriter json;
  begin_chat(json, "chat.completion.chunk", identity);
  json.key("choices").begin_array().begin_object().key("index").integer(0).key("delta").begin_object().end_object();
  json.key("finish_reason").text(finish_reason(text.stopped)).end_object().end_array().end_object();
  return std::move(json).take();
}

std::string chat_usage_json(const ports::GeneratedText& text, const ChatIdentity& identity) {
  JsonWriter json;
  begin_chat(json, "chat.completion.chunk", identity);
  json.key("choices").begin_array().end_array();
  write_usage(json, text);
  json.end_object();
  return std::move(json).take();
}

std::string chat_error_json(const core::Error& error) {
  return inference_error_response(to_inference_error(error), InferenceDialect::kOpenAi).body;
}

std::string inference_info_json(const ServedModels& models, const InferenceLimitsShown& limits) {
  JsonWriter json(1'024);
  json.begin_object();
  const auto head = [&json](std::string_view model, std::string_view precision, std::size_t max_tokens) {
    json.key("model_id").text(model).key("model_sha").null().key("model_dtype").text(dtype_of(precision));
    json.key("max_input_length").integer(max_tokens);
  };
  if (models.text != nullptr) {
    head(models.text->model, models.text->precision, models.text->max_tokens);
    json.key("weights_hash").text(models.text->weights_hash).key("precision").text(models.text->precision);
    json.key("dimension").integer(models.text->dimension);
  } else if (models.pairs != nullptr) {
    head(models.pairs->model, models.pairs->precision, models.pairs->max_tokens);
  }
  write_model_type(json, models, limits.pooling);
  json.key("max_concurrent_requests").integer(limits.max_concurrent_requests);
  json.key("max_batch_tokens").integer(limits.max_batch_tokens).key("max_batch_requests").null();
  json.key("max_client_batch_size").integer(limits.max_client_batch_size).key("max_client_images").integer(limits.max_images);
  json.key("auto_truncate").boolean(true).key("tokenization_workers").integer(limits.workers);
  json.key("version").text(limits.version).key("sha").null().key("docker_label").null();
  json.key("models").begin_object();
  write_encoder(json, "embedding", models.text);
  if (const auto* pairs = models.pairs; pairs != nullptr) {
    json.key("reranker").begin_object();
    json.key("model_id").text(pairs->model).key("weights_hash").text(pairs->weights_hash).key("precision").text(pairs->precision);
    json.key("activation").text(pairs->activation).key("max_input_length").integer(pairs->max_tokens);
    json.key("tokens_per_second").number(models.pair_tokens_per_second).end_object();
  }
  write_encoder(json, "image", models.pictures);
  if (const auto* generator = models.generator; generator != nullptr) {
    json.key("generator").begin_object();
    json.key("model_id").text(generator->model).key("weights_hash").text(generator->weights_hash);
    json.key("precision").text(generator->precision).key("max_context").integer(generator->max_context).end_object();
  }
  json.end_object().end_object();
  return std::move(json).take();
}

std::string models_list_json(const ServedModels& models) {
  JsonWriter json(512);
  json.begin_object().key("object").text("list").key("data").begin_array();
  const auto add = [&json](const auto* info) {
    if (info == nullptr) return;
    json.begin_object().key("id").text(info->model).key("object").text("model").key("created").integer(0);
    json.key("owned_by").text("scalestyle").end_object();
  };
  add(models.text);
  add(models.pairs);
  add(models.pictures);
  add(models.generator);
  json.end_array().end_object();
  return std::move(json).take();
}

}  // namespace scalestyle::http
