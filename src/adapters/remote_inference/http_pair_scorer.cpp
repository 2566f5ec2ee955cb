#include "adapters/remote_inference/http_pair_scorer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <unordered_map>
#include <utility>

#include "nn/portable_math.hpp"
#include "text/json_text.hpp"
#include "text/unicode.hpp"

namespace scalestyle::adapters::remote_inference {

using core::ErrorCode;

namespace {

constexpr std::size_t kUsualBatch = 32;
constexpr std::size_t kLargestBatch = 1'024;
constexpr std::size_t kFirstSlice = 8;  // before a rate is known
constexpr std::size_t kLeastSlice = 4;
constexpr std::size_t kUsualMaxTokens = 512;
constexpr double kNewest = 0.2;         // weight of the newest measurement in the rate
// Kept of the time left for the way back of a slice.
constexpr std::chrono::milliseconds kLeastMargin{2};
constexpr int kMarginShare = 20;

std::size_t estimated_tokens(std::size_t bytes, std::size_t most) { return std::min(3 + bytes / 4, most); }

// As the local scorer has it, bit for bit.
float calibrated(float logit) {
  return std::max(static_cast<float>(nn::portable_sigmoid(static_cast<double>(logit))), std::numeric_limits<float>::min());
}

// The distinct texts in the order of their first place, and which of them each text is.
struct Distinct {
  std::vector<std::string> texts;
  std::vector<std::size_t> of;

  explicit Distinct(std::vector<std::string> all) {
    std::unordered_map<std::string, std::size_t> seen;
    for (std::string& text : all) {
      const auto [place, is_new] = seen.try_emplace(text, texts.size());
      of.push_back(place->second);
      if (is_new) texts.push_back(std::move(text));
    }
  }
};

}  // namespace

struct HttpPairScorer::Slice {
  std::span<const std::string> texts{};
  std::vector<float> logits{};  // of the first ones
  std::size_t tokens = 0;
};

core::Result<std::unique_ptr<HttpPairScorer>> HttpPairScorer::create(Options options, ModelClient::Dependencies dependencies) {
  if (options.servers.urls.empty()) return core::fail(ErrorCode::kInvalidArgument, "there is no server that reranks to ask", "rerank_url");
  if (options.expected.model.empty()) return core::fail(ErrorCode::kInvalidArgument, "which model's scores are expected must be known", "reranker");
  if (options.expected.max_tokens == 0) options.expected.max_tokens = kUsualMaxTokens;
  return std::unique_ptr<HttpPairScorer>(new HttpPairScorer(std::move(options), dependencies));
}

HttpPairScorer::HttpPairScorer(Options options, ModelClient::Dependencies dependencies)
    : options_(std::move(options)),
      pinned_(options_.expected.weights_hash, options_.expected.precision),
      batch_limit_(kUsualBatch),
      client_("pair", options_.servers, dependencies,
              [this](const std::string& url, core::Deadline deadline) { return check_endpoint(url, deadline); }) {}

core::Task<core::Result<ports::ScorerInfo>> HttpPairScorer::ask(Options options, ModelClient::Dependencies dependencies, core::Deadline deadline) {
  dependencies.metrics = nullptr;
  dependencies.log = nullptr;
  HttpPairScorer asker(std::move(options), dependencies);
  core::Error last{ErrorCode::kUnavailable, "there is no server that reranks to ask"};
  for (const std::string& url : asker.options_.servers.urls) {
    core::Result<RemoteInfo> told = co_await asker.ask_endpoint(url, deadline);
    if (!told) {
      last = std::move(told).error();
      continue;
    }
    const std::size_t slash = told->model.rfind('/');
    co_return ports::ScorerInfo{.model = slash == std::string::npos ? told->model : told->model.substr(slash + 1),
                                .weights_hash = told->weights_hash,
                                .precision = told->precision,
                                .activation = told->activation.empty() ? "sigmoid" : told->activation,
                                .max_tokens = told->max_tokens == 0 ? kUsualMaxTokens : told->max_tokens};
  }
  co_return std::unexpected(last);
}

core::Task<core::Result<RemoteInfo>> HttpPairScorer::ask_endpoint(std::string url, core::Deadline deadline) {
  ModelClient::Request request{.method = ports::HttpMethod::kGet, .path = "/info"};
  CORE_CO_TRY(const ports::HttpResponse response, co_await client_.ask(std::move(url), std::move(request), deadline));
  co_return read_info(response.body, ModelKind::kPairs);
}

core::Task<core::Status> HttpPairScorer::check_endpoint(std::string url, core::Deadline deadline) {
  core::Result<RemoteInfo> info = co_await ask_endpoint(url, deadline);
  if (!info) co_return std::unexpected(std::move(info).error());
  const auto other = [&](const std::string& why) {
    return core::fail(ErrorCode::kFailedPrecondition, fmt::format("{} {}: its scores are not used", url, why));
  };
  if (!is_model(info->model, options_.expected.model, options_.server_model)) {
    co_return other(fmt::format("serves the model \"{}\", wanted is \"{}\"", info->model,
                                options_.server_model.empty() ? options_.expected.model : options_.server_model));
  }
  if (const std::string why = pinned_.disagreement(*info); !why.empty()) co_return other(why);
  if (info->max_batch != 0) batch_limit_ = std::min(info->max_batch, kLargestBatch);
  double unknown = 0;
  if (info->tokens_per_second > 0) rate_.compare_exchange_strong(unknown, info->tokens_per_second);
  co_return core::Status();
}

std::size_t HttpPairScorer::slice_size(std::size_t query_bytes, std::span<const std::string> texts) const {
  const double rate = rate_.load();
  const std::size_t most = std::min(batch_limit_.load(), texts.size());
  if (rate <= 0) return std::min(kFirstSlice, most);
  const double budget = rate * options_.slice_seconds;
  double tokens = 0;
  std::size_t size = 0;
  while (size < most && (size < kLeastSlice || tokens < budget)) {
    tokens += static_cast<double>(estimated_tokens(query_bytes + texts[size].size(), options_.expected.max_tokens));
    ++size;
  }
  return size;
}

void HttpPairScorer::note_rate(const Slice& slice, double seconds) {
  if (seconds <= 0 || slice.tokens == 0 || slice.logits.size() < std::min(kLeastSlice, slice.texts.size())) return;
  const double measured = static_cast<double>(slice.tokens) / seconds;
  const double before = rate_.load();
  rate_ = before == 0 ? measured : (1 - kNewest) * before + kNewest * measured;
}

core::Task<core::Status> HttpPairScorer::score_slice(const std::string& query, Slice& slice, core::Deadline deadline) {
  ModelClient::Request request{.path = "/rerank", .body = texts_member("texts", slice.texts) + R"(,"raw_scores":true,"truncate":true,"query":)"};
  text::append_json_text(query, request.body);
  request.body += '}';
  if (!deadline.is_never()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline.remaining(client_.clock()));
    request.margin = std::max(left / kMarginShare, kLeastMargin);
  }
  const ModelClient::Reader read = [&](const ports::HttpResponse& response) -> core::Status {
    const bool partial = response.header("X-Partial") == "deadline";
    CORE_TRY(slice.logits, read_ranks(response.body, slice.texts.size(), partial));
    const std::string_view told = response.header("x-compute-tokens");
    slice.tokens = 0;
    if (!told.empty() && std::from_chars(told.data(), told.data() + told.size(), slice.tokens).ec == std::errc()) return core::Status();
    for (std::size_t i = 0; i < slice.logits.size(); ++i) {
      slice.tokens += estimated_tokens(query.size() + slice.texts[i].size(), options_.expected.max_tokens);
    }
    return core::Status();
  };
  core::Status outcome = co_await client_.call(std::move(request), read, deadline);
  co_return outcome;
}

core::Task<core::Result<ports::PairScores>> HttpPairScorer::score(std::string query, std::vector<std::string> texts, core::Deadline deadline) {
  if (!text::is_valid_utf8(query)) co_return core::fail(ErrorCode::kInvalidArgument, "the query is not UTF-8");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!text::is_valid_utf8(texts[i])) co_return core::fail(ErrorCode::kInvalidArgument, fmt::format("text {} of the batch is not UTF-8", i));
  }
  const Distinct distinct(std::move(texts));
  std::vector<float> logits;
  ports::PairScores scores;
  while (logits.size() < distinct.texts.size() && !deadline.expired(client_.clock())) {
    const std::span<const std::string> left = std::span<const std::string>(distinct.texts).subspan(logits.size());
    Slice slice;
    slice.texts = left.first(slice_size(query.size(), left));
    const core::SteadyTime begun = client_.clock().steady_now();
    const core::Status outcome = co_await score_slice(query, slice, deadline);
    if (!outcome) {
      if (outcome.error().code == ErrorCode::kDeadlineExceeded) break;
      co_return std::unexpected(outcome.error());
    }
    note_rate(slice, std::chrono::duration<double>(client_.clock().steady_now() - begun).count());
    logits.insert(logits.end(), slice.logits.begin(), slice.logits.end());
    scores.tokens += slice.tokens;
    if (slice.logits.size() < slice.texts.size()) break;
  }
  scores.pairs_computed = logits.size();
  for (const std::size_t place : distinct.of) {
    if (place >= logits.size()) break;
    scores.scores.push_back({.logit = logits[place], .score = calibrated(logits[place])});
  }
  co_return scores;
}

}  // namespace scalestyle::adapters::remote_inference
