#include "ingest/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace scalestyle::ingest {

namespace {

constexpr std::size_t kBarWidth = 24;
constexpr double kFewASecond = 10;

std::string bar(double fraction) {
  const auto filled = static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(kBarWidth));
  return fmt::format("[{:#<{}}{:.<{}}]", "", filled, "", kBarWidth - filled);
}

}  // namespace

std::string format_duration(double seconds) {
  const auto total = static_cast<std::uint64_t>(std::llround(std::max(0.0, seconds)));
  if (total >= 3600) return fmt::format("{} h {:02} min", total / 3600, total % 3600 / 60);
  if (total >= 60) return fmt::format("{} min {:02} s", total / 60, total % 60);
  return fmt::format("{} s", total);
}

TextProgress::TextProgress(Options options, const core::Clock& clock, std::function<void(std::string_view)> write)
    : options_(options), clock_(clock), write_(std::move(write)) {}

void TextProgress::note(std::string_view line) {
  finish();
  write_(fmt::format("{}\n", line));
}

void TextProgress::reading(std::string_view what, std::uint64_t rows, double fraction) {
  if (!due(fraction >= 1)) return;
  show(fraction > 0 ? fmt::format("reading {}: {} rows, {:.0f} %", what, rows, fraction * 100)
                    : fmt::format("reading {}: {} rows", what, rows),
       fraction >= 1);
}

void TextProgress::embedding(const EmbeddingProgress& progress) {
  if (embedded_noun_ != progress.noun) {
    embedded_noun_ = progress.noun;
    embedding_start_ = clock_.steady_now();
  }
  const bool last = progress.done == progress.total;
  if (!due(last)) return;
  const double seconds = std::chrono::duration<double>(clock_.steady_now() - embedding_start_).count();
  const auto done_now = static_cast<double>(progress.done - progress.resumed);
  const double fraction =
      progress.total == 0 ? 1 : static_cast<double>(progress.done) / static_cast<double>(progress.total);
  std::string line = fmt::format("embedding {}{}/{} {}s, {:.0f} %", options_.terminal ? fmt::format("{} ", bar(fraction)) : "",
                                 progress.done, progress.total, progress.noun, std::floor(fraction * 100));
  if (seconds > 0 && done_now > 0) {
    const double rate = done_now / seconds;
    line += fmt::format(", {:.{}f} {}s/s", rate, rate < kFewASecond ? 1 : 0, progress.noun);
    if (progress.tokens_done > 0) line += fmt::format(", {:.0f} tokens/s", static_cast<double>(progress.tokens_done) / seconds);
    if (!last) line += fmt::format(", {} left", format_duration(static_cast<double>(progress.total - progress.done) / rate));
  }
  show(line, last);
}

void TextProgress::finish() {
  if (line_open_) write_("\n");
  line_open_ = false;
}

bool TextProgress::due(bool last) {
  const auto now = clock_.steady_now();
  const auto interval = options_.terminal ? options_.terminal_interval : options_.line_interval;
  if (shown_ && !last && now - last_shown_ < interval) return false;
  shown_ = true;
  last_shown_ = now;
  return true;
}

void TextProgress::show(const std::string& line, bool last) {
  if (!options_.terminal) {
    write_(fmt::format("{}\n", line));
    return;
  }
  write_(fmt::format("\r{}\x1b[K", line));
  line_open_ = true;
  if (last) finish();
}

}  // namespace scalestyle::ingest
