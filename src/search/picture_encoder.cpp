#include "search/picture_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "search/in_time.hpp"

namespace scalestyle::search {

namespace {

std::unexpected<PictureEncoder::Failure> failed(core::Error error) {
  return std::unexpected(PictureEncoder::Failure{std::move(error)});
}

// A caller's own time ran out or it went away: that says nothing about what others would get.
bool is_own_doing(const core::Error& error) {
  return error.code == core::ErrorCode::kDeadlineExceeded || error.code == core::ErrorCode::kCancelled;
}

telemetry::Counter vectors_from(telemetry::Metrics& metrics, const char* source) {
  return metrics.counter({"scalestyle_search_picture_vectors_total",
                          "Vectors of pictures, and of words in their space, by where they came from.",
                          {{"source", source}}});
}

}  // namespace

PictureEncoder::PictureEncoder(Ports ports, std::size_t cache_bytes, telemetry::Metrics& metrics)
    : use_(ports),
      cache_(cache_bytes),
      flights_(ports.pool),
      found_(vectors_from(metrics, "cache")),
      made_(vectors_from(metrics, "encoder")),
      shared_(vectors_from(metrics, "other_request")) {}

core::Task<PictureEncoder::Outcome> PictureEncoder::encode_picture(ports::EncodedImage image, std::string hash,
                                                                   core::Deadline deadline) {
  Wanted wanted{.key = "image:" + hash, .image = std::move(image)};
  return encode(std::move(wanted), deadline);
}

core::Task<PictureEncoder::Outcome> PictureEncoder::encode_text(std::string text, core::Deadline deadline) {
  Wanted wanted{.key = "text:" + text};
  wanted.text = std::move(text);
  return encode(std::move(wanted), deadline);
}

core::Task<PictureEncoder::Outcome> PictureEncoder::encode(Wanted wanted, core::Deadline deadline) {
  if (auto known = cache_.find(wanted.key)) {
    found_.add();
    co_return Outcome(std::move(known));
  }
  while (true) {
    auto joined = flights_.join(wanted.key);
    if (auto* joined_lead = std::get_if<SingleFlight<Outcome>::Lead>(&joined)) {
      SingleFlight<Outcome>::Lead lead = std::move(*joined_lead);
      auto known = cache_.peek(wanted.key);  // another may have landed since
      if (known != nullptr) {
        found_.add();
        lead.land(std::make_shared<const Outcome>(known));
        co_return Outcome(std::move(known));
      }
      const std::string key = wanted.key;
      Outcome outcome = co_await make(std::move(wanted), deadline);
      if (!outcome && is_own_doing(outcome.error().error)) co_return outcome;
      if (outcome) {
        made_.add();
        cache_.put(key, *outcome);
      }
      lead.land(std::make_shared<const Outcome>(outcome));
      co_return outcome;
    }
    const auto slot = std::get<std::shared_ptr<SingleFlight<Outcome>::Slot>>(joined);
    auto landed = co_await await_slot(slot, use_.timers, deadline);
    if (!landed) co_return failed(std::move(landed).error());
    if (*landed == nullptr) continue;  // who led gave up: join again
    if ((*landed)->has_value()) shared_.add();
    co_return **landed;
  }
}

core::Task<PictureEncoder::Outcome> PictureEncoder::make(Wanted wanted, core::Deadline deadline) {
  if (wanted.image == nullptr) {
    auto embedding = make_text(std::move(wanted.text), deadline);
    auto embedded = co_await result_in_time(std::move(embedding), use_.timers, deadline);
    if (!embedded) co_return failed(std::move(embedded).error());
    co_return checked(std::move(embedded->values));
  }
  auto encoding = make_picture(std::move(wanted.image), deadline);
  auto encoded = co_await result_in_time(std::move(encoding), use_.timers, deadline);
  if (!encoded) co_return failed(std::move(encoded).error());
  if (encoded->size() != 1) {
    const auto broken = core::fail(core::ErrorCode::kInternal,
                                   fmt::format("the image encoder gave {} results for one picture", encoded->size()));
    co_return failed(broken.error());
  }
  core::Result<std::vector<float>>& picture = encoded->front();
  if (picture) co_return checked(std::move(*picture));
  Failure refused{std::move(picture).error(), true};
  refused.error.field = "image";
  co_return std::unexpected(std::move(refused));
}

core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> PictureEncoder::make_picture(ports::EncodedImage image,
                                                                                                    core::Deadline deadline) {
  std::vector<ports::EncodedImage> images;
  images.push_back(std::move(image));
  co_return co_await use_.encoder.encode_images(std::move(images), deadline);
}

core::Task<core::Result<ports::EmbeddingBatch>> PictureEncoder::make_text(std::string text, core::Deadline deadline) {
  std::vector<std::string> texts;
  texts.push_back(std::move(text));
  co_return co_await use_.encoder.encode_texts(std::move(texts), deadline);
}

PictureEncoder::Outcome PictureEncoder::checked(std::vector<float> values) const {
  const std::size_t dimension = use_.encoder.info().dimension;
  if (values.size() != dimension) {
    return failed(core::fail(core::ErrorCode::kInternal,
                             fmt::format("the image encoder gave {} values, its vectors have {}", values.size(), dimension)).error());
  }
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
    return failed(core::fail(core::ErrorCode::kInternal, "the image encoder gave a value that is not a number").error());
  }
  return std::make_shared<const std::vector<float>>(std::move(values));
}

}  // namespace scalestyle::search
