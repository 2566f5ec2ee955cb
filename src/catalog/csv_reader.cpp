#include "catalog/csv_reader.hpp"

#include <fmt/format.h>

namespace scalestyle::catalog {

CsvReader::CsvReader(std::string_view text) : text_(text) {
  if (text_.starts_with("\xEF\xBB\xBF")) position_ = 3;
}

bool CsvReader::next(CsvRecord& record) {
  while (position_ < text_.size() && at_line_end()) skip_line_end();
  record.error.clear();
  record.line = line_;
  if (position_ >= text_.size()) return false;
  const std::size_t start = position_;
  for (std::size_t count = 0;; ++count) {
    if (record.fields.size() <= count) record.fields.emplace_back();
    std::string& field = record.fields[count];
    field.clear();
    if (position_ < text_.size() && text_[position_] == '"') {
      if (!read_quoted(field, record.error)) {
        resume_after_line(start, record.line);
        return true;
      }
    } else {
      read_plain(field);
    }
    if (position_ < text_.size() && text_[position_] == ',') {
      ++position_;
      continue;
    }
    record.fields.resize(count + 1);
    if (position_ < text_.size()) skip_line_end();
    return true;
  }
}

// At an opening quote. Ends behind the closing quote, on a comma, a line end or the end of the text.
bool CsvReader::read_quoted(std::string& field, std::string& error) {
  const std::uint64_t opening_line = line_;
  ++position_;
  for (;;) {
    const std::size_t quote = text_.find('"', position_);
    if (quote == std::string_view::npos || field.size() + (quote - position_) > kMaxQuotedBytes) {
      error = fmt::format("the quote opened on line {} is not closed", opening_line);
      return false;
    }
    const std::string_view part = text_.substr(position_, quote - position_);
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (part[i] == '\n' || (part[i] == '\r' && (i + 1 >= part.size() || part[i + 1] != '\n'))) ++line_;
    }
    field += part;
    position_ = quote + 1;
    if (position_ >= text_.size()) return true;
    if (text_[position_] == '"') {
      field += '"';
      ++position_;
      continue;
    }
    if (text_[position_] == ',' || at_line_end()) return true;
    error = fmt::format("text follows a closing quote on line {}", line_);
    return false;
  }
}

void CsvReader::read_plain(std::string& field) {
  std::size_t end = position_;
  while (end < text_.size() && text_[end] != ',' && text_[end] != '\n' && text_[end] != '\r') ++end;
  field = text_.substr(position_, end - position_);
  position_ = end;
}

void CsvReader::skip_line_end() {
  if (text_[position_] == '\r' && position_ + 1 < text_.size() && text_[position_ + 1] == '\n') ++position_;
  ++position_;
  ++line_;
}

void CsvReader::resume_after_line(std::size_t record_start, std::uint64_t record_line) {
  position_ = text_.find_first_of("\n\r", record_start);
  line_ = record_line;
  if (position_ == std::string_view::npos) {
    position_ = text_.size();
  } else {
    skip_line_end();
  }
}

}  // namespace scalestyle::catalog
