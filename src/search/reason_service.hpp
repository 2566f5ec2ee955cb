#pragma once
// ReasonService: reasons that a language model words, kept for the next who ask for the same.
//
// The model is given facts and told to use nothing else (reason_prompt.hpp); what it says is looked at while it says it and
// refused where we cannot stand for it (reason_cleaner.hpp). A refusal is no error: the caller has the template's sentence
// (reason_text.hpp). What was written is kept by the SHA-256 of everything that decides it: model, weights, precision, options
// and both messages, which hold query, article and facts.
//
// Thread safety: every method may be called from any thread. Must outlive its tasks; `generator` and `timers` outlive it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "ports/text_generator.hpp"
#include "search/reason_prompt.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxReasonTokens = 256;
inline constexpr std::size_t kMaxInlineReasons = 10;  // items of one list that a model is asked about

struct ReasonOptions {
  std::size_t max_tokens = 48;  // 1 … kMaxReasonTokens
  double temperature = 0;       // 0 … 2
  double top_p = 1;             // (0, 1]
  std::uint64_t seed = 0;
  std::chrono::milliseconds budget{1'500};  // of all reasons of one list; 1 … 60,000
  std::size_t cache_entries = 4'096;        // 0 … 1,000,000; at most about a kilobyte each

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

struct WrittenReason {
  std::string text{};     // empty: refused
  std::string refusal{};  // why
  bool cached = false;
  std::size_t prompt_tokens = 0;  // 0: not told, where the sentence ended before the model did
  std::size_t tokens = 0;
};

class ReasonService {
 public:
  // Given each part of the sentence as it is made, on the generator's thread; false: it is no longer wanted.
  using Listener = std::function<bool(std::string_view part)>;

  // `options` must be valid.
  ReasonService(ports::TextGenerator& generator, core::TimerQueue& timers, telemetry::Metrics& metrics,
                ReasonOptions options);
  ~ReasonService();
  ReasonService(const ReasonService&) = delete;
  ReasonService& operator=(const ReasonService&) = delete;

  [[nodiscard]] const ReasonOptions& options() const { return options_; }
  [[nodiscard]] const ports::GeneratorInfo& info() const { return generator_.info(); }

  // `max_tokens` 1 … kMaxReasonTokens. What the listener was given is the sentence's beginning, until it is refused.
  // Errors: those of TextGenerator::generate; kDeadlineExceeded also where the sentence was not whole by then; kCancelled also
  // where the listener wanted no more.
  [[nodiscard]] core::Task<core::Result<WrittenReason>> write(ReasonPrompt prompt, std::size_t max_tokens,
                                                              core::Deadline deadline, Listener listener = {});

 private:
  struct Hearing;
  struct Counters;
  struct Entry {
    std::string key;
    std::string text;
  };
  using Entries = std::list<Entry>;

  [[nodiscard]] std::string key_of(const ReasonPrompt& prompt, std::size_t max_tokens) const;
  [[nodiscard]] std::optional<std::string> find(const std::string& key);
  void keep(std::string key, std::string text);
  [[nodiscard]] core::Task<core::Result<WrittenReason>> generate(ReasonPrompt prompt, std::size_t max_tokens,
                                                                 core::Deadline deadline, Listener listener);

  ports::TextGenerator& generator_;
  core::TimerQueue& timers_;
  const ReasonOptions options_;
  const std::unique_ptr<const Counters> counters_;
  std::mutex mutex_;
  Entries entries_;  // most recently used first; guarded by mutex_, as below
  std::unordered_map<std::string_view, Entries::iterator> places_;  // keys are those of entries_
};

}  // namespace scalestyle::search
