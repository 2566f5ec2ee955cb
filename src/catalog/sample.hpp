#pragma once
// An invented catalogue to try the product with: articles, purchases and a drawn picture of each article.
// The same options give the same bytes: its own random generator, integers, and only arithmetic that IEEE 754 fixes.
// (Another version of zlib may compress the same pixels into other bytes.)

#include <cstdint>
#include <filesystem>

#include "core/result.hpp"

namespace scalestyle::catalog {

struct SampleOptions {
  std::uint32_t products = 500;  // 1 … 100,000; each has 1–5 colour variants, and each variant is an article
  std::uint64_t seed = 1;
  bool images = true;
};

struct SampleSummary {
  std::uint64_t products = 0;
  std::uint64_t articles = 0;
  std::uint64_t purchases = 0;
  std::uint64_t images = 0;
};

// Writes articles.csv, transactions.csv and images/<first 3 digits>/<id>.png into out_dir, which is created when
// missing; files of the same names are replaced. kInvalidArgument for a bad option; kUnavailable when writing fails.
[[nodiscard]] core::Result<SampleSummary> write_sample(const std::filesystem::path& out_dir, const SampleOptions& options);

}  // namespace scalestyle::catalog
