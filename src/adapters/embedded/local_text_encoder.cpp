#include "adapters/embedded/local_text_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "adapters/embedded/borrowed_team.hpp"
#include "core/request_steps.hpp"
#include "text/unicode.hpp"

namespace scalestyle::adapters::embedded {

namespace {

// Ends of contiguous pieces of about equal tokens; the last is tokens.size().
std::vector<std::size_t> split_evenly(std::span<const std::vector<text::TokenId>> texts, std::size_t total_tokens,
                                      std::size_t pieces) {
  std::vector<std::size_t> ends;
  std::size_t seen = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t before = seen;
    seen += texts[i].size();
    const std::size_t target = total_tokens * (ends.size() + 1) / pieces;
    if (ends.size() + 1 == pieces || seen < target) continue;
    // A boundary falls at the nearer end of the text that crosses the target, but no piece is empty.
    const bool closer_before = before < target && target - before < seen - target && i > (ends.empty() ? 0 : ends.back());
    ends.push_back(closer_before ? i : i + 1);
  }
  if (ends.empty() || ends.back() != texts.size()) ends.push_back(texts.size());
  return ends;
}

core::Status check_utf8(const std::vector<std::string>& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!text::is_valid_utf8(texts[i])) {
      return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("text {} of the batch is not UTF-8", i));
    }
  }
  return {};
}

}  // namespace

core::Result<std::unique_ptr<LocalTextEncoder>> LocalTextEncoder::load(const Options& options, core::WorkerPool& pool,
                                                                       const core::Clock& clock) {
  CORE_TRY(auto model, nn::BertEncoder::load(options.model_dir, options.encoder));
  CORE_TRY(auto tokenizer,
           text::WordPieceTokenizer::load(options.model_dir, {.max_tokens = model->max_tokens(), .match_special_tokens = false}));
  if (tokenizer.vocabulary_size() > model->vocabulary_size()) {
    return core::fail(core::ErrorCode::kFailedPrecondition,
                      fmt::format("{}: the tokenizer has {} pieces, the model's vocabulary {}; they are not of one model",
                                  options.model_dir.string(), tokenizer.vocabulary_size(), model->vocabulary_size()));
  }
  return std::unique_ptr<LocalTextEncoder>(
      new LocalTextEncoder(std::move(model), std::make_shared<const text::WordPieceTokenizer>(std::move(tokenizer)), options,
                           pool, clock));
}

std::unique_ptr<LocalTextEncoder> LocalTextEncoder::on(core::WorkerPool& pool) const {
  return std::unique_ptr<LocalTextEncoder>(new LocalTextEncoder(model_, tokenizer_, options_, pool, clock_));
}

LocalTextEncoder::LocalTextEncoder(std::shared_ptr<const nn::BertEncoder> model,
                                   std::shared_ptr<const text::WordPieceTokenizer> tokenizer, Options options,
                                   core::WorkerPool& pool, const core::Clock& clock)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      options_(std::move(options)),
      pool_(pool),
      clock_(clock),
      workspaces_(pool.threads()) {
  info_.model = options_.model_name;
  info_.weights_hash = model_->weights_hash();
  info_.precision = nn::to_string(model_->precision());
  info_.dimension = model_->dimension();
  info_.max_tokens = model_->max_tokens();
}

// The weights of a short text take longer to arrive from memory than to multiply, and two cores draw more than one.
core::Status LocalTextEncoder::encode_as_team(std::span<const nn::TokenSequence> texts, std::span<float> out) {
  const BorrowedTeam team(pool_);
  const auto workspace = workspaces_.borrow();
  return model_->encode(texts, out, workspace->model, team.get());
}

core::Result<ports::EmbeddingBatch> LocalTextEncoder::encode_now(const std::vector<std::string>& texts,
                                                                 core::Deadline deadline) {
  const std::size_t dimension = model_->dimension();
  ports::EmbeddingBatch batch{.dimension = dimension, .values = std::vector<float>(texts.size() * dimension), .tokens = 0};
  std::vector<std::vector<text::TokenId>> ids(texts.size());
  {
    const core::StepTimer timer(core::RequestStep::kTokenize);
    const auto workspace = workspaces_.borrow();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      tokenizer_->encode(texts[i], ids[i], workspace->tokenizer);
      batch.tokens += ids[i].size();
    }
  }
  if (deadline.expired(clock_)) {
    return core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the texts were embedded");
  }
  const core::StepTimer timer(core::RequestStep::kModel);
  const std::size_t threads = pool_.queued() > 0 ? 1 : pool_.threads();
  const std::size_t least_tokens = std::max<std::size_t>(options_.least_piece_tokens, 1);
  const auto ends = split_evenly(ids, batch.tokens, std::clamp<std::size_t>(batch.tokens / least_tokens, 1, threads));
  if (threads > 1 && ends.size() == 1 && batch.tokens <= options_.most_team_tokens) {
    CORE_CHECK(encode_as_team(std::vector<nn::TokenSequence>(ids.begin(), ids.end()), batch.values));
    return batch;
  }
  std::vector<core::Status> outcomes(ends.size());
  pool_.parallel_for(ends.size(), [&](std::size_t piece) {
    const std::size_t begin = piece == 0 ? 0 : ends[piece - 1];
    std::vector<nn::TokenSequence> sequences(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                             ids.begin() + static_cast<std::ptrdiff_t>(ends[piece]));
    const auto workspace = workspaces_.borrow();
    outcomes[piece] = model_->encode(
        sequences, std::span(batch.values).subspan(begin * dimension, sequences.size() * dimension), workspace->model);
  });
  for (core::Status& outcome : outcomes) {
    if (!outcome) return std::unexpected(std::move(outcome).error());
  }
  return batch;
}

core::Task<core::Result<ports::EmbeddingBatch>> LocalTextEncoder::encode(std::vector<std::string> texts,
                                                                         core::Deadline deadline) {
  CORE_CO_CHECK(co_await pool_.schedule(deadline));
  CORE_CO_CHECK(check_utf8(texts));
  if (texts.empty()) co_return ports::EmbeddingBatch{.dimension = model_->dimension(), .values = {}, .tokens = 0};
  co_return encode_now(texts, deadline);
}

}  // namespace scalestyle::adapters::embedded
