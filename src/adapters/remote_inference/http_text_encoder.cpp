#include "adapters/remote_inference/http_text_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "text/json_text.hpp"
#include "text/unicode.hpp"

namespace scalestyle::adapters::remote_inference {

using core::ErrorCode;

namespace {

constexpr std::size_t kUsualBatch = 32;  // what a TEI server takes that is not told otherwise
constexpr std::size_t kLargestBatch = 1'024;
constexpr std::size_t kUsualMaxTokens = 512;

std::string_view name_behind_maker(std::string_view model) {
  const std::size_t slash = model.rfind('/');
  return slash == std::string_view::npos ? model : model.substr(slash + 1);
}

// A server tells how much it computed; where not, by the usual length of a token.
std::size_t tokens_of(const ports::HttpResponse& response, std::span<const std::string> texts) {
  const std::string_view told = response.header("x-compute-tokens");
  std::size_t tokens = 0;
  if (std::from_chars(told.data(), told.data() + told.size(), tokens).ec == std::errc() && !told.empty()) return tokens;
  for (const std::string& text : texts) tokens += 2 + text.size() / 4;
  return tokens;
}

}  // namespace

core::Result<InferenceApiKind> parse_inference_api(std::string_view name) {
  if (name == "tei") return InferenceApiKind::kTei;
  if (name == "openai") return InferenceApiKind::kOpenAi;
  return core::fail(ErrorCode::kInvalidArgument, fmt::format("inference_api is tei or openai, not \"{}\"", name), "inference_api");
}

bool is_model(std::string_view told, std::string_view wanted, std::string_view server_model) {
  return server_model.empty() ? name_behind_maker(told) == name_behind_maker(wanted) : told == server_model;
}

std::string PinnedModel::disagreement(const RemoteInfo& info) {
  const std::lock_guard lock(mutex_);
  if (!weights_hash_.empty() && !info.weights_hash.empty() && weights_hash_ != info.weights_hash) {
    return fmt::format("has other weights (SHA-256 {:.12}…) than are in use ({:.12}…)", info.weights_hash, weights_hash_);
  }
  if (!precision_.empty() && !info.precision.empty() && precision_ != info.precision) {
    return fmt::format("computes in {}, in use is {}", info.precision, precision_);
  }
  if (weights_hash_.empty()) weights_hash_ = info.weights_hash;
  if (precision_.empty()) precision_ = info.precision;
  return {};
}

core::Result<std::unique_ptr<HttpTextEncoder>> HttpTextEncoder::create(Options options, ModelClient::Dependencies dependencies) {
  if (options.servers.urls.empty()) return core::fail(ErrorCode::kInvalidArgument, "there is no inference server to ask", "inference_url");
  if (options.expected.model.empty() || options.expected.dimension == 0) {
    return core::fail(ErrorCode::kInvalidArgument, "which model's vectors are expected, and of how many dimensions, must be known");
  }
  return std::unique_ptr<HttpTextEncoder>(new HttpTextEncoder(std::move(options), dependencies));
}

HttpTextEncoder::HttpTextEncoder(Options options, ModelClient::Dependencies dependencies)
    : options_(std::move(options)),
      pinned_(options_.expected.weights_hash, options_.exact_precision ? options_.expected.precision : std::string()),
      batch_limit_(kUsualBatch),
      client_("text", options_.servers, dependencies,
              [this](const std::string& url, core::Deadline deadline) { return check_endpoint(url, deadline); }) {}

core::Task<core::Result<ports::EncoderInfo>> HttpTextEncoder::ask(Options options, ModelClient::Dependencies dependencies,
                                                                  core::Deadline deadline) {
  dependencies.metrics = nullptr;
  dependencies.log = nullptr;
  HttpTextEncoder asker(std::move(options), dependencies);
  core::Error last{ErrorCode::kUnavailable, "there is no inference server to ask"};
  for (const std::string& url : asker.options_.servers.urls) {
    core::Result<RemoteInfo> told = co_await asker.ask_endpoint(url, deadline);
    if (!told) {
      last = std::move(told).error();
      continue;
    }
    co_return ports::EncoderInfo{.model = std::string(name_behind_maker(told->model)),
                                 .weights_hash = told->weights_hash,
                                 .precision = told->precision,
                                 .dimension = told->dimension,
                                 .max_tokens = told->max_tokens == 0 ? kUsualMaxTokens : told->max_tokens};
  }
  co_return std::unexpected(last);
}

ModelClient::Request HttpTextEncoder::embed_request(std::span<const std::string> texts) const {
  ModelClient::Request request;
  if (options_.api == InferenceApiKind::kTei) {
    request.path = "/embed";
    request.body = texts_member("inputs", texts) + R"(,"truncate":true,"normalize":true})";
    return request;
  }
  request.path = "/embeddings";
  request.body = texts_member("input", texts) + R"(,"encoding_format":"float","model":)";
  text::append_json_text(options_.server_model.empty() ? options_.expected.model : options_.server_model, request.body);
  request.body += '}';
  return request;
}

// The vector of a short text tells the dimension, and that the server computes at all.
core::Task<core::Result<RemoteInfo>> HttpTextEncoder::ask_endpoint(std::string url, core::Deadline deadline) {
  RemoteInfo info;
  if (options_.api == InferenceApiKind::kTei) {
    ModelClient::Request request{.method = ports::HttpMethod::kGet, .path = "/info"};
    CORE_CO_TRY(const ports::HttpResponse response, co_await client_.ask(url, std::move(request), deadline));
    CORE_CO_TRY(info, read_info(response.body, ModelKind::kText));
    if (info.dimension != 0) co_return info;
  }
  const std::vector<std::string> probe{"a"};
  ModelClient::Request request = embed_request(probe);
  CORE_CO_TRY(const ports::HttpResponse response, co_await client_.ask(url, std::move(request), deadline));
  if (options_.api == InferenceApiKind::kTei) {
    std::vector<float> vector;
    CORE_CO_CHECK(read_vectors(response.body, 1, info.dimension, vector));
  } else {
    CORE_CO_TRY(const OpenAiVectors vectors, read_openai_vectors(response.body, 1, info.dimension));
    info.model = vectors.model;
  }
  co_return info;
}

core::Task<core::Status> HttpTextEncoder::check_endpoint(std::string url, core::Deadline deadline) {
  core::Result<RemoteInfo> info = co_await ask_endpoint(url, deadline);
  if (!info) co_return std::unexpected(std::move(info).error());
  const ports::EncoderInfo& wanted = options_.expected;
  const auto other = [&](const std::string& why) {
    return core::fail(ErrorCode::kFailedPrecondition, fmt::format("{} {}: its vectors are not used", url, why));
  };
  if (!is_model(info->model, wanted.model, options_.server_model)) {
    co_return other(fmt::format("serves the model \"{}\", wanted is \"{}\"", info->model,
                                options_.server_model.empty() ? wanted.model : options_.server_model));
  }
  if (info->dimension != wanted.dimension) {
    co_return other(fmt::format("gives vectors of {} dimensions, wanted are {}", info->dimension, wanted.dimension));
  }
  if (options_.exact_precision && info->precision.empty()) co_return other("does not tell its precision");
  if (const std::string why = pinned_.disagreement(*info); !why.empty()) co_return other(why);
  if (info->max_batch != 0) batch_limit_ = std::min(info->max_batch, kLargestBatch);
  co_return core::Status();
}

core::Status HttpTextEncoder::read_answer(const ports::HttpResponse& response, std::size_t count, ports::EmbeddingBatch& batch) const {
  std::size_t dimension = options_.expected.dimension;
  if (options_.api == InferenceApiKind::kTei) {
    const std::size_t before = batch.values.size();
    const core::Status outcome = read_vectors(response.body, count, dimension, batch.values);
    if (!outcome) batch.values.resize(before);  // another endpoint may be asked next
    return outcome;
  }
  CORE_TRY(const OpenAiVectors vectors, read_openai_vectors(response.body, count, dimension));
  batch.values.insert(batch.values.end(), vectors.values.begin(), vectors.values.end());
  return {};
}

core::Task<core::Result<ports::EmbeddingBatch>> HttpTextEncoder::encode(std::vector<std::string> texts, core::Deadline deadline) {
  ports::EmbeddingBatch batch{.dimension = options_.expected.dimension, .values = {}, .tokens = 0};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (text::is_valid_utf8(texts[i])) continue;
    co_return core::fail(ErrorCode::kInvalidArgument, fmt::format("text {} of the batch is not UTF-8", i));
  }
  for (std::size_t begin = 0; begin < texts.size();) {
    if (deadline.expired(client_.clock())) {
      co_return core::fail(ErrorCode::kDeadlineExceeded, "the deadline passed before the texts were embedded");
    }
    const std::size_t count = std::min(batch_limit_.load(), texts.size() - begin);
    const std::span<const std::string> part = std::span<const std::string>(texts).subspan(begin, count);
    const ModelClient::Reader read = [&](const ports::HttpResponse& response) -> core::Status {
      CORE_CHECK(read_answer(response, part.size(), batch));
      batch.tokens += tokens_of(response, part);
      return core::Status();
    };
    ModelClient::Request request = embed_request(part);
    CORE_CO_CHECK(co_await client_.call(std::move(request), read, deadline));
    begin += count;
  }
  co_return batch;
}

}  // namespace scalestyle::adapters::remote_inference
