// How fast the configured text encoder is here.

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/task.hpp"
#include "doctor_parts.hpp"
#include "runtime.hpp"

namespace scalestyle::app {

namespace {

constexpr std::chrono::milliseconds kEachMeasurement{250};
constexpr std::size_t kBatch = 16;
constexpr double kSlowQueryMs = 60;  // the time that finding rows has

const std::string kQuery = "warm waterproof winter jacket for men with a hood";

struct EncoderRates {
  double query_ms = 0;           // one query alone, median
  double tokens_per_second = 0;  // in batches
};

double milliseconds_since(core::SteadyTime start, const core::Clock& clock) {
  return std::chrono::duration<double, std::milli>(clock.steady_now() - start).count();
}

core::Result<EncoderRates> measure(ports::TextEncoder& encoder, const core::Clock& clock) {
  EncoderRates rates;
  std::vector<double> times;
  auto start = clock.steady_now();
  while (times.empty() || clock.steady_now() - start < kEachMeasurement) {
    const auto before = clock.steady_now();
    CORE_TRY(const auto one, core::sync_wait(encoder.encode({kQuery}, core::Deadline::never())));
    times.push_back(milliseconds_since(before, clock));
  }
  std::ranges::sort(times);
  rates.query_ms = times[times.size() / 2];
  std::size_t tokens = 0;
  start = clock.steady_now();
  while (tokens == 0 || clock.steady_now() - start < kEachMeasurement) {
    CORE_TRY(const auto batch,
             core::sync_wait(encoder.encode(std::vector<std::string>(kBatch, kQuery), core::Deadline::never())));
    tokens += batch.tokens;
  }
  rates.tokens_per_second = static_cast<double>(tokens) * 1'000 / std::max(milliseconds_since(start, clock), 1e-6);
  return rates;
}

}  // namespace

Check check_encoder(const core::Settings& settings, bool quick) {
  if (settings.is_set("inference_url")) return skipped("text_encoder", "queries are embedded behind inference_url");
  if (quick) return skipped("text_encoder", "not measured (--quick)");
  const std::string& precision = settings.text("query_precision");
  Compute compute(compute_threads(settings));
  const auto encoder = load_encoder(settings, precision, compute);
  if (!encoder) return failed("text_encoder", encoder.error(), "`scalestyle models fetch` installs the models");
  const auto rates = measure(**encoder, compute.clock());
  if (!rates) return failed("text_encoder", rates.error(), "another `model`, or `scalestyle models fetch` for undamaged weights");
  std::string found = fmt::format("{} {}: a query in {:.1f} ms, {:.0f} tokens/s in batches", settings.text("model"), precision,
                                  rates->query_ms,
                                  rates->tokens_per_second);
  if (rates->query_ms > kSlowQueryMs) {
    return warned("text_encoder", std::move(found),
                  "slower than the time that a search has for it: --query-precision int8, more cores, or inference_url");
  }
  return passed("text_encoder", std::move(found));
}

}  // namespace scalestyle::app
