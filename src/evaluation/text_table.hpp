#pragma once
// A table for people: columns as wide as their widest cell, the first one aligned left, the others right.

#include <string>
#include <vector>

namespace scalestyle::evaluation {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) { add(std::move(header)); }

  // As many cells as the header has; UTF-8, one column a code point.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  // One line a row, each ended; two blanks between columns.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace scalestyle::evaluation
