#include "adapters/embedded/local_pair_scorer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <span>
#include <stop_token>
#include <utility>

#include "adapters/embedded/borrowed_team.hpp"
#include "text/unicode.hpp"

namespace scalestyle::adapters::embedded {

namespace {

constexpr double kNewest = 0.2;  // weight of the newest measurement in a rate
// A group is begun when the time left is so many times what it should take: rates differ from group to group.
constexpr double kTimeMargin = 1.1;
constexpr double kLeastShare = 0.1;  // of what the threads do one by one, for a batch

double smoothed(double before, double measured) {
  return before == 0 ? measured : (1 - kNewest) * before + kNewest * measured;
}

double seconds(core::SteadyTime::duration duration) { return std::chrono::duration<double>(duration).count(); }

core::Status check_utf8(const std::string& query, const std::vector<std::string>& texts) {
  if (!text::is_valid_utf8(query)) return core::fail(core::ErrorCode::kInvalidArgument, "the query is not UTF-8");
  for (std::size_t index = 0; index < texts.size(); ++index) {
    if (!text::is_valid_utf8(texts[index])) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("text {} of the batch is not UTF-8", index));
    }
  }
  return {};
}

}  // namespace

namespace {

// A call is in progress while this lives.
class CallInProgress {
 public:
  CallInProgress(std::atomic<std::size_t>& begun, std::atomic<std::size_t>& ended)
      : ended_(ended), number_(begun.fetch_add(1) + 1), is_first_(ended.load() + 1 == number_) {}
  CallInProgress(const CallInProgress&) = delete;
  CallInProgress& operator=(const CallInProgress&) = delete;
  ~CallInProgress() { ended_.fetch_add(1); }
  [[nodiscard]] bool is_first() const { return is_first_; }
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  std::atomic<std::size_t>& ended_;
  std::size_t number_;  // of all that ever began, from 1
  bool is_first_;       // every earlier one had ended
};

}  // namespace

struct LocalPairScorer::Run {
  PairBatch batch;
  std::vector<float> logits;  // a distinct text each; written by whoever claimed it
  core::Deadline deadline;
  std::stop_token stop;
  core::SteadyTime start;
  bool begins_alone;   // no other call was in progress
  std::size_t number;  // of the call, from 1
  std::mutex mutex;
  core::Status outcome;  // guarded by mutex while threads score; the first error
};

core::Result<std::unique_ptr<LocalPairScorer>> LocalPairScorer::load(const Options& options, core::WorkerPool& pool,
                                                                     const core::Clock& clock) {
  CORE_TRY(auto model, nn::CrossEncoder::load(options.model_dir, options.model));
  const auto format = model->type() == nn::BertType::kBert ? text::PairFormat::kBert : text::PairFormat::kXlmRoberta;
  const std::size_t max_tokens = std::min(options.max_tokens, model->max_tokens());
  CORE_TRY(auto tokenizer, text::PairTokenizer::load(options.model_dir, format, max_tokens));
  if (tokenizer.vocabulary_size() > model->vocabulary_size()) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("{}: the tokenizer has {} pieces, the model's vocabulary {}; they are not of one model",
                                  options.model_dir.string(), tokenizer.vocabulary_size(), model->vocabulary_size()));
  }
  std::unique_ptr<LocalPairScorer> scorer(new LocalPairScorer(std::move(model), std::move(tokenizer), options, pool, clock));
  CORE_CHECK(scorer->measure_rate());
  return scorer;
}

LocalPairScorer::LocalPairScorer(std::unique_ptr<const nn::CrossEncoder> model, text::PairTokenizer tokenizer,
                                 const Options& options, core::WorkerPool& pool, const core::Clock& clock)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      options_(options),
      pool_(pool),
      clock_(clock),
      workspaces_(pool.threads()) {
  info_.model = options_.model_name;
  info_.weights_hash = model_->weights_hash();
  info_.precision = nn::to_string(model_->precision());
  info_.activation = nn::to_string(model_->activation());
  info_.max_tokens = tokenizer_.max_tokens();
}

// Two pairs of usual length, on this thread: once to bring the weights in, once to be timed.
core::Status LocalPairScorer::measure_rate() {
  std::vector<std::int32_t> ids(std::min<std::size_t>(64, info_.max_tokens));
  for (std::size_t index = 0; index < ids.size(); ++index) {
    ids[index] = static_cast<std::int32_t>(index * 37 % std::min<std::size_t>(model_->vocabulary_size(), 1000));
  }
  const std::vector<nn::TokenInput> inputs(2, {.ids = ids});
  std::vector<float> logits(inputs.size());
  const auto workspace = workspaces_.borrow();
  CORE_CHECK(model_->score(inputs, logits, workspace->model));
  const core::SteadyTime start = clock_.steady_now();
  CORE_CHECK(model_->score(inputs, logits, workspace->model));
  const double took = seconds(clock_.steady_now() - start);
  if (took <= 0) return {};
  thread_rate_ = static_cast<double>(ids.size() * inputs.size()) / took;
  return {};
}

double LocalPairScorer::tokens_per_second() const {
  const double alone = thread_rate_ * batch_share_ * static_cast<double>(pool_.threads());
  const std::size_t ended = calls_ended_.load();  // before what began: never more than that
  return alone / static_cast<double>(1 + calls_begun_.load() - ended);
}

std::size_t LocalPairScorer::affordable_tokens(core::Deadline deadline) const {
  if (deadline.is_never()) return std::numeric_limits<std::size_t>::max();
  const double left = std::chrono::duration<double>(deadline.remaining(clock_)).count();
  const double rate = thread_rate_.load();
  if (left <= 0) return 0;
  if (rate == 0) return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(std::min(left * rate / kTimeMargin, 1e9));
}

// False when the batch must end.
bool LocalPairScorer::score_group(Workspace& workspace, Run& run, nn::Team* team) {
  const PairBatch::Group& group = workspace.group;
  const core::SteadyTime start = clock_.steady_now();
  core::Status outcome =
      model_->score(group.inputs, std::span(run.logits).subspan(group.first, group.size), workspace.model, team);
  if (!outcome) {
    run.batch.stop();
    const std::lock_guard lock(run.mutex);
    if (run.outcome) run.outcome = std::move(outcome);
    return false;
  }
  const double took = seconds(clock_.steady_now() - start);
  if (team == nullptr && took > 0) thread_rate_ = smoothed(thread_rate_, static_cast<double>(group.tokens) / took);
  return true;
}

// One thread's part of a round: groups until none is left or affordable, or other work waits for the pool.
void LocalPairScorer::score_groups(Run& run) {
  const auto workspace = workspaces_.borrow();
  while (true) {
    if (run.stop.stop_requested()) run.batch.stop();
    if (!run.batch.claim(affordable_tokens(run.deadline), workspace->group)) break;
    if (!score_group(*workspace, run, nullptr)) break;
    if (pool_.queued() > 0) run.batch.pause();
  }
}

// A single pair is no work for two threads that claim groups: they share its products.
void LocalPairScorer::score_as_team(Run& run) {
  const auto workspace = workspaces_.borrow();
  if (run.batch.claim(affordable_tokens(run.deadline), workspace->group)) {
    const BorrowedTeam team(pool_);
    static_cast<void>(score_group(*workspace, run, team.get()));
  }
}

void LocalPairScorer::score_round(Run& run) {
  const std::size_t threads = pool_.queued() > 0 ? 1 : pool_.threads();
  if (threads > 1 && run.batch.distinct() == 1) return score_as_team(run);
  pool_.parallel_for(threads, [this, &run](std::size_t) { score_groups(run); });
}

void LocalPairScorer::note_batch_share(const Run& run) {
  // A batch that could not keep every thread busy, or shared them, says little about one that can.
  const bool was_alone = run.begins_alone && calls_begun_.load() == run.number;
  const std::size_t tokens = run.batch.claimed_tokens();
  const double took = seconds(clock_.steady_now() - run.start);
  const double threads = thread_rate_ * static_cast<double>(pool_.threads());
  if (!was_alone || took <= 0 || threads <= 0 || tokens < 2 * options_.least_group_tokens * pool_.threads()) return;
  batch_share_ = std::clamp(smoothed(batch_share_, static_cast<double>(tokens) / took / threads), kLeastShare, 1.0);
}

ports::PairScores LocalPairScorer::scores_of(const Run& run) {
  ports::PairScores scores;
  for (const std::size_t distinct : run.batch.scored_prefix()) {
    const float logit = run.logits[distinct];
    scores.scores.push_back({.logit = logit, .score = nn::calibrated_score(logit)});
  }
  scores.pairs_computed = run.batch.claimed();
  scores.tokens = run.batch.claimed_tokens();
  return scores;
}

core::Task<core::Result<ports::PairScores>> LocalPairScorer::score(std::string query, std::vector<std::string> texts,
                                                                   core::Deadline deadline) {
  const std::stop_token stop = co_await core::current_stop_token();
  const CallInProgress call(calls_begun_, calls_ended_);
  core::Status turn = co_await pool_.schedule(deadline);
  CORE_CO_CHECK(check_utf8(query, texts));
  const PairBatch::Options sizes{.threads = pool_.threads(),
                                 .most_tokens = options_.most_group_tokens,
                                 .least_tokens = std::min(options_.least_group_tokens, options_.most_group_tokens)};
  Run run{.batch{tokenizer_, query, texts, sizes},
          .logits = {},
          .deadline = deadline,
          .stop = stop,
          .start = clock_.steady_now(),
          .begins_alone = call.is_first(),
          .number = call.number(),
          .mutex = {},
          .outcome = {}};
  run.logits.resize(run.batch.distinct());
  while (true) {
    if (!turn && turn.error().code == core::ErrorCode::kDeadlineExceeded) break;
    if (!turn) co_return std::unexpected(std::move(turn).error());
    score_round(run);
    if (run.batch.ended()) break;
    // Other work waits: it goes first. Where the queue has no room left, this goes on at once.
    run.batch.resume();
    turn = co_await pool_.schedule(deadline);
    if (!turn && turn.error().code == core::ErrorCode::kResourceExhausted) turn = {};
  }
  if (!run.outcome) co_return std::unexpected(std::move(run.outcome).error());
  if (run.stop.stop_requested()) co_return core::fail(core::ErrorCode::kCancelled, "cancelled while pairs were scored");
  note_batch_share(run);
  co_return scores_of(run);
}

}  // namespace scalestyle::adapters::embedded
