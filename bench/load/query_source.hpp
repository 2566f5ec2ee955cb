#pragma once
// Where the load's query texts come from: a file's lines, or made-up ones that never repeat; or a few of them, some of which are
// asked far more often than others.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "zipf_draw.hpp"

namespace scalestyle::load {

// Texts of the file in order, each once unless `repeat`; then nothing.
// Generated: text i is a choice of one word from each of several lists; different i below capacity() give different
// texts, and so do different seeds below 1,000 as long as no run takes more than a thousandth of capacity().
class QuerySource {
 public:
  // One query a line (blank lines are skipped); lines that begin with '{' are JSON objects with a text "query".
  [[nodiscard]] static core::Result<QuerySource> from_file(const std::string& path, bool repeat);
  // Four different words a query from the file's words (separated by blanks). At least 20 distinct words.
  [[nodiscard]] static core::Result<QuerySource> from_words(const std::string& path, std::uint64_t seed);
  // Built-in fashion words, five a query.
  [[nodiscard]] static QuerySource built_in(std::uint64_t seed);

  // The first `distinct` texts of `source` (or all, where it has fewer), drawn by Zipf's law for ever.
  [[nodiscard]] static core::Result<QuerySource> drawn(QuerySource source, std::size_t distinct, double exponent,
                                                       std::uint64_t seed);

  [[nodiscard]] std::optional<std::string> next();
  [[nodiscard]] bool is_unique() const { return !repeat_; }
  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }

 private:
  QuerySource() = default;
  void start(std::uint64_t seed);

  std::vector<std::string> texts_;               // from a file
  std::vector<std::vector<std::string>> lists_;  // else
  bool repeat_ = false;
  std::uint64_t capacity_ = 0;
  std::uint64_t position_ = 0;
  std::uint64_t step_ = 1;  // has no factor in common with capacity_
  std::uint64_t taken_ = 0;
  std::optional<ZipfDraw> draw_;  // which of texts_
};

// RFC 3986: everything but unreserved characters is escaped.
[[nodiscard]] std::string percent_encoded(const std::string& text);

}  // namespace scalestyle::load
