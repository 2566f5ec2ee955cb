#include "ingest/rejects.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "core/files.hpp"

namespace scalestyle::ingest {

namespace {

constexpr std::size_t kMaxCauses = 40;

std::string csv_field(std::string_view value) {
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(value);
  std::string quoted = "\"";
  for (const char byte : value) {
    if (byte == '"') quoted += '"';
    quoted += byte;
  }
  return quoted + '"';
}

// 0 stands for "not known".
std::string number_or_blank(std::uint64_t value) { return value == 0 ? std::string() : std::to_string(value); }

}  // namespace

RejectsFile::~RejectsFile() {
  if (listed_ == 0) return;
  out_.close();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

core::Status RejectsFile::add(std::string_view file, const catalog::RejectedRow& row) {
  if (!out_.is_open()) {
    errno = 0;
    out_.open(temporary_, std::ios::binary | std::ios::trunc);
    if (!out_) return std::unexpected(core::system_error("create", temporary_, errno));
    out_ << "file,row,line,column,cause,value\n";
  }
  errno = 0;
  out_ << fmt::format("{},{},{},{},{},{}\n", file, number_or_blank(row.row_number), number_or_blank(row.line),
                      csv_field(row.column), csv_field(row.cause), csv_field(row.excerpt));
  if (!out_) return std::unexpected(core::system_error("write", temporary_, errno));
  ++listed_;
  count(fmt::format("{}: {}{}{}", file, row.column, row.column.empty() ? "" : ": ", row.cause), 1);
  return {};
}

void RejectsFile::count_unlisted(std::string_view file, std::uint64_t rows) {
  if (rows > 0) count(fmt::format("{}: rows beyond the listed ones", file), rows);
}

void RejectsFile::count(std::string cause, std::uint64_t rows) {
  if (by_cause_.size() >= kMaxCauses && !by_cause_.contains(cause)) cause = "other causes";
  by_cause_[std::move(cause)] += rows;
}

core::Status RejectsFile::publish(const std::filesystem::path& path) {
  if (listed_ == 0) return {};
  errno = 0;
  out_.flush();
  if (!out_) return std::unexpected(core::system_error("write", temporary_, errno));
  CORE_TRY(const auto file, core::MappedFile::open(temporary_));
  return core::write_file_atomically(path, file.text());
}

}  // namespace scalestyle::ingest
