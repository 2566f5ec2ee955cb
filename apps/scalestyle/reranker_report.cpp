#include "reranker_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "core/task.hpp"
#include "model_report.hpp"
#include "ranking/rerank_budget.hpp"
#include "reranker_stack.hpp"
#include "runtime.hpp"

namespace scalestyle::app {

namespace {

namespace json = boost::json;

// Scoring with each precision ends by then; loading the model comes before it.
constexpr std::chrono::milliseconds kEachPrecision{350};

// The least agreement with f32 that a narrow precision must have to be recommended.
constexpr double kLeastTau = 0.98;

constexpr std::array<std::string_view, 4> kQueries{"warm winter jacket for men", "red summer dress with flowers",
                                                   "black leather boots", "baby pyjamas organic cotton"};

// Articles of many kinds in the form of catalog::rerank_text_v1.
std::vector<std::string> texts() {
  constexpr std::array<std::string_view, 5> kThings{"Padded parka. Jacket", "Wrap dress. Dress", "Ankle boots. Boots",
                                                    "2-pack sleepsuit. Pyjama jumpsuit/playsuit", "Slim jeans. Trousers"};
  constexpr std::array<std::string_view, 4> kLooks{"Black, Solid", "Red, All over pattern", "Light Beige, Melange",
                                                   "Dark Blue, Denim"};
  constexpr std::array<std::string_view, 2> kEnds{
      "Outdoor, Menswear. In woven fabric with a hood, zip down the front and side pockets.",
      "Newborn, Baby. Soft organic cotton jersey with a printed pattern and press-studs."};
  std::vector<std::string> all;
  for (const auto thing : kThings) {
    for (const auto look : kLooks) {
      for (const auto end : kEnds) all.push_back(fmt::format("{}, {}. {}", thing, look, end));
    }
  }
  return all;
}

struct Measured {
  std::vector<std::vector<float>> logits;  // one a text, of each query
  double tokens_per_second = 0;
  double tokens_per_pair = 0;
  double memory_mb = 0;
};

core::Result<Measured> measure(const core::Settings& settings, nn::Precision precision, Compute& compute) {
  CORE_TRY(const auto scorer, load_scorer(settings, settings.text("reranker"), precision, compute));
  Measured measured;
  measured.memory_mb = static_cast<double>(scorer->model().weight_bytes()) / 1e6;
  std::size_t tokens = 0;
  std::size_t pairs = 0;
  double seconds = 0;
  for (const std::string_view query : kQueries) {
    const auto start = compute.clock().steady_now();
    const auto deadline = core::Deadline::after(kEachPrecision / kQueries.size(), compute.clock());
    CORE_TRY(const auto scores, core::sync_wait(scorer->score(std::string(query), texts(), deadline)));
    seconds += std::chrono::duration<double>(compute.clock().steady_now() - start).count();
    tokens += scores.tokens;
    pairs += scores.pairs_computed;
    auto& logits = measured.logits.emplace_back();
    for (const ports::PairScore& score : scores.scores) logits.push_back(score.logit);
  }
  if (pairs == 0) {
    return core::fail(core::ErrorCode::kDeadlineExceeded,
                      fmt::format("not one pair was scored in {} ms: this machine is too slow for that model, or too busy",
                                  kEachPrecision.count()));
  }
  measured.tokens_per_second = static_cast<double>(tokens) / std::max(seconds, 1e-9);
  measured.tokens_per_pair = static_cast<double>(tokens) / static_cast<double>(std::max<std::size_t>(pairs, 1));
  return measured;
}

// Kendall's tau-a of two rankings of the texts that both scored.
double kendall_tau(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  double pairs = 0;
  const std::size_t scored = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < scored; ++i) {
    for (std::size_t j = i + 1; j < scored; ++j) {
      const int in_a = a[i] > a[j] ? 1 : a[i] < a[j] ? -1 : 0;
      const int in_b = b[i] > b[j] ? 1 : b[i] < b[j] ? -1 : 0;
      sum += in_a * in_b;
      ++pairs;
    }
  }
  return pairs == 0 ? 1 : sum / pairs;
}

double least_tau(const Measured& a, const Measured& b) {
  double least = 1;
  for (std::size_t query = 0; query < a.logits.size(); ++query) {
    least = std::min(least, kendall_tau(a.logits[query], b.logits[query]));
  }
  return least;
}

core::Status measure_all(const core::Settings& settings, json::object& report) {
  CORE_TRY(const auto options, rerank_options(settings));
  Compute compute(compute_threads(settings));
  CORE_TRY(const auto reference, measure(settings, nn::Precision::kF32, compute));
  json::array rows;
  std::string recommended = "f32";
  double best = 0;
  for (const nn::Precision precision : {nn::Precision::kF32, nn::Precision::kBf16, nn::Precision::kInt8}) {
    Measured narrow;
    if (precision != nn::Precision::kF32) {
      CORE_TRY(narrow, measure(settings, precision, compute));
    }
    const Measured& measured = precision == nn::Precision::kF32 ? reference : narrow;
    const double tau = least_tau(reference, measured);
    const auto plan = ranking::plan_rerank(options.budget, options.budget.usual_deadline,
                                           measured.tokens_per_second / std::max(measured.tokens_per_pair, 1.0), {});
    const std::string name(nn::to_string(precision));
    rows.push_back(json::object{{"precision", name},
                                {"tokens_per_second", measured.tokens_per_second},
                                {"tau_to_f32", tau},
                                {"depth", plan.planned},
                                {"memory_mb", measured.memory_mb},
                                {"configured", name == settings.text("rerank_precision")}});
    if (tau < kLeastTau || measured.tokens_per_second <= best) continue;
    best = measured.tokens_per_second;
    recommended = name;
  }
  report["precisions"] = std::move(rows);
  report["recommended_precision"] = recommended;
  return {};
}

}  // namespace

json::object describe_reranker(const core::Settings& settings, bool quick) {
  const std::string& model = settings.text("reranker");
  json::object report{{"model", model}, {"good", true}};
  if (const auto options = rerank_options(settings); !options) {
    report["good"] = false;
    report["state"] = options.error().message;
    return report;
  }
  if (model == "none") {
    report["state"] = "none, as the setting says";
    return report;
  }
  if (settings.is_set("inference_url") || settings.is_set("rerank_url")) {
    report["state"] = "behind HTTP, where such a server has one";
    return report;
  }
  if (const std::string missing = missing_reranker(settings); !missing.empty()) {
    report["state"] = missing;
    return report;
  }
  if (quick) {
    const auto found = describe_optional_model(settings, {.model = model, .enabled = true});
    report["good"] = found.at("good");
    report["state"] = std::string(found.at("state").as_string()) + "; not measured (--quick)";
    return report;
  }
  const auto measured = measure_all(settings, report);
  report["good"] = measured.has_value();
  report["state"] = measured ? "installed" : measured.error().message;
  return report;
}

RerankRate rerank_rate(const json::object& report, std::size_t wanted) {
  RerankRate rate{.wanted = wanted};
  rate.recommended_precision = std::string(report.at("recommended_precision").as_string());
  for (const auto& value : report.at("precisions").as_array()) {
    const auto& row = value.as_object();
    const auto depth = row.at("depth").to_number<std::size_t>();
    std::string name(row.at("precision").as_string());
    if (name == rate.recommended_precision) rate.recommended = depth;
    if (!row.at("configured").as_bool()) continue;
    rate.planned = depth;
    rate.precision = std::move(name);
  }
  return rate;
}

void print_reranker(const json::object& report) {
  const auto text = [&report](std::string_view key) { return std::string(report.at(key).as_string()); };
  fmt::print("reranker   {}: {}\n", text("model"), text("state"));
  if (!report.contains("precisions")) return;
  for (const auto& value : report.at("precisions").as_array()) {
    const auto& row = value.as_object();
    fmt::print("           {:<5} {:>7.0f} tokens/s, {} articles within the budget, tau to f32 {:.3f}, {:.0f} MB of weights{}\n",
               std::string(row.at("precision").as_string()), row.at("tokens_per_second").as_double(),
               row.at("depth").to_number<std::size_t>(), row.at("tau_to_f32").as_double(), row.at("memory_mb").as_double(),
               row.at("configured").as_bool() ? " (rerank_precision)" : "");
  }
  fmt::print("           recommended: --rerank-precision {}, the fastest whose order agrees with f32's on built-in texts "
             "(tau {} or more)\n",
             text("recommended_precision"), kLeastTau);
}

}  // namespace scalestyle::app
