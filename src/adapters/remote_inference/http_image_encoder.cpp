#include "adapters/remote_inference/http_image_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "text/base64.hpp"
#include "text/unicode.hpp"

namespace scalestyle::adapters::remote_inference {

using core::ErrorCode;

namespace {

constexpr std::size_t kUsualBatch = 8;
constexpr std::size_t kLargestBatch = 256;

std::unexpected<core::Error> too_late() {
  return core::fail(ErrorCode::kDeadlineExceeded, "the deadline passed before the pictures were embedded");
}

std::string images_body(std::span<const ports::EncodedImage> images) {
  std::string body = R"({"images":[)";
  for (std::size_t i = 0; i < images.size(); ++i) {
    body += i == 0 ? "\"" : ",\"";
    body += text::base64_encode(*images[i]);
    body += '"';
  }
  return body += "]}";
}

}  // namespace

core::Result<std::unique_ptr<HttpImageEncoder>> HttpImageEncoder::create(Options options, ModelClient::Dependencies dependencies) {
  if (options.servers.urls.empty()) return core::fail(ErrorCode::kInvalidArgument, "there is no server that embeds pictures to ask", "vision_url");
  if (options.expected.model.empty() || options.expected.dimension == 0) {
    return core::fail(ErrorCode::kInvalidArgument, "which model's vectors are expected, and of how many dimensions, must be known");
  }
  return std::unique_ptr<HttpImageEncoder>(new HttpImageEncoder(std::move(options), dependencies));
}

HttpImageEncoder::HttpImageEncoder(Options options, ModelClient::Dependencies dependencies)
    : options_(std::move(options)),
      pinned_(options_.expected.weights_hash, {}),
      batch_limit_(kUsualBatch),
      client_("picture", options_.servers, dependencies,
              [this](const std::string& url, core::Deadline deadline) { return check_endpoint(url, deadline); }) {}

core::Task<core::Result<ports::EncoderInfo>> HttpImageEncoder::ask(Options options, ModelClient::Dependencies dependencies,
                                                                   core::Deadline deadline) {
  dependencies.metrics = nullptr;
  dependencies.log = nullptr;
  HttpImageEncoder asker(std::move(options), dependencies);
  core::Error last{ErrorCode::kUnavailable, "there is no server that embeds pictures to ask"};
  for (const std::string& url : asker.options_.servers.urls) {
    core::Result<RemoteInfo> told = co_await asker.ask_endpoint(url, deadline);
    if (!told) {
      last = std::move(told).error();
      continue;
    }
    co_return ports::EncoderInfo{.model = told->model, .weights_hash = told->weights_hash, .precision = told->precision,
                                 .dimension = told->dimension, .max_tokens = told->max_tokens};
  }
  co_return std::unexpected(last);
}

core::Task<core::Result<RemoteInfo>> HttpImageEncoder::ask_endpoint(std::string url, core::Deadline deadline) {
  ModelClient::Request request{.method = ports::HttpMethod::kGet, .path = "/info"};
  CORE_CO_TRY(const ports::HttpResponse response, co_await client_.ask(std::move(url), std::move(request), deadline));
  co_return read_info(response.body, ModelKind::kPictures);
}

core::Task<core::Status> HttpImageEncoder::check_endpoint(std::string url, core::Deadline deadline) {
  core::Result<RemoteInfo> info = co_await ask_endpoint(url, deadline);
  if (!info) co_return std::unexpected(std::move(info).error());
  const ports::EncoderInfo& wanted = options_.expected;
  const auto other = [&](const std::string& why) {
    return core::fail(ErrorCode::kFailedPrecondition, fmt::format("{} {}: its vectors are not used", url, why));
  };
  if (info->model != wanted.model) co_return other(fmt::format("serves the image model \"{}\", wanted is \"{}\"", info->model, wanted.model));
  if (info->dimension != wanted.dimension) {
    co_return other(fmt::format("gives vectors of {} dimensions, wanted are {}", info->dimension, wanted.dimension));
  }
  if (const std::string why = pinned_.disagreement(*info); !why.empty()) co_return other(why);
  if (info->max_batch != 0) batch_limit_ = std::min(info->max_batch, kLargestBatch);
  co_return core::Status();
}

core::Task<core::Result<HttpImageEncoder::Results>> HttpImageEncoder::send(std::string body, std::size_t count, core::Deadline deadline) {
  if (deadline.expired(client_.clock())) co_return too_late();
  Results results;
  const ModelClient::Reader read = [&](const ports::HttpResponse& response) -> core::Status {
    CORE_TRY(results, read_picture_results(response.body, count, options_.expected.dimension));
    return core::Status();
  };
  ModelClient::Request request{.path = "/embed_image", .body = std::move(body)};
  CORE_CO_CHECK(co_await client_.call(std::move(request), read, deadline));
  co_return results;
}

core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> HttpImageEncoder::encode_images(
    std::vector<ports::EncodedImage> images, core::Deadline deadline) {
  Results all;
  for (std::size_t begin = 0; begin < images.size();) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    const std::size_t most = std::min(batch_limit_.load(), images.size() - begin);
    while (count < most && (count == 0 || bytes + images[begin + count]->size() <= options_.max_request_bytes)) {
      bytes += images[begin + count++]->size();
    }
    std::string body = images_body(std::span<const ports::EncodedImage>(images).subspan(begin, count));
    CORE_CO_TRY(Results part, co_await send(std::move(body), count, deadline));
    std::ranges::move(part, std::back_inserter(all));
    begin += count;
  }
  co_return all;
}

core::Task<core::Result<ports::EmbeddingBatch>> HttpImageEncoder::encode_texts(std::vector<std::string> texts, core::Deadline deadline) {
  ports::EmbeddingBatch batch{.dimension = options_.expected.dimension, .values = {}, .tokens = 0};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (text::is_valid_utf8(texts[i])) continue;
    co_return core::fail(ErrorCode::kInvalidArgument, fmt::format("text {} of the batch is not UTF-8", i));
  }
  for (std::size_t begin = 0; begin < texts.size();) {
    const std::size_t count = std::min(batch_limit_.load(), texts.size() - begin);
    const std::span<const std::string> part = std::span<const std::string>(texts).subspan(begin, count);
    std::string body = texts_member("texts", part) + "}";
    CORE_CO_TRY(const Results results, co_await send(std::move(body), count, deadline));
    for (std::size_t i = 0; i < count; ++i) {
      if (!results[i]) co_return std::unexpected(results[i].error());
      batch.values.insert(batch.values.end(), results[i]->begin(), results[i]->end());
      batch.tokens += 2 + part[i].size() / 4;
    }
    begin += count;
  }
  co_return batch;
}

}  // namespace scalestyle::adapters::remote_inference
