#pragma once
// What the benchmark programs share.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string_view>
#include <utility>

#include "catalog/catalog.hpp"
#include "catalog/table_reader.hpp"
#include "core/result.hpp"

namespace scalestyle::bench {

// The articles of a table that can be used.
[[nodiscard]] inline core::Result<catalog::Catalog> read_catalogue(const std::filesystem::path& path) {
  catalog::CatalogBuilder builder;
  CORE_CHECK(catalog::read_articles(path, {}, [&builder](const catalog::ArticleChunk& chunk) -> core::Status {
    for (const catalog::ArticleRow& row : chunk.accepted) {
      CORE_CHECK(builder.add(row.article));
    }
    return {};
  }));
  return std::move(builder).build();
}

// What main() returns: run(*options), or what is wrong with the options, told on standard error.
template <class Options, class Run>
[[nodiscard]] int run_program(std::string_view name, const core::Result<Options>& options, Run run) {
  const core::Status status = options ? run(*options) : core::Status(std::unexpected(options.error()));
  if (status) return 0;
  fmt::print(stderr, "{}: {}\n", name, status.error().message);
  return 1;
}

}  // namespace scalestyle::bench
