#include "ingest/ingest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <system_error>
#include <utility>

#include "adapters/embedded/data_folder.hpp"
#include "core/files.hpp"
#include "ingest/embed_all.hpp"
#include "ingest/embedding_plan.hpp"
#include "ingest/fill_targets.hpp"
#include "ingest/graph_building.hpp"
#include "ingest/image_finder.hpp"
#include "ingest/live_changes.hpp"
#include "ingest/photo_lane.hpp"
#include "ingest/popular_seeds.hpp"
#include "ingest/publish.hpp"
#include "ingest/rejects.hpp"
#include "ingest/reusable_vectors.hpp"
#include "ingest/staged_catalog.hpp"
#include "ingest/staged_neighbours.hpp"
#include "ingest/supplied_vectors.hpp"
#include "ingest/text_source.hpp"
#include "ingest/vector_lane.hpp"
#include "ingest/work_folder.hpp"

namespace scalestyle::ingest {

namespace {

using adapters::embedded::DataFolder;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;

std::unexpected<core::Error> bad_option(std::string message, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

// The setting that stands for a field of NeighbourOptions.
std::string neighbour_setting(const std::string& field) {
  return field == "per_item" ? "neighbours_per_item" : "neighbour_" + field;
}

// One run, from the locked data folder to the summary.
class IngestRun {
 public:
  IngestRun(const IngestOptions& options, const IngestContext& context)
      : options_(options),
        context_(context),
        folder_(options.data_dir),
        rejects_(folder_.root() / ".rejects.csv.part"),
        filler_(options, context),
        started_(context.clock.steady_now()),
        started_wall_(context.clock.wall_now()) {}

  core::Result<IngestSummary> run() {
    CORE_CHECK(filler_.look());
    CORE_TRY(StagedCatalog staged, stage_catalog(options_, context_, rejects_, summary_));
    context_.before_step("lay live changes over");
    CORE_CHECK(lay_changes_over(options_, context_.stores.changes, staged, summary_));
    CORE_CHECK(find_neighbours(options_, context_, staged, summary_));
    if (!filler_.empty()) {
      CORE_TRY(popular_, find_popular(options_, context_, staged, summary_));
    }
    CORE_CHECK(plan_texts(staged));
    if (context_.image_encoder != nullptr) {
      CORE_TRY(auto lane, plan_photos(options_, context_, staged, rejects_, summary_));
      photos_.emplace(std::move(lane));
    } else {
      note_linked_photos(folder_, summary_);
    }
    CORE_CHECK(check_disk(staged));
    CORE_CHECK(open_work());
    CORE_CHECK(publish_rejects());
    summary_.read_seconds = lap();
    CORE_CHECK(embed(staged.catalog));
    CORE_CHECK(publish(staged));
    summary_.assemble_seconds += lap();
    summary_.total_seconds = std::chrono::duration<double>(context_.clock.steady_now() - started_).count();
    return std::move(summary_);
  }

 private:
  // Seconds since the last call.
  double lap() {
    const auto now = context_.clock.steady_now();
    const double seconds = std::chrono::duration<double>(now - lap_start_.value_or(started_)).count();
    lap_start_ = now;
    return seconds;
  }

  core::Status plan_texts(const StagedCatalog& staged) {
    texts_.encoder = context_.encoder.info();
    texts_.format = catalog::kTextFormat;
    CORE_CHECK(open_other_texts(staged));
    const auto hashes = hash_texts(staged.catalog);
    texts_.plan = plan_embeddings({.catalog = staged.catalog,
                                   .encoder = texts_.encoder,
                                   .format = texts_.format,
                                   .contents = hashes,
                                   .reusable = texts_.reusable ? &*texts_.reusable : nullptr,
                                   .supplied = texts_.supplied ? &*texts_.supplied : nullptr});
    summary_.distinct_texts = texts_.plan.distinct;
    summary_.reused_texts = texts_.plan.reused;
    return {};
  }

  core::Status open_other_texts(const StagedCatalog& staged) {
    if (options_.update) {
      auto reusable = ReusableVectors::open_texts(folder_, texts_.encoder);
      if (reusable) {
        texts_.reusable = std::move(*reusable);
      } else if (reusable.error().code == core::ErrorCode::kNotFound) {
        summary_.notes.push_back("there is no generation to update: every text is embedded");
      } else {
        return std::unexpected(std::move(reusable).error());
      }
    }
    if (options_.embeddings.empty()) return {};
    const SuppliedFile file{.path = options_.embeddings, .kind = catalog::EmbeddingKind::kTexts, .encoder = texts_.encoder};
    CORE_TRY(auto supplied, SuppliedVectors::read(file, options_, context_, staged.catalog, rejects_));
    supplied.leave_out(staged.new_texts);
    TextSource source(staged.catalog, context_.encoder, options_.batch_texts);
    const auto compared = supplied.check_sample(staged.catalog, source, [](catalog::RowIndex) { return true; });
    if (!compared) return std::unexpected(compared.error());
    summary_.supplied_vectors = supplied.size();
    summary_.unknown_vectors = supplied.unknown();
    if (supplied.size() < staged.catalog.size()) {
      summary_.notes.push_back(fmt::format("{} articles have no usable vector in the embeddings file and are embedded here",
                                           staged.catalog.size() - supplied.size()));
    }
    if (supplied.unknown() > 0) {
      summary_.notes.push_back(fmt::format("{} vectors belong to articles that the catalogue does not have", supplied.unknown()));
    }
    texts_.supplied = std::move(supplied);
    return {};
  }

  core::Status open_work() {
    note_foreign_work();
    const auto is_taken = [this](const core::GenerationId& id) { return filler_.is_served(id); };
    const auto fresh_id = new_generation_id(folder_, started_wall_, texts_.plan.fingerprint, is_taken);
    CORE_CHECK(open_work_of(texts_, fresh_id, "text"));
    // The run that made this work finished, but died before it could remove it.
    const auto current = folder_.read_current();
    const bool is_current = current && *current == texts_.work->generation();
    // The same of one that died between the stores and the data folder.
    if (is_current || filler_.is_served(texts_.work->generation())) texts_.work->set_generation(fresh_id);
    summary_.resumed_texts = texts_.work->items_done();
    if (!photos_ || photos_->vectors.plan.items.empty()) return {};
    CORE_CHECK(open_work_of(photos_->vectors, texts_.work->generation(), "photo"));
    summary_.resumed_photos = photos_->vectors.work->items_done();
    return {};
  }

  core::Status open_work_of(VectorLane& lane, const core::GenerationId& fresh_id, std::string_view noun) {
    const WorkIdentity identity{.fingerprint = lane.plan.fingerprint,
                                .encoder = lane.encoder,
                                .format = lane.format,
                                .items = lane.plan.items.size()};
    CORE_TRY(auto work, WorkFolder::open(folder_.generations(), identity, fresh_id, context_.before_step));
    if (work.was_damaged()) {
      summary_.notes.push_back(fmt::format("the work of an interrupted run was damaged: every {} is embedded again", noun));
    }
    if (work.items_done() > 0) {
      context_.progress.note(fmt::format("going on after an interrupted run: {} of {} {}s are embedded already",
                                         work.items_done(), lane.plan.items.size(), noun));
    }
    lane.work.emplace(std::move(work));
    return {};
  }

  // Work that was done with another model, precision or input is never continued; say so, it may be a mistake.
  void note_foreign_work() {
    const auto name_of = [this](const VectorLane& lane) {
      return WorkFolder::path_for(folder_.generations(), lane.plan.fingerprint).filename();
    };
    std::error_code error;
    std::filesystem::directory_iterator entries(folder_.generations(), error);
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
      const auto name = entries->path().filename();
      const bool is_own = name == name_of(texts_) || (photos_ && name == name_of(photos_->vectors));
      if (!name.string().starts_with(".building-") || is_own) continue;
      context_.progress.note(fmt::format("{} is unfinished work of another input, model or precision: it is not used and "
                                         "goes when this run succeeds",
                                         entries->path().string()));
    }
  }

  core::Status check_disk(const StagedCatalog& staged) const {
    const std::uint64_t needed = estimate_catalog_bytes(staged.catalog) + estimate_vector_bytes(texts_) +
                                 (photos_ ? estimate_vector_bytes(photos_->vectors) : 0) +
                                 (staged.neighbours ? staged.neighbours->neighbours.memory_bytes() : 0) +
                                 (options_.graph ? estimate_graph_bytes(*options_.graph, staged.catalog.size(), photos_.has_value()) : 0);
    std::uint64_t available = 0;
    if (context_.free_bytes) {
      CORE_TRY(available, context_.free_bytes(folder_.root()));
    } else {
      std::error_code error;
      available = std::filesystem::space(folder_.root(), error).available;
      if (error) return std::unexpected(core::system_error("measure the free space of", folder_.root(), error.value()));
    }
    if (available >= needed) return {};
    return core::fail(core::ErrorCode::kResourceExhausted,
                      fmt::format("{} has {} MiB free, this ingest needs about {} MiB", folder_.root().string(),
                                  available / kMebibyte, needed / kMebibyte + 1));
  }

  core::Status embed(const catalog::Catalog& catalog) {
    TextSource texts(catalog, context_.encoder, options_.batch_texts);
    EmbeddingWork done;
    auto outcome = embed_all({texts, texts_.plan, *texts_.work}, options_, context_, done);
    summary_.embedded_texts = done.embedded;
    summary_.embedded_tokens = done.tokens;
    summary_.embed_seconds = lap();
    context_.progress.finish();
    if (!outcome) return std::unexpected(with_advice(std::move(outcome).error(), texts_, "texts"));
    if (!photos_) return {};
    if (photos_->vectors.work) {
      PhotoSource photos(catalog, photos_->photos, *context_.image_encoder, options_);
      outcome = embed_all({photos, photos_->vectors.plan, *photos_->vectors.work}, options_, context_, done);
      summary_.embedded_photos = done.embedded;
      summary_.embed_photos_seconds = lap();
      context_.progress.finish();
      if (!outcome) return std::unexpected(with_advice(std::move(outcome).error(), photos_->vectors, "photos"));
    }
    CORE_CHECK(list_rejected_photos(*photos_, catalog, rejects_, summary_));
    return publish_rejects();
  }

  core::Status publish_rejects() {
    summary_.rejected_by_cause = rejects_.by_cause();
    const auto path = rejects_path(folder_, texts_.work->generation());
    if (rejects_.listed() == 0) {
      std::error_code error;
      std::filesystem::remove(path, error);  // an interrupted run's, of another version of the input
      return {};
    }
    summary_.rejects_file = path;
    context_.before_step("publish the rejects");
    return rejects_.publish(path);
  }

  core::Status publish(const StagedCatalog& staged) {
    const PublishInput input{.staged = staged, .texts = texts_, .photos = photos_ ? &photos_->vectors : nullptr};
    CORE_TRY(const auto built, assemble_generation(input, context_, options_, summary_));
    if (photos_ && summary_.image_vectors == 0) {
      summary_.notes.push_back("no article can be found by pictures: no photo has a vector");
    }
    CORE_CHECK(check_stop(context_));
    summary_.generation = texts_.work->generation();
    summary_.assemble_seconds = lap();
    CORE_CHECK(filler_.fill(built, std::move(popular_), summary_));
    CORE_CHECK(filler_.switch_over());
    summary_.fill_seconds = lap();
    CORE_TRY(const auto previous, switch_generation(folder_, built, summary_.generation, context_));
    filler_.tidy(summary_);
    remove_old_generations(folder_, summary_.generation, previous, context_, summary_);
    return {};
  }

  static core::Error with_advice(core::Error error, const VectorLane& lane, std::string_view noun) {
    if (error.code == core::ErrorCode::kCancelled) {
      error.message += fmt::format(" ({} of {} {} are embedded and kept)", lane.work->items_done(), lane.plan.items.size(), noun);
    }
    return error;
  }

  const IngestOptions& options_;
  const IngestContext& context_;
  DataFolder folder_;
  RejectsFile rejects_;
  TargetFiller filler_;
  ports::PopularitySeeds popular_{};  // of stores
  core::SteadyTime started_;
  core::WallTime started_wall_;
  std::optional<core::SteadyTime> lap_start_;
  VectorLane texts_;
  std::optional<PhotoLane> photos_;
  IngestSummary summary_;
};

}  // namespace

core::Status IngestOptions::validate() const {
  if (data_dir.empty()) return bad_option("the data folder is not given", "data");
  if (articles.empty()) return bad_option("the articles file is not given", "articles");
  if (!std::isfinite(price_scale) || price_scale <= 0) {
    return bad_option(fmt::format("the price scale is {}, it must be a number above 0", price_scale), "price_scale");
  }
  const bool letters = std::ranges::all_of(currency, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!currency.empty() && (currency.size() != 3 || !letters)) {
    return bad_option(fmt::format("the currency is \"{}\", it must be three capital letters such as EUR", currency), "currency");
  }
  if (batch_texts == 0 || batch_photos == 0 || batches_in_flight == 0) {
    return bad_option("a batch needs at least one text or photo", "batch_texts");
  }
  if (popular_top == 0 || popular_top > 200'000) {
    return bad_option(fmt::format("{} most popular articles are asked for, 1 to 200,000 may be", popular_top), "popular_top");
  }
  if (graph) CORE_CHECK(graph->validate());
  if (!neighbours) return {};
  auto valid = neighbours->validate();
  if (!valid) valid.error().field = neighbour_setting(valid.error().field);
  return valid;
}

core::Status check_inputs(const IngestOptions& options) {
  CORE_CHECK(options.validate());
  for (const auto& path : {options.articles, options.transactions, options.embeddings, options.image_embeddings}) {
    if (path.empty()) continue;
    CORE_TRY(const auto info, catalog::inspect_table(path, options.reader));
  }
  if (!options.images.empty()) {
    CORE_TRY(const auto images, ImageFinder::open(options.images));
  }
  return {};
}

core::Result<IngestSummary> run_ingest(const IngestOptions& options, const IngestContext& context) {
  CORE_CHECK(check_inputs(options));
  if (!options.image_embeddings.empty() && context.image_encoder == nullptr) {
    return bad_option("--image-embeddings needs vision_enabled=true: its vectors are compared with the model's",
                      "image_embeddings");
  }
  const DataFolder folder(options.data_dir);
  CORE_CHECK(core::make_folders(folder.generations()));
  auto lock = core::FileLock::acquire(folder.ingest_lock());
  if (!lock) {
    auto error = std::move(lock).error();
    if (error.code == core::ErrorCode::kFailedPrecondition) {
      error.message = "another ingest is writing to " + folder.root().string() + ": " + error.message;
    }
    return std::unexpected(std::move(error));
  }
  auto summary = IngestRun(options, context).run();
  context.progress.finish();
  return summary;
}

}  // namespace scalestyle::ingest
