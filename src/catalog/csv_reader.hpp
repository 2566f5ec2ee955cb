#pragma once
// RFC 4180 CSV, one record at a time, made so that a malformed record costs one physical line: parsing goes on at the
// line after the one where that record began. A stray quote therefore never swallows the rows below it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scalestyle::catalog {

struct CsvRecord {
  std::uint64_t line = 0;           // physical line where the record starts, from 1
  std::vector<std::string> fields;  // unquoted
  std::string error;                // empty when well-formed; then fields are unspecified
};

// Reads `text`, which must outlive the reader; a UTF-8 BOM is skipped. Lines end with LF, CRLF or CR; empty lines are
// no records. A quote inside an unquoted field is an ordinary character. Not thread-safe.
class CsvReader {
 public:
  // A quoted field longer than this counts as one that was never closed.
  static constexpr std::size_t kMaxQuotedBytes = std::size_t{1} << 20;

  explicit CsvReader(std::string_view text);

  // False at the end.
  bool next(CsvRecord& record);

  [[nodiscard]] std::size_t position() const { return position_; }  // bytes consumed

 private:
  bool read_quoted(std::string& field, std::string& error);
  void read_plain(std::string& field);
  bool at_line_end() const { return text_[position_] == '\n' || text_[position_] == '\r'; }
  void skip_line_end();
  void resume_after_line(std::size_t record_start, std::uint64_t record_line);

  std::string_view text_;
  std::size_t position_ = 0;
  std::uint64_t line_ = 1;
};

}  // namespace scalestyle::catalog
