#include "http/inference_routes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <span>

#include "http/stream_buffer.hpp"

namespace scalestyle::http {

using core::ErrorCode;

namespace {

constexpr std::size_t kSmallBodyBytes = 16 * 1024;       // parsed at once
constexpr std::size_t kStreamBufferBytes = 64 * 1024;
constexpr std::string_view kComputedTokens = "x-compute-tokens";

// A fault of the request's size, told by 413; `field` says so for the rest.
std::unexpected<core::Error> too_long(std::string field, std::size_t most) {
  std::string message = fmt::format("`{}` must have less than {} tokens; send truncate: true to have it cut", field, most);
  return core::fail(ErrorCode::kUnsupported, std::move(message), std::move(field));
}

std::unexpected<core::Error> not_served(std::string_view what) {
  return core::fail(ErrorCode::kFailedPrecondition, fmt::format("no {} model is served here", what));
}

Response with_tokens(Response response, std::size_t tokens) {
  response.headers.emplace_back(kComputedTokens, std::to_string(tokens));
  return response;
}

// OpenAI's stream: data lines, the last one "[DONE]".
class ChatStreamBody final : public BodyStream {
 public:
  ChatStreamBody(ports::TextGenerator& generator, core::TimerQueue& timers, GenerateBody body, ChatIdentity identity, core::Deadline deadline)
      : buffer_(std::make_shared<StreamBuffer>(kStreamBufferBytes)), timers_(timers), deadline_(deadline) {
    auto on_piece = [buffer = buffer_, identity, first = true](std::string_view piece) mutable {
      return buffer->put(data_line(chat_chunk_json(piece, std::exchange(first, false), identity)));
    };
    auto on_end = [buffer = buffer_, identity, usage = body.stream_usage](core::Result<ports::GeneratedText>&& outcome) {
      if (!outcome) {
        if (buffer->was_full()) outcome.error().message = "the client reads too slowly; the generation was stopped";
        return buffer->end(data_line(chat_error_json(outcome.error())));
      }
      std::string last = data_line(chat_end_json(*outcome, identity));
      if (usage) last += data_line(chat_usage_json(*outcome, identity));
      buffer->end(last + "data: [DONE]\n\n");
    };
    generation_ = core::start(generator.generate(std::move(body.request), deadline, std::move(on_piece)), std::move(on_end));
  }
  ~ChatStreamBody() override { buffer_->close(); }

  [[nodiscard]] core::Task<core::Result<std::string>> next() override { return StreamBuffer::take(buffer_, timers_, deadline_); }

 private:
  static std::string data_line(std::string_view json) {
    std::string line = "data: ";
    line += json;
    return line += "\n\n";
  }

  const std::shared_ptr<StreamBuffer> buffer_;
  core::TimerQueue& timers_;
  const core::Deadline deadline_;
  core::Operation generation_;
};

// Faults of the request's body are told as they are; kResourceExhausted means a limit there, but a full queue elsewhere.
std::unexpected<core::Error> body_fault(core::Error error) {
  if (error.code == ErrorCode::kResourceExhausted) error.code = ErrorCode::kUnsupported;
  return std::unexpected(std::move(error));
}

}  // namespace

Work InferenceRoutes::perform(InferenceCall call) {
  const InferenceRoute route = call.route;
  const std::string request_id = call.request_id;
  const std::string trace_id = call.trace_id;
  const core::SteadyTime begun = use_.clock.steady_now();
  Answer computing = answer(std::move(call));
  core::Result<Response> outcome = co_await std::move(computing);
  if (!outcome && outcome.error().code == ErrorCode::kCancelled) co_return std::unexpected(std::move(outcome).error());
  const double took_ms = std::chrono::duration<double, std::milli>(use_.clock.steady_now() - begun).count();
  if (outcome) {
    use_.log.log(telemetry::LogLevel::kDebug, "computed", {{"request_id", request_id}, {"trace_id", trace_id}, {"took_ms", took_ms}});
    co_return outcome;
  }
  core::Error& error = outcome.error();
  const bool is_limit = error.code == ErrorCode::kUnsupported;
  if (is_limit) error.code = ErrorCode::kInvalidArgument;
  const InferenceError told = to_inference_error(error, is_limit);
  // Refusals at a limit, and faults of requests, come by the thousand: they are counted, not logged.
  if (told.status == 424 || told.status == 503) {
    use_.log.warning("a request was not computed", {{"request_id", request_id}, {"trace_id", trace_id}, {"cause", told.message}});
  }
  co_return inference_error_response(told, dialect(route));
}

InferenceRoutes::Answer InferenceRoutes::answer(InferenceCall call) {
  if (call.body.size() > kSmallBodyBytes) CORE_CO_CHECK(co_await use_.pool.schedule(call.deadline));
  switch (call.route) {
    case InferenceRoute::kEmbed:
    case InferenceRoute::kOpenAiEmbeddings: co_return co_await embed(std::move(call));
    case InferenceRoute::kRerank: co_return co_await rerank(std::move(call));
    case InferenceRoute::kEmbedImage: co_return co_await embed_image(std::move(call));
    default: co_return co_await generate(std::move(call));
  }
}

core::Status InferenceRoutes::check_wish(const EmbedBody& body) const {
  if (!body.normalize) return core::fail(ErrorCode::kInvalidArgument, "`normalize` can be true only: vectors have unit length", "normalize");
  const std::size_t dimension = use_.models.text->info().dimension;
  if (body.dimensions == 0 || body.dimensions == dimension) return {};
  return core::fail(ErrorCode::kInvalidArgument, fmt::format("`dimensions` can be {} only, the model's", dimension), "dimensions");
}

// Each text that may be too long is embedded alone, for its number of tokens: the encoder cuts and does not say so.
core::Task<core::Status> InferenceRoutes::check_length(const std::vector<std::string>& texts, core::Deadline deadline) {
  const std::size_t most = use_.models.text->info().max_tokens;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() + 2 < most) continue;  // no token is shorter than a byte
    std::vector<std::string> alone{texts[i]};
    CORE_CO_TRY(const ports::EmbeddingBatch batch, co_await use_.models.text->encode(std::move(alone), deadline));
    if (batch.tokens >= most) co_return too_long(fmt::format("inputs[{}]", i), most);
  }
  co_return core::Status();
}

core::Task<core::Result<ports::EmbeddingBatch>> InferenceRoutes::embed_texts(EmbedBody body, core::Deadline deadline) {
  CORE_CO_CHECK(check_wish(body));
  if (!body.prompt_name.empty()) {
    const auto prompt = std::ranges::find(options_.prompts, body.prompt_name, &std::pair<std::string, std::string>::first);
    if (prompt == options_.prompts.end()) {
      co_return core::fail(ErrorCode::kInvalidArgument, fmt::format("there is no prompt \"{}\"", body.prompt_name), "prompt_name");
    }
    for (std::string& text : body.texts) text.insert(0, prompt->second);
  }
  if (!body.truncate) CORE_CO_CHECK(co_await check_length(body.texts, deadline));
  core::Result<ports::EmbeddingBatch> batch = co_await use_.models.text->encode(std::move(body.texts), deadline);
  co_return batch;
}

InferenceRoutes::Answer InferenceRoutes::embed(InferenceCall call) {
  if (use_.models.text == nullptr) co_return not_served("text embedding");
  const bool openai = call.route == InferenceRoute::kOpenAiEmbeddings;
  auto body = openai ? read_openai_embed_body(call.body, options_.limits) : read_embed_body(call.body, options_.limits);
  if (!body) co_return body_fault(std::move(body).error());
  const bool base64 = body->base64;
  CORE_CO_TRY(const ports::EmbeddingBatch batch, co_await embed_texts(std::move(*body), call.deadline));
  std::string json = openai ? openai_embeddings_json(batch, use_.models.text->info().model, base64) : embeddings_json(batch);
  co_return with_tokens(json_response(std::move(json)), batch.tokens);
}

core::Task<core::Status> InferenceRoutes::check_pairs(const RerankBody& body, core::Deadline deadline) {
  const std::size_t most = use_.models.pairs->info().max_tokens;
  for (std::size_t i = 0; i < body.texts.size(); ++i) {
    if (body.query.size() + body.texts[i].size() + 4 < most) continue;
    std::vector<std::string> alone{body.texts[i]};
    CORE_CO_TRY(const ports::PairScores pair, co_await use_.models.pairs->score(body.query, std::move(alone), deadline));
    if (pair.tokens >= most) co_return too_long(fmt::format("texts[{}]", i), most);
  }
  co_return core::Status();
}

InferenceRoutes::Answer InferenceRoutes::rerank(InferenceCall call) {
  if (use_.models.pairs == nullptr) co_return not_served("reranking");
  auto body = read_rerank_body(call.body, options_.limits);
  if (!body) co_return body_fault(std::move(body).error());
  if (!body->truncate) CORE_CO_CHECK(co_await check_pairs(*body, call.deadline));
  std::vector<std::string> texts = body->texts;
  CORE_CO_TRY(const ports::PairScores scored, co_await use_.models.pairs->score(body->query, std::move(texts), call.deadline));
  const bool partial = scored.scores.size() < body->texts.size();
  if (partial && (!call.client_deadline || scored.scores.empty())) {
    co_return core::fail(ErrorCode::kDeadlineExceeded, "the deadline passed before the texts were scored");
  }
  const std::span<const std::string> shown = body->return_text ? std::span<const std::string>(body->texts) : std::span<const std::string>();
  Response response = with_tokens(json_response(ranks_json(scored.scores, body->raw_scores, shown)), scored.tokens);
  if (partial) response.headers.emplace_back("X-Partial", "deadline");
  co_return response;
}

InferenceRoutes::Answer InferenceRoutes::embed_image(InferenceCall call) {
  if (use_.models.pictures == nullptr) co_return not_served("image embedding");
  auto body = read_embed_image_body(call.body, options_.limits);
  if (!body) co_return body_fault(std::move(body).error());
  if (!body->texts.empty()) {
    CORE_CO_TRY(const ports::EmbeddingBatch batch, co_await use_.models.pictures->encode_texts(std::move(body->texts), call.deadline));
    co_return with_tokens(json_response(picture_texts_json(batch)), batch.tokens);
  }
  std::vector<ports::EncodedImage> pictures;
  std::vector<core::Result<std::vector<float>>> results(body->images.size());
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < body->images.size(); ++i) {
    if (!body->images[i]) {
      results[i] = std::unexpected(body->images[i].error());
      continue;
    }
    pictures.push_back(std::make_shared<const std::string>(std::move(*body->images[i])));
    places.push_back(i);
  }
  if (!pictures.empty()) {
    CORE_CO_TRY(auto vectors, co_await use_.models.pictures->encode_images(std::move(pictures), call.deadline));
    if (vectors.size() != places.size()) co_return core::fail(ErrorCode::kInternal, "the image encoder gave another number of results");
    for (std::size_t i = 0; i < places.size(); ++i) results[places[i]] = std::move(vectors[i]);
  }
  co_return json_response(picture_results_json(results));
}

ChatIdentity InferenceRoutes::next_chat() {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(use_.clock.wall_now().time_since_epoch()).count();
  return {.id = fmt::format("chatcmpl-{}-{}", now, chats_.fetch_add(1)), .model = use_.models.generator->info().model, .created = now};
}

InferenceRoutes::Answer InferenceRoutes::generate(InferenceCall call) {
  if (use_.models.generator == nullptr) co_return not_served("text generation");
  const bool is_chat = call.route == InferenceRoute::kChat;
  auto body = is_chat ? read_chat_body(call.body, options_.limits) : read_generate_body(call.body, options_.limits);
  if (!body) co_return body_fault(std::move(body).error());
  if (is_chat) co_return co_await chat(std::move(call), std::move(*body));
  std::function<bool(std::string_view)> no_listener;
  CORE_CO_TRY(const ports::GeneratedText text,
              co_await use_.models.generator->generate(std::move(body->request), call.deadline, std::move(no_listener)));
  co_return json_response(generated_json(text));
}

InferenceRoutes::Answer InferenceRoutes::chat(InferenceCall call, GenerateBody body) {
  const ChatIdentity identity = next_chat();
  if (body.stream) {
    Response response;
    response.content_type = "text/event-stream";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.stream = std::make_shared<ChatStreamBody>(*use_.models.generator, use_.timers, std::move(body), identity, call.deadline);
    co_return response;
  }
  std::function<bool(std::string_view)> no_listener;
  CORE_CO_TRY(const ports::GeneratedText text,
              co_await use_.models.generator->generate(std::move(body.request), call.deadline, std::move(no_listener)));
  co_return json_response(chat_completion_json(text, identity));
}

}  // namespace scalestyle::http
