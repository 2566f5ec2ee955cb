#include "reranker_stack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>

#include "adapters/embedded/metered_models.hpp"
#include "ingest/models/manifest.hpp"
#include "ingest/models/model_store.hpp"
#include "model_choice.hpp"
#include "search/dependency_probes.hpp"
#include "search/guarded_ports.hpp"

namespace scalestyle::app {

namespace {

constexpr std::string_view kNone = "none";
constexpr std::size_t kBytesPerMegabyte = 1'000'000;
constexpr std::chrono::milliseconds kFairTime{100};  // what a batch of pairs is made to take

struct Cascade {
  std::string model;
  std::size_t depth = 0;
};

// "MODEL:DEPTH"; nothing for an empty text.
core::Result<std::optional<Cascade>> parse_cascade(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::size_t colon = text.rfind(':');
  Cascade cascade;
  if (colon != std::string_view::npos && colon > 0) {
    const std::string_view depth = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(depth.data(), depth.data() + depth.size(), cascade.depth);
    cascade.model = text.substr(0, colon);
    if (error == std::errc() && end == depth.data() + depth.size()) return cascade;
  }
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("rerank_cascade is MODEL:DEPTH, such as ms-marco-MiniLM-L-6-v2:100, not \"{}\"", text),
                    "rerank_cascade");
}

}  // namespace

std::vector<std::string> with_rerank_settings(std::vector<std::string> names) {
  for (const char* name :
       {"reranker", "rerank_precision", "rerank_depth", "rerank_budget_ms", "rerank_cascade", "pair_cache_mb"}) {
    names.emplace_back(name);
  }
  return names;
}

core::Result<search::RerankOptions> rerank_options(const core::Settings& settings) {
  search::RerankOptions options;
  options.budget.depth = static_cast<std::size_t>(settings.integer("rerank_depth"));
  options.budget.budget = std::chrono::milliseconds(settings.integer("rerank_budget_ms"));
  CORE_TRY(const auto cascade, parse_cascade(settings.text("rerank_cascade")));
  if (cascade) options.first_pass_depth = cascade->depth;
  CORE_CHECK(options.validate());
  return options;
}

core::Result<std::unique_ptr<adapters::embedded::LocalPairScorer>> load_scorer(const core::Settings& settings,
                                                                              const std::string& model, nn::Precision precision,
                                                                              Compute& compute) {
  adapters::embedded::LocalPairScorer::Options options;
  options.model.precision = precision;
  CORE_TRY(auto chosen, choose_model(settings, model == settings.text("reranker") ? "reranker" : "rerank_cascade", model));
  options.model_dir = std::move(chosen.folder);
  options.model_name = std::move(chosen.name);
  options.model.weights_sha256 = std::move(chosen.weights_sha256);
  return adapters::embedded::LocalPairScorer::load(options, compute.pool(Lane::kRerank), compute.clock());
}

std::string missing_reranker(const core::Settings& settings) {
  if (settings.origin("reranker") != "default") return {};
  const std::string& name = settings.text("reranker");
  const auto manifest = ingest::models::Manifest::built_in();
  if (!manifest) return {};  // loading the model meets the same error
  const auto model = manifest->find(name);
  if (!model) return {};
  const auto folder = std::filesystem::path(settings.text("models")) / name;
  if (!ingest::models::inspect_model(**model, folder, ingest::models::CheckDepth::kSizes).is_absent()) return {};
  return fmt::format("no reranker installed: lists stay in their fused order; `scalestyle models fetch {}` installs it, "
                     "--reranker none says that none is wanted",
                     name);
}

core::Result<std::unique_ptr<RerankerStack>> RerankerStack::open(const core::Settings& settings, Compute& compute,
                                                                 core::TimerQueue& timers, telemetry::Metrics& metrics,
                                                                 InferenceStack* inference) {
  CORE_TRY(auto options, rerank_options(settings));
  CORE_TRY(const auto cascade, parse_cascade(settings.text("rerank_cascade")));
  CORE_TRY(const auto precision, nn::parse_precision(settings.text("rerank_precision")));
  std::unique_ptr<RerankerStack> stack(new RerankerStack);
  const bool remote = inference != nullptr && inference->has_pairs();
  if (!remote) stack->notice_ = missing_reranker(settings);
  const std::string& model = settings.text("reranker");
  const bool is_off = model == kNone || !stack->notice_.empty();
  if (is_off && cascade) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      "rerank_cascade needs a reranker behind its first pass, and there is none", "rerank_cascade");
  }
  if (is_off) return stack;
  if (remote) {
    CORE_TRY(stack->remote_scorer_, inference->pair_scorer());
    if (stack->remote_scorer_ == nullptr) {
      stack->notice_ = "the inference server has no reranker: lists stay in their fused order; --reranker none says that none is wanted";
      return stack;
    }
    ports::PairScorer* scorer = stack->remote_scorer_.get();
    if (GuardStack* const guards = inference->guards()) {
      search::DependencyGuard& guard = guards->of("reranking", kFairTime);
      guard.probe_with(search::probe_of(*scorer), std::max(options.budget.budget, kFairTime));
      stack->guarded_scorer_ = std::make_unique<search::GuardedPairScorer>(*scorer, guard);
      scorer = stack->guarded_scorer_.get();
    }
    stack->scorer_ = std::make_unique<search::PooledPairScorer>(*scorer, compute.pool());
  } else {
    CORE_TRY(auto scorer, load_scorer(settings, model, precision, compute));
    stack->scorer_ = std::move(scorer);
  }
  stack->scorer_ = std::make_unique<adapters::embedded::MeteredPairScorer>(std::move(stack->scorer_), metrics, compute.clock());
  if (cascade) {
    CORE_TRY(auto scorer, load_scorer(settings, cascade->model, precision, compute));
    stack->first_scorer_ = std::make_unique<adapters::embedded::MeteredPairScorer>(std::move(scorer), metrics, compute.clock(), "first_pair");
  }
  stack->cache_ = std::make_unique<search::PairScoreCache>(
      static_cast<std::size_t>(settings.integer("pair_cache_mb")) * kBytesPerMegabyte, compute.clock());
  stack->reranker_ = std::make_unique<search::Reranker>(
      search::Reranker::Dependencies{.scorer = *stack->scorer_, .timers = timers, .clock = compute.clock(), .metrics = metrics,
                                     .first_scorer = stack->first_scorer_.get(), .cache = stack->cache_.get(),
                                     .resume_on = compute.has_lanes() ? &compute.pool() : nullptr},
      options);
  return stack;
}

}  // namespace scalestyle::app
