#include "catalog/table_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <system_error>

#include "catalog/csv_reader.hpp"
#include "core/files.hpp"
#include "text/unicode.hpp"

namespace scalestyle::catalog {
namespace {

namespace fs = std::filesystem;
using core::ErrorCode;

constexpr std::string_view kParquetMagic = "PAR1";
constexpr std::size_t kHeadBytes = std::size_t{1} << 16;
constexpr std::size_t kMinParquetBytes = 12;  // magic, footer length, magic

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

core::Result<std::string> read_bytes(const fs::path& path, std::uint64_t offset, std::size_t count) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string bytes(count, '\0');
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(bytes.data(), static_cast<std::streamsize>(count));
  if (!file && !file.eof()) return std::unexpected(core::system_error("read", path, errno));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return bytes;
}

core::Result<std::vector<fs::path>> list_shards(const fs::path& folder) {
  std::vector<fs::path> shards;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".parquet" && entry->is_regular_file()) shards.push_back(entry->path());
  }
  if (error) return std::unexpected(core::system_error("list", folder, error.value()));
  if (shards.empty()) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("{} is a folder without *.parquet files; give a file, or a folder of shards", folder.string()));
  }
  std::sort(shards.begin(), shards.end());
  return shards;
}

core::Status check_parquet(const fs::path& path, std::uint64_t size_bytes) {
  if (size_bytes >= kMinParquetBytes) {
    CORE_TRY(const std::string tail, read_bytes(path, size_bytes - kParquetMagic.size(), kParquetMagic.size()));
    if (tail == kParquetMagic) return {};
  }
  return core::fail(ErrorCode::kDataLoss,
                    fmt::format("{} is a Parquet file that was cut short: its footer is missing", path.string()));
}

core::Status describe_parquet(TableFile& table, const fs::path& path, const ReaderOptions& options) {
  CORE_TRY(DuckSession session, DuckSession::open(options, 1));
  const auto in_file = [&](core::Error error) { return fail_in(path, std::move(error)); };
  auto described = session.query("DESCRIBE SELECT * FROM " + parquet_source(table));
  if (!described) return in_file(described.error());
  for (;;) {
    const auto more = described->next_chunk();
    if (!more) return in_file(more.error());
    if (!*more) break;
    for (std::size_t row = 0; row < described->rows(); ++row) {
      table.info.columns.emplace_back(described->text(0, row).value_or(""));
    }
  }
  auto counted = session.query("SELECT CAST(count(*) AS VARCHAR) FROM " + parquet_source(table));
  if (!counted) return in_file(counted.error());
  const auto more = counted->next_chunk();
  if (!more) return in_file(more.error());
  if (*more && counted->rows() == 1) {
    const std::string_view digits = counted->text(0, 0).value_or("0");
    std::uint64_t rows = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), rows);
    table.info.row_count = rows;
  }
  return {};
}

core::Status describe_csv(TableFile& table, const fs::path& path, std::string_view head) {
  const auto unusable = [&](std::string_view why) {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("{} {}", path.string(), why));
  };
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) return unusable("is UTF-16; save it as UTF-8");
  if (head.starts_with("PK\x03\x04") || head.starts_with("\x1F\x8B") || head.starts_with("\x28\xB5\x2F\xFD")) {
    return unusable("is compressed; unpack it first");
  }
  if (head.find('\0') != std::string_view::npos) return unusable("is neither CSV nor Parquet: it has zero bytes");
  CsvReader reader(head);
  CsvRecord header;
  if (!reader.next(header)) return unusable("has no header line");
  if (!header.error.empty()) return unusable(fmt::format("has a malformed header: {}", header.error));
  if (reader.position() >= kHeadBytes) return unusable("is no CSV table: its first line is too long");
  for (const std::string& name : header.fields) {
    if (!text::is_valid_utf8(name)) return unusable("is no CSV table: its first line is not UTF-8 text");
  }
  table.info.columns = std::move(header.fields);
  return {};
}

}  // namespace

core::Result<TableFile> open_table(const fs::path& path, const ReaderOptions& options) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return core::fail(ErrorCode::kNotFound, fmt::format("there is no file {}", path.string()));
  }
  if (status.type() == fs::file_type::none) return std::unexpected(core::system_error("open", path, error.value()));
  TableFile table;
  const bool folder = fs::is_directory(status);
  if (folder) {
    CORE_TRY(table.parts, list_shards(path));
  } else if (fs::is_regular_file(status)) {
    table.parts.push_back(path);
  } else {
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("{} is neither a file nor a folder", path.string()));
  }
  for (const fs::path& part : table.parts) {
    const std::uint64_t size_bytes = fs::file_size(part, error);
    if (error) return std::unexpected(core::system_error("open", part, error.value()));
    if (size_bytes == 0) return core::fail(ErrorCode::kInvalidArgument, fmt::format("{} is empty", part.string()));
    table.info.size_bytes += size_bytes;
    CORE_TRY(const std::string head, read_bytes(part, 0, kHeadBytes));
    if (head.starts_with(kParquetMagic)) {
      table.info.kind = TableInfo::Kind::kParquet;
      CORE_CHECK(check_parquet(part, size_bytes));
    } else if (folder || part.extension() == ".parquet") {
      return core::fail(ErrorCode::kInvalidArgument, fmt::format("{} is no Parquet file", part.string()));
    } else {
      CORE_CHECK(describe_csv(table, part, head));
    }
  }
  if (table.info.kind == TableInfo::Kind::kParquet) CORE_CHECK(describe_parquet(table, path, options));
  return table;
}

core::Result<TableInfo> inspect_table(const fs::path& path, const ReaderOptions& options) {
  CORE_TRY(TableFile table, open_table(path, options));
  return std::move(table.info);
}

std::string parquet_source(const TableFile& table) {
  std::vector<std::string> files;
  for (const fs::path& part : table.parts) files.push_back(sql_path(part));
  return fmt::format("read_parquet([{}], union_by_name = true, hive_partitioning = false)", fmt::join(files, ", "));
}

core::Result<std::optional<std::size_t>> find_column(const TableInfo& info, std::string_view name) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < info.columns.size(); ++i) {
    if (!equal_ignoring_case(info.columns[i], name)) continue;
    if (found) return core::fail(ErrorCode::kInvalidArgument, fmt::format("the column {} occurs twice", name));
    found = i;
  }
  return found;
}

core::Result<std::size_t> require_column(const TableInfo& info, std::string_view name) {
  CORE_TRY(const std::optional<std::size_t> found, find_column(info, name));
  if (found) return *found;
  constexpr std::size_t kShown = 40;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(info.columns.size(), kShown); ++i) shown.push_back(excerpt(info.columns[i]));
  if (info.columns.size() > kShown) shown.push_back(fmt::format("and {} more", info.columns.size() - kShown));
  return core::fail(ErrorCode::kInvalidArgument,
                    fmt::format("the column {} is missing; found: {}", name, fmt::join(shown, ", ")));
}

std::string excerpt(std::string_view value) {
  constexpr std::size_t kMaxBytes = 80;
  std::string shown;
  for (const char c : value) {
    const std::string piece = c >= ' ' && c <= '~' ? std::string(1, c) : fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    if (shown.size() + piece.size() > kMaxBytes - 3) return shown + "...";
    shown += piece;
  }
  return shown;
}

std::unexpected<core::Error> fail_in(const fs::path& path, core::Error error) {
  error.message = path.string() + ": " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace scalestyle::catalog
