#pragma once
// Builds a complete generation from a shop's files beside the one that is served, and switches to it in one step.
//
// read and check rows → reject the bad ones → find what was bought together → find the texts and photos that need a vector →
// embed each once, in order,
// durably → write and check the generation's files → fill other stores from them, where there are any, and have them serve it →
// rename → CURRENT.
//
// A run that dies at any point leaves the served generation as it was; the next run over the same texts with the same
// encoder continues with the first text that is not yet on disk, and its files are byte-identical to those of a run
// that was never interrupted. What decides the vectors (model, weights, precision, format, texts in order) is
// hashed into the work folder's name: work done with anything else is never continued. Photos have a work folder of their
// own: other photos leave the work of the texts as it is, other texts that of the photos.
// Not thread-safe; one ingest a data folder, held by a lock.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/graph/graph_builder.hpp"
#include "catalog/table_reader.hpp"
#include "core/clock.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "ingest/progress.hpp"
#include "ports/catalog_changes.hpp"
#include "ports/catalog_target.hpp"
#include "ports/generation_use.hpp"
#include "ports/image_encoder.hpp"
#include "ports/text_encoder.hpp"
#include "ranking/item_neighbours.hpp"

namespace scalestyle::ingest {

// Which changes of articles, made while the catalogue was served, are laid over what the files say.
enum class LiveChanges : std::uint8_t {
  kNewer,  // those made after the articles file was last written
  kAll,
  kNone,
};

struct IngestOptions {
  std::filesystem::path data_dir;
  std::filesystem::path articles;      // CSV, Parquet, or a folder of Parquet shards
  std::filesystem::path images;        // optional: pictures by article id
  std::filesystem::path transactions;  // optional: purchases
  std::filesystem::path embeddings;    // optional: pre-computed vectors of texts (Parquet)
  std::filesystem::path image_embeddings{};  // optional: pre-computed vectors of photos; needs IngestContext::image_encoder
  bool update = false;                 // reuse the current generation's vectors for unchanged texts and photos
  double price_scale = 1.0;            // prices are multiplied by it
  std::string currency;                // three letters (ISO 4217); empty when not told
  LiveChanges live_changes = LiveChanges::kNewer;
  // How the transactions' customers tell which articles are bought together; nothing: not asked for.
  std::optional<ranking::NeighbourOptions> neighbours = ranking::NeighbourOptions{};

  std::optional<adapters::graph::GraphOptions> graph{};  // of the vectors, for vector_store=graph; nothing: none is built

  // Of stores that are filled besides (IngestContext::stores).
  std::size_t popular_top = 50'000;    // most popular articles for other readers; 1 … 200,000
  bool allow_no_purchases = false;     // a catalogue without any purchase is no error
  double purchase_weight = 5;          // of a purchase event: the scale of popularity
  double popularity_half_life_seconds = 48 * 3'600.0;
  std::chrono::milliseconds target_deadline{600'000};  // of each step of a store

  std::size_t batch_texts = 32;        // texts an encode() call
  std::size_t batch_photos = 8;        // photos an encode_images() call; their bytes are in memory while it waits
  std::size_t max_photo_bytes = std::size_t{10} << 20;  // a larger file is rejected unread
  std::size_t batches_in_flight = 4;   // encode() calls at a time; at least the number of compute threads
  std::chrono::milliseconds checkpoint_interval{3000};
  catalog::ReaderOptions reader{};

  // kInvalidArgument with the option as field.
  [[nodiscard]] core::Status validate() const;
};

// Stores besides the data folder that gateways read. Referenced objects outlive the run.
struct IngestStores {
  std::vector<ports::CatalogTarget*> targets{};  // filled in this order, and told to serve in this order; not null
  ports::GenerationUse* use = nullptr;           // which generations gateways hold; null: not known
  ports::CatalogChanges* changes = nullptr;      // live changes are here; null: in the data folder
};

// What a run touches besides files. Referenced objects outlive the run.
struct IngestContext {
  ports::TextEncoder& encoder;
  const core::Clock& clock;
  ProgressReporter& progress;
  // Embeds the articles' photos; null: they are only linked.
  ports::ImageEncoder* image_encoder = nullptr;
  IngestStores stores{};
  // Signal number that asks the run to stop, 0 while there is none. Polled several times a second.
  std::function<int()> stop_signal = [] { return 0; };
  // Told the name of each durable step before it is made, in order. Tests end the process here.
  std::function<void(std::string_view step)> before_step = [](std::string_view) {};
  // Free bytes of the file system that holds a path; the system's answer when empty.
  std::function<core::Result<std::uint64_t>(const std::filesystem::path&)> free_bytes{};
};

struct FilledTarget {
  std::string name;
  ports::TargetCounts counts{};
  double seconds = 0;
};

struct IngestSummary {
  core::GenerationId generation;
  std::uint64_t rows_read = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::map<std::string, std::uint64_t> rejected_by_cause;  // of all input files
  std::filesystem::path rejects_file;                      // empty when nothing was rejected
  std::uint64_t distinct_texts = 0;
  std::uint64_t reused_texts = 0;       // from the current generation (update)
  std::uint64_t resumed_texts = 0;      // from an interrupted run
  std::uint64_t embedded_texts = 0;     // by this run
  std::uint64_t embedded_tokens = 0;
  std::uint64_t supplied_vectors = 0;   // articles with a vector of the embeddings file
  std::uint64_t unknown_vectors = 0;    // vectors for articles that the catalogue does not have
  std::uint64_t distinct_photos = 0;    // all about photos is 0 where they are only linked
  std::uint64_t reused_photos = 0;
  std::uint64_t resumed_photos = 0;
  std::uint64_t embedded_photos = 0;    // by this run, rejected ones included
  std::uint64_t rejected_photos = 0;    // articles whose photo cannot be used
  std::uint64_t supplied_image_vectors = 0;
  std::uint64_t unknown_image_vectors = 0;
  std::uint64_t image_vectors = 0;      // articles with a vector of their photo
  std::uint64_t with_price = 0;
  std::uint64_t with_image = 0;
  std::uint64_t purchases = 0;
  std::uint64_t neighbours = 0;         // of all articles together; 0 as well where none are known
  std::uint64_t neighbour_purchases = 0;  // that they come from
  std::uint64_t carried_changes = 0;    // live changes that are part of the generation
  std::uint64_t overruled_changes = 0;  // live changes that the files overrule
  std::vector<FilledTarget> filled{};   // the stores besides the data folder
  double read_seconds = 0;
  double embed_seconds = 0;
  double embed_photos_seconds = 0;
  double assemble_seconds = 0;
  double graph_seconds = 0;             // of these, for graphs
  double fill_seconds = 0;              // of all stores
  double total_seconds = 0;
  std::vector<std::string> notes;       // what the reader should know, one sentence each

  [[nodiscard]] std::string to_text() const;  // several lines
  [[nodiscard]] std::string to_json() const;  // one line
};

// Looks at the input files without changing anything. Errors: those of catalog::inspect_table, for each file named in
// the options; kNotFound or kInvalidArgument for an images folder that is none.
[[nodiscard]] core::Status check_inputs(const IngestOptions& options);

// Runs to the end, blocking; the calling thread only waits, writes and reports, the encoder's threads compute.
// Errors: kInvalidArgument, kNotFound, kDataLoss (an input that cannot be used: nothing was changed),
// kFailedPrecondition (another ingest runs; --update across text models; supplied vectors of another model),
// kResourceExhausted (disk), kPermissionDenied, kCancelled (stop_signal: says how to go on), the encoder's, the stores'.
[[nodiscard]] core::Result<IngestSummary> run_ingest(const IngestOptions& options, const IngestContext& context);

}  // namespace scalestyle::ingest
