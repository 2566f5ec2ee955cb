// scalestyle ingest: the shop's files become the generation that is served.

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "command_list.hpp"
#include "ingest/ingest.hpp"
#include "ingest/live_changes.hpp"
#include "ingest_stores.hpp"
#include "runtime.hpp"
#include "vision_stack.hpp"

namespace scalestyle::app {

namespace {

constexpr int kSignalExitBase = 128;

volatile std::sig_atomic_t stop_signal = 0;

// The first signal asks the run to stop at a checkpoint; a second one ends the process at once.
void ask_to_stop() {
  struct sigaction action {};
  action.sa_handler = [](int signal_number) { stop_signal = signal_number; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

core::Result<ingest::IngestOptions> options_of(const core::Settings& settings) {
  ingest::IngestOptions options;
  CORE_TRY(options.data_dir, data_folder(settings));
  options.articles = settings.text("articles");
  options.images = settings.text("images");
  options.transactions = settings.text("transactions");
  options.embeddings = settings.text("embeddings");
  options.image_embeddings = settings.text("image_embeddings");
  options.update = settings.boolean("update");
  options.price_scale = settings.number("price_scale");
  options.currency = settings.text("currency");
  options.live_changes = ingest::live_changes(settings.text("live_changes")).value();  // the setting has these choices
  if (const auto per_item = settings.integer("neighbours_per_item"); per_item == 0) {
    options.neighbours.reset();
  } else {
    options.neighbours->per_item = static_cast<std::size_t>(per_item);
    options.neighbours->half_life_days = settings.number("neighbour_half_life_days");
    options.neighbours->shrinkage = settings.number("neighbour_shrinkage");
  }
  if (settings.boolean("graph")) {
    options.graph = {.neighbours = static_cast<std::size_t>(settings.integer("graph_m")),
                     .construction = static_cast<std::size_t>(settings.integer("graph_ef_construction"))};
  }
  options.popular_top = static_cast<std::size_t>(settings.integer("popular_top"));
  options.allow_no_purchases = settings.boolean("allow_no_purchases");
  options.purchase_weight = settings.number("event_weight_purchase");
  options.popularity_half_life_seconds = settings.number("popularity_half_life_hours") * 3'600;
  const std::size_t threads = compute_threads(settings);
  options.batches_in_flight = 2 * threads;
  options.reader.threads = static_cast<unsigned>(threads);
  return options;
}

bool is_input_fault(const core::Error& error) {
  return error.code == core::ErrorCode::kInvalidArgument || error.code == core::ErrorCode::kNotFound ||
         (error.code == core::ErrorCode::kDataLoss && !error.field.empty());
}

core::Result<ingest::IngestSummary> ingest_with(const core::Settings& settings, const ingest::IngestOptions& options) {
  CORE_CHECK(choose_kernels(settings));
  Compute compute(compute_threads(settings));
  CORE_TRY(const auto stores, IngestStoreStack::open(settings, compute));
  CORE_TRY(const auto image_encoder, load_image_encoder(settings, compute));
  CORE_TRY(const auto encoder, load_encoder(settings, settings.text("document_precision"), compute));
  ingest::TextProgress progress({.terminal = ::isatty(STDERR_FILENO) == 1}, compute.clock(), [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  });
  ingest::IngestContext context{.encoder = *encoder, .clock = compute.clock(), .progress = progress};
  context.image_encoder = image_encoder.get();
  context.stores = stores->stores();
  context.stop_signal = [] { return static_cast<int>(stop_signal); };
  return ingest::run_ingest(options, context);
}

int run_ingest(const Invocation& invocation) {
  const core::Settings& settings = invocation.settings;
  const auto options = options_of(settings);
  if (!options) return report(options.error());
  // Wrong input is told before the model is loaded.
  if (const auto inputs = ingest::check_inputs(*options); !inputs) {
    report(inputs.error());
    return kExitUsage;
  }
  ask_to_stop();
  const auto summary = ingest_with(settings, *options);
  if (!summary) {
    const int exit_code = report(summary.error());
    if (summary.error().code == core::ErrorCode::kCancelled && stop_signal != 0) return kSignalExitBase + stop_signal;
    return is_input_fault(summary.error()) ? kExitUsage : exit_code;
  }
  fmt::print("{}", settings.boolean("json") ? summary->to_json() + "\n" : summary->to_text());
  return kExitOk;
}

}  // namespace

Command ingest_command() {
  return {.path = {"ingest"},
          .help = "Make a catalogue out of files and switch to it",
          .settings = with_ingest_store_settings(with_vision_settings(
              {"data", "articles", "images", "transactions", "embeddings", "image_embeddings", "update", "price_scale", "currency",
               "live_changes", "neighbours_per_item", "neighbour_half_life_days", "neighbour_shrinkage", "graph", "graph_m", "graph_ef_construction",
               "document_precision",
               "models", "model", "compute_threads", "isa", "json"})),
          .run = run_ingest};
}

}  // namespace scalestyle::app
