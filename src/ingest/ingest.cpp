#include "ingest/ingest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <system_error>
#include <utility>

#include "adapters/embedded/data_folder.hpp"
#include "core/files.hpp"
#include "ingest/embed_texts.hpp"
#include "ingest/embedding_plan.hpp"
#include "ingest/image_finder.hpp"
#include "ingest/live_changes.hpp"
#include "ingest/publish.hpp"
#include "ingest/rejects.hpp"
#include "ingest/reusable_vectors.hpp"
#include "ingest/staged_catalog.hpp"
#include "ingest/supplied_vectors.hpp"
#include "ingest/work_folder.hpp"

namespace scalestyle::ingest {

namespace {

using adapters::embedded::DataFolder;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;

std::unexpected<core::Error> bad_option(std::string message, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

// One run, from the locked data folder to the summary.
class IngestRun {
 public:
  IngestRun(const IngestOptions& options, const IngestContext& context)
      : options_(options),
        context_(context),
        folder_(options.data_dir),
        rejects_(folder_.root() / ".rejects.csv.part"),
        started_(context.clock.steady_now()),
        started_wall_(context.clock.wall_now()) {}

  core::Result<IngestSummary> run() {
    CORE_TRY(StagedCatalog staged, stage_catalog(options_, context_, rejects_, summary_));
    context_.before_step("lay live changes over");
    CORE_CHECK(lay_changes_over(options_, staged, summary_));
    CORE_CHECK(open_other_vectors(staged));
    const EmbeddingPlan plan = plan_embeddings(staged.catalog, context_.encoder.info(),
                                               reusable_ ? &*reusable_ : nullptr, supplied_ ? &*supplied_ : nullptr);
    summary_.distinct_texts = plan.distinct_texts;
    summary_.reused_texts = plan.reused_texts;
    CORE_TRY(WorkFolder work, open_work(plan, staged));
    CORE_CHECK(publish_rejects(work));
    summary_.read_seconds = lap();

    auto embedded = embed_texts(staged.catalog, plan, options_, context_, work, summary_);
    summary_.embed_seconds = lap();
    context_.progress.finish();
    if (!embedded) return std::unexpected(with_advice(std::move(embedded).error(), work, plan));

    const PublishInput input{.staged = staged,
                             .plan = plan,
                             .reusable = reusable_ ? &*reusable_ : nullptr,
                             .supplied = supplied_ ? &*supplied_ : nullptr,
                             .work = work};
    CORE_TRY(const auto built, assemble_generation(input, context_, options_, summary_));
    CORE_CHECK(check_stop(context_));
    CORE_TRY(const auto previous, switch_generation(folder_, built, work.generation(), context_));
    summary_.generation = work.generation();
    remove_old_generations(folder_, summary_.generation, previous, context_, summary_);
    summary_.assemble_seconds = lap();
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

  core::Status open_other_vectors(const StagedCatalog& staged) {
    if (options_.update) {
      auto reusable = ReusableVectors::open(folder_, context_.encoder.info());
      if (reusable) {
        reusable_ = std::move(*reusable);
      } else if (reusable.error().code == core::ErrorCode::kNotFound) {
        summary_.notes.push_back("there is no generation to update: every text is embedded");
      } else {
        return std::unexpected(std::move(reusable).error());
      }
    }
    if (options_.embeddings.empty()) return {};
    CORE_TRY(supplied_, SuppliedVectors::read(options_, staged.catalog, context_, rejects_, summary_));
    supplied_->leave_out(staged.new_texts);
    CORE_CHECK(supplied_->check_sample(staged.catalog, context_));
    summary_.supplied_vectors = supplied_->size();
    if (supplied_->size() < staged.catalog.size()) {
      summary_.notes.push_back(fmt::format("{} articles have no usable vector in the embeddings file and are embedded here",
                                           staged.catalog.size() - supplied_->size()));
    }
    if (summary_.unknown_vectors > 0) {
      summary_.notes.push_back(fmt::format("{} vectors belong to articles that the catalogue does not have",
                                           summary_.unknown_vectors));
    }
    return {};
  }

  core::Result<WorkFolder> open_work(const EmbeddingPlan& plan, const StagedCatalog& staged) {
    CORE_CHECK(check_disk(staged, plan));
    const WorkIdentity identity{.fingerprint = plan.fingerprint,
                                .encoder = context_.encoder.info(),
                                .text_format = std::string(catalog::kTextFormat),
                                .texts = plan.texts.size()};
    const auto fresh_id = new_generation_id(folder_, started_wall_, plan.fingerprint);
    note_foreign_work(plan);
    CORE_TRY(WorkFolder work, WorkFolder::open(folder_.generations(), identity, fresh_id, context_.before_step));
    if (work.was_damaged()) summary_.notes.push_back("the work of an interrupted run was damaged: every text is embedded again");
    // The run that made this work finished, but died before it could remove it.
    const auto current = folder_.read_current();
    if (current && *current == work.generation()) work.set_generation(fresh_id);
    summary_.resumed_texts = work.texts_done();
    if (work.texts_done() > 0) {
      context_.progress.note(fmt::format("going on after an interrupted run: {} of {} texts are embedded already",
                                         work.texts_done(), plan.texts.size()));
    }
    return work;
  }

  // Work that was done with another model, precision or input is never continued; say so, it may be a mistake.
  void note_foreign_work(const EmbeddingPlan& plan) {
    const auto own = WorkFolder::path_for(folder_.generations(), plan.fingerprint).filename();
    std::error_code error;
    std::filesystem::directory_iterator entries(folder_.generations(), error);
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
      const auto name = entries->path().filename();
      if (!name.string().starts_with(".building-") || name == own) continue;
      context_.progress.note(fmt::format("{} is unfinished work of another input, model or precision: it is not used and "
                                         "goes when this run succeeds",
                                         entries->path().string()));
    }
  }

  core::Status check_disk(const StagedCatalog& staged, const EmbeddingPlan& plan) const {
    const std::uint64_t needed = estimate_disk_bytes(staged.catalog, context_.encoder.info().dimension, plan.texts.size());
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

  core::Status publish_rejects(const WorkFolder& work) {
    summary_.rejected_by_cause = rejects_.by_cause();
    const auto path = rejects_path(folder_, work.generation());
    if (rejects_.listed() == 0) {
      std::error_code error;
      std::filesystem::remove(path, error);  // an interrupted run's, of another version of the input
      return {};
    }
    summary_.rejects_file = path;
    context_.before_step("publish the rejects");
    return rejects_.publish(path);
  }

  static core::Error with_advice(core::Error error, const WorkFolder& work, const EmbeddingPlan& plan) {
    if (error.code == core::ErrorCode::kCancelled) {
      error.message += fmt::format(" ({} of {} texts are embedded and kept)", work.texts_done(), plan.texts.size());
    }
    return error;
  }

  const IngestOptions& options_;
  const IngestContext& context_;
  DataFolder folder_;
  RejectsFile rejects_;
  core::SteadyTime started_;
  core::WallTime started_wall_;
  std::optional<core::SteadyTime> lap_start_;
  std::optional<ReusableVectors> reusable_;
  std::optional<SuppliedVectors> supplied_;
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
  if (batch_texts == 0 || batches_in_flight == 0) return bad_option("a batch needs at least one text", "batch_texts");
  return {};
}

core::Status check_inputs(const IngestOptions& options) {
  CORE_CHECK(options.validate());
  for (const auto& path : {options.articles, options.transactions, options.embeddings}) {
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
