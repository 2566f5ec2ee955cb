#include "serving_stack.hpp"

namespace scalestyle::app {

core::Result<std::unique_ptr<ServingStack>> ServingStack::create(const core::Settings& settings) {
  CORE_CHECK(choose_kernels(settings));
  CORE_TRY(auto data, data_folder(settings));
  CORE_TRY(auto prefix, query_prefix(settings));
  std::unique_ptr<ServingStack> stack(new ServingStack);
  stack->data_ = std::move(data);
  stack->compute_ = std::make_unique<Compute>(compute_threads(settings));
  auto& pool = stack->compute_->pool();
  const auto& clock = stack->compute_->clock();
  CORE_TRY(stack->encoder_, load_encoder(settings, settings.text("query_precision"), *stack->compute_));
  stack->store_ = std::make_unique<adapters::embedded::LocalCatalogStore>(
      adapters::embedded::LocalCatalogStore::Options{.data_dir = stack->data_}, pool);
  stack->index_ = std::make_unique<adapters::embedded::LocalVectorIndex>(
      adapters::embedded::LocalVectorIndex::Options{.data_dir = stack->data_}, pool, clock);
  stack->generations_ = std::make_unique<search::SnapshotHolder>(*stack->store_, *stack->index_, stack->encoder_->info());
  stack->timers_ = std::make_unique<search::TimerQueue>(clock);
  stack->timer_thread_ = std::thread([timers = stack->timers_.get()] { timers->run(); });
  search::SearchOptions options;
  options.query_prefix = std::move(prefix);
  options.max_in_progress = static_cast<std::size_t>(settings.integer("max_concurrent_requests"));
  CORE_CHECK(options.validate());
  stack->service_ = std::make_unique<search::SearchService>(
      search::SearchService::Dependencies{.generations = *stack->generations_, .encoder = *stack->encoder_,
                                          .index = *stack->index_, .pool = pool, .timers = *stack->timers_,
                                          .clock = clock, .metrics = stack->metrics_},
      std::move(options));
  return stack;
}

ServingStack::~ServingStack() { stop_threads(); }

void ServingStack::stop_threads() {
  if (timers_) timers_->stop();
  if (timer_thread_.joinable()) timer_thread_.join();
  if (compute_) compute_->stop();
}

}  // namespace scalestyle::app
