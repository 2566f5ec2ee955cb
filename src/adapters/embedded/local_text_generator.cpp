#include "adapters/embedded/local_text_generator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stop_token>
#include <utility>

#include "adapters/embedded/borrowed_team.hpp"
#include "nn/token_sampler.hpp"
#include "text/utf8_pieces.hpp"

namespace scalestyle::adapters::embedded {

using core::ErrorCode;

namespace {

std::string_view role_name(ports::ChatMessage::Role role) {
  switch (role) {
    case ports::ChatMessage::Role::kSystem: return "system";
    case ports::ChatMessage::Role::kUser: return "user";
    case ports::ChatMessage::Role::kAssistant: return "assistant";
  }
  return "user";
}

std::size_t context_of(const nn::Qwen2Config& config, std::size_t max_context) {
  return std::min(max_context, config.max_positions);
}

}  // namespace

// Borrows a session for as long as it lives. Who holds a turn finds one.
class LocalTextGenerator::SessionLease {
 public:
  explicit SessionLease(LocalTextGenerator& owner) : owner_(owner) {
    const std::lock_guard lock(owner_.mutex_);
    session_ = std::move(owner_.idle_sessions_.back());
    owner_.idle_sessions_.pop_back();
  }
  SessionLease(const SessionLease&) = delete;
  SessionLease& operator=(const SessionLease&) = delete;
  ~SessionLease() {
    session_->reset();
    const std::lock_guard lock(owner_.mutex_);
    owner_.idle_sessions_.push_back(std::move(session_));
  }
  [[nodiscard]] nn::Qwen2Session& operator*() const { return *session_; }

 private:
  LocalTextGenerator& owner_;
  std::unique_ptr<nn::Qwen2Session> session_;
};

class LocalTextGenerator::Run {
 public:
  Run(LocalTextGenerator& owner, const ports::GenerationRequest& request,
      const std::function<bool(std::string_view)>& on_piece)
      : owner_(owner),
        lease_(owner),
        sampler_({.temperature = request.temperature, .top_p = request.top_p, .seed = request.seed}),
        on_piece_(on_piece) {}

  [[nodiscard]] core::Status begin(std::span<const std::int32_t> prompt, std::size_t max_tokens) {
    text_.prompt_tokens = prompt.size();
    max_tokens_ = std::min(max_tokens, (*lease_).max_context() - prompt.size());
    return (*lease_).begin(prompt);
  }

  // One step of the model and, when it gave logits, a token. False: the text has ended. Errors: kCancelled by on_piece.
  [[nodiscard]] core::Result<bool> advance() {
    if (!owner_.step(*lease_)) return true;
    const std::int32_t token = sampler_.choose((*lease_).logits());
    if (owner_.tokenizer_.is_end(token)) return end(ports::StopCause::kEnd);
    ++text_.tokens;
    bytes_.clear();
    owner_.tokenizer_.append_bytes(token, bytes_);
    CORE_CHECK(give(pieces_.push(bytes_)));
    if (text_.tokens == max_tokens_) return end(ports::StopCause::kMaxTokens);
    CORE_CHECK((*lease_).begin({&token, 1}));
    return true;
  }

  // False, or kCancelled by on_piece.
  [[nodiscard]] core::Result<bool> end(ports::StopCause cause) {
    text_.stopped = cause;
    CORE_CHECK(give(pieces_.finish()));
    return false;
  }

  [[nodiscard]] ports::GeneratedText& text() { return text_; }

 private:
  [[nodiscard]] core::Status give(std::string_view piece) {
    if (piece.empty()) return {};
    text_.text += piece;
    if (!on_piece_ || on_piece_(piece)) return {};
    return core::fail(ErrorCode::kCancelled, "whoever takes the text has stopped it");
  }

  LocalTextGenerator& owner_;
  SessionLease lease_;
  nn::TokenSampler sampler_;
  text::Utf8Pieces pieces_;
  const std::function<bool(std::string_view)>& on_piece_;
  std::size_t max_tokens_ = 0;
  std::string bytes_;  // of one token
  ports::GeneratedText text_;
};

core::Result<std::size_t> LocalTextGenerator::memory_need_bytes(const Options& options) {
  CORE_TRY(const nn::Qwen2Config config, nn::read_qwen2_config(options.model_dir));
  return nn::Qwen2Model::weight_bytes(config, options.model.precision) +
         options.max_running * nn::Qwen2Session::size_bytes(config, context_of(config, options.max_context));
}

core::Result<std::unique_ptr<LocalTextGenerator>> LocalTextGenerator::load(const Options& options, core::WorkerPool& pool,
                                                                           const core::Clock& clock) {
  if (options.max_running == 0 || options.max_context == 0) {
    return core::fail(ErrorCode::kInvalidArgument, "a text generator needs room for at least one text of one token");
  }
  CORE_TRY(text::Qwen2Tokenizer tokenizer, text::Qwen2Tokenizer::load(options.model_dir));
  CORE_TRY(auto model, nn::Qwen2Model::load(options.model_dir, options.model));
  if (tokenizer.size() > model->config().vocabulary) {
    return core::fail(ErrorCode::kFailedPrecondition,
                      fmt::format("{}: the tokenizer has {} tokens, the model's vocabulary {}; they are not of one model",
                                  options.model_dir.string(), tokenizer.size(), model->config().vocabulary));
  }
  std::unique_ptr<LocalTextGenerator> generator(
      new LocalTextGenerator(std::move(model), std::move(tokenizer), options, pool, clock));
  CORE_CHECK(generator->add_sessions(options.max_running));
  return generator;
}

LocalTextGenerator::LocalTextGenerator(std::unique_ptr<const nn::Qwen2Model> model, text::Qwen2Tokenizer tokenizer,
                                       const Options& options, core::WorkerPool& pool, const core::Clock& clock)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      pool_(pool),
      clock_(clock),
      turns_({.turns = options.max_running, .max_waiting = options.max_waiting}, pool, clock) {
  info_.model = options.model_name;
  info_.weights_hash = model_->weights_hash();
  info_.precision = nn::to_string(model_->precision());
  info_.max_context = context_of(model_->config(), options.max_context);
}

core::Status LocalTextGenerator::add_sessions(std::size_t count) {
  for (std::size_t index = 0; index < count; ++index) {
    CORE_TRY(auto session, nn::Qwen2Session::create(*model_, info_.max_context));
    idle_sessions_.push_back(std::move(session));
  }
  return {};
}

core::Result<std::vector<std::int32_t>> LocalTextGenerator::read_prompt(const ports::GenerationRequest& request) const {
  std::vector<text::Qwen2Tokenizer::Message> messages;
  for (const ports::ChatMessage& message : request.messages) messages.push_back({role_name(message.role), message.text});
  CORE_TRY(std::vector<std::int32_t> prompt, tokenizer_.chat(messages));
  if (prompt.size() < info_.max_context) return prompt;
  return core::fail(ErrorCode::kInvalidArgument,
                    fmt::format("the prompt has {} tokens, the context of {} leaves no room for an answer", prompt.size(),
                                info_.max_context));
}

// A step's weights take longer to arrive from memory than to multiply, and two cores draw more than one.
bool LocalTextGenerator::step(nn::Qwen2Session& session) {
  const BorrowedTeam team(pool_);
  return session.step(team.get());
}

core::Task<core::Result<ports::GeneratedText>> LocalTextGenerator::generate(
    ports::GenerationRequest request, core::Deadline deadline, std::function<bool(std::string_view piece)> on_piece) {
  const std::stop_token stop = co_await core::current_stop_token();
  CORE_CO_CHECK(ports::check(request));
  core::Result<TurnQueue::Turn> turn = co_await turns_.take(deadline);
  if (!turn) co_return std::unexpected(std::move(turn).error());
  core::Status worker = co_await pool_.schedule(deadline);
  if (!worker) co_return std::unexpected(std::move(worker).error());
  CORE_CO_TRY(const std::vector<std::int32_t> prompt, read_prompt(request));
  Run run(*this, request, on_piece);
  CORE_CO_CHECK(run.begin(prompt, request.max_tokens));
  while (true) {
    if (stop.stop_requested()) co_return core::fail(ErrorCode::kCancelled, "cancelled while a text was generated");
    if (deadline.expired(clock_)) {
      if (run.text().tokens == 0) {
        co_return core::fail(ErrorCode::kDeadlineExceeded, "the deadline passed before the first token");
      }
      CORE_CO_TRY([[maybe_unused]] const bool more, run.end(ports::StopCause::kDeadline));
      break;
    }
    turns_.end_overdue();
    CORE_CO_TRY(const bool more, run.advance());
    if (!more) break;
    if (pool_.queued() == 0) continue;
    // Other work waits: it goes first. Where the queue has no room left, this goes on at once; a deadline is seen above.
    worker = co_await pool_.schedule(deadline);
    if (!worker && worker.error().code == ErrorCode::kCancelled) co_return std::unexpected(std::move(worker).error());
  }
  co_return std::move(run.text());
}

}  // namespace scalestyle::adapters::embedded
