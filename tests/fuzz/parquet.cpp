// A Parquet file of articles, and one of vectors, damaged: an error that names the file, or rows within bounds.
// The first byte of an input says which file, the rest what is damaged of it (damage.hpp).

#include <array>

#include "catalog/duckdb_session.hpp"
#include "catalog/table_reader.hpp"
#include "core/files.hpp"
#include "fuzz/damage.hpp"
#include "fuzz/scratch_folder.hpp"
#include "fuzz/target.hpp"

namespace scalestyle::fuzz {
namespace {

using core::ErrorCode;

constexpr std::size_t kMostBytes = 1U << 20U;
constexpr std::array<const char*, 2> kTables{
    "SELECT range + 108775015 AS article_id, 'Strap top ' || range AS prod_name, "
    "CASE WHEN range % 5 = 0 THEN NULL ELSE range / 7 END AS price, "
    "CASE WHEN range % 2 = 0 THEN 'White' ELSE 'Dark Blue' END AS colour_group_name FROM range(200)",
    "SELECT range + 108775015 AS article_id, CAST([range, 0.5, -range] AS FLOAT[]) AS embedding FROM range(200)"};

const ScratchFolder& folder() {
  static const ScratchFolder made;
  return made;
}

std::string table(const char* select) {
  const auto path = folder() / "whole.parquet";
  {
    auto session = catalog::DuckSession::open({}, 1);
    require(session.has_value());
    auto query = session->query("COPY (" + std::string(select) + ") TO " + catalog::sql_literal(path.string()) +
                                " (FORMAT parquet)");
    while (query && query->next_chunk().value_or(false)) continue;
    require(query.has_value());
  }
  auto bytes = core::read_text_file(path, kMostBytes);
  require(bytes.has_value());
  return std::move(*bytes);
}

const std::array<std::string, 2>& tables() {
  static const std::array<std::string, 2> made{table(kTables[0]), table(kTables[1])};
  return made;
}

catalog::ReaderOptions options() { return {.memory_limit_bytes = 128U << 20U, .threads = 1, .chunk_rows = 64}; }

void expect_named(const core::Error& error) {
  require(error.code == ErrorCode::kDataLoss || error.code == ErrorCode::kInvalidArgument ||
          error.code == ErrorCode::kResourceExhausted);
  require(error.message.find("table.parquet") != std::string::npos);
}

void check_articles(const std::filesystem::path& path) {
  std::uint64_t rows = 0;
  const auto summary = catalog::read_articles(path, options(), [&rows](const catalog::ArticleChunk& chunk) -> core::Status {
    require(chunk.accepted.size() + chunk.rejected.size() <= 64);
    require(chunk.fraction_read >= 0 && chunk.fraction_read <= 1);
    rows += chunk.accepted.size() + chunk.rejected.size();
    require(chunk.rows_read == rows);
    for (const auto& row : chunk.accepted) {
      require(!row.article.id.text().empty() && row.article.name.size() <= catalog::kMaxFieldBytes);
    }
    return {};
  });
  if (!summary) return expect_named(summary.error());
  require(summary->rows_read == rows && summary->accepted + summary->rejected == rows);
}

void check_vectors(const std::filesystem::path& path) {
  std::uint64_t rows = 0;
  const auto summary = catalog::read_embeddings(path, 3, options(), [&rows](const catalog::EmbeddingChunk& chunk) -> core::Status {
    require(chunk.dimension == 3 && chunk.values.size() == chunk.ids.size() * 3);
    rows += chunk.ids.size() + chunk.rejected.size();
    return {};
  });
  if (!summary) return expect_named(summary.error());
  require(summary->accepted + summary->rejected == rows);
}

void check(std::size_t which, std::string_view patches) {
  const auto path = folder().write("table.parquet", damaged(tables()[which], patches));
  if (which == 0) {
    check_articles(path);
  } else {
    check_vectors(path);
  }
}

}  // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> all;
  for (std::size_t which = 0; which < kTables.size(); ++which) {
    const std::string first(1, static_cast<char>(which));
    const std::size_t size = tables()[which].size();
    all.insert(all.end(), {first, first + cut(size - 20), first + patch(4, std::string(40, '\xA5')), first + patch(size - 8, "\x01"),
                           first + patch(size / 2, std::string(60, '\0')), first + patch(size - 200, "\xFF\x7F")});
  }
  return all;
}

std::vector<std::string> words() {
  const std::size_t size = tables()[0].size();
  return {patch(4, "\x15"), patch(size - 8, "\xFF\xFF\xFF\x7F"), patch(size - 300, "\x80\x80\x80\x80\x10"), cut(size - 9), "PAR1"};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scalestyle::fuzz;  // NOLINT: one function
  if (size > 0) check(data[0] % kTables.size(), text_of(data + 1, size - 1));
  return 0;
}
