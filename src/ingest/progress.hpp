#pragma once
// How an ingest tells a person how far it is. On a terminal one line that is redrawn, elsewhere plain lines every few
// seconds. Called by one thread.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace scalestyle::ingest {

struct EmbeddingProgress {
  std::string_view noun = "text";  // or "photo": what is embedded
  std::uint64_t total = 0;
  std::uint64_t done = 0;         // resumed ones included
  std::uint64_t resumed = 0;      // done by an earlier run: not part of the rate
  std::uint64_t tokens_done = 0;  // by this run; 0: no tokens are counted
};

class ProgressReporter {
 public:
  virtual ~ProgressReporter() = default;
  virtual void note(std::string_view line) = 0;                             // one sentence, always shown
  virtual void reading(std::string_view what, std::uint64_t rows, double fraction) = 0;
  virtual void embedding(const EmbeddingProgress& progress) = 0;
  virtual void finish() = 0;                                                // ends a redrawn line
};

class SilentProgress final : public ProgressReporter {
 public:
  void note(std::string_view) override {}
  void reading(std::string_view, std::uint64_t, double) override {}
  void embedding(const EmbeddingProgress&) override {}
  void finish() override {}
};

// Writes through `write` (normally to standard error).
class TextProgress final : public ProgressReporter {
 public:
  struct Options {
    bool terminal = false;
    std::chrono::milliseconds terminal_interval{100};
    std::chrono::milliseconds line_interval{5000};
  };
  TextProgress(Options options, const core::Clock& clock, std::function<void(std::string_view)> write);

  void note(std::string_view line) override;
  void reading(std::string_view what, std::uint64_t rows, double fraction) override;
  void embedding(const EmbeddingProgress& progress) override;
  void finish() override;

 private:
  void show(const std::string& line, bool last);
  [[nodiscard]] bool due(bool last);

  Options options_;
  const core::Clock& clock_;
  std::function<void(std::string_view)> write_;
  std::string embedded_noun_;  // of embedding_start_; empty: nothing is embedded yet
  core::SteadyTime embedding_start_{};
  core::SteadyTime last_shown_{};
  bool shown_ = false;
  bool line_open_ = false;
};

// "1 h 02 min", "6 min 05 s", "12 s"
[[nodiscard]] std::string format_duration(double seconds);

}  // namespace scalestyle::ingest
