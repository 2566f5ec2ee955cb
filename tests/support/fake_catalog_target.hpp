#pragma once
// A store that an ingest fills, in memory: notes what it is told, and fails where the test wants it to.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ports/catalog_target.hpp"

namespace scalestyle::support {

class FakeCatalogTarget final : public ports::CatalogTarget {
 public:
  [[nodiscard]] std::string_view name() const override { return "fake"; }
  [[nodiscard]] core::Task<core::Result<std::optional<core::GenerationId>>> current(core::Deadline) override {
    if (fail_at == "current") co_return std::unexpected(failure());
    co_return served;
  }
  [[nodiscard]] core::Task<core::Status> begin(ports::TargetGeneration generation, core::Deadline) override {
    if (fail_at == "begin") co_return std::unexpected(failure());
    if (served == generation.snapshot->info.id) {
      co_return core::fail(core::ErrorCode::kInvalidArgument, "this generation is served");
    }
    begun = std::move(generation);
    texts = photos = {};
    co_return core::Status();
  }
  [[nodiscard]] core::Task<core::Status> write_articles(core::Deadline) override { co_return outcome("write_articles"); }
  [[nodiscard]] core::Task<core::Status> write_vectors(ports::VectorSlice slice, core::Deadline) override {
    if (fail_at == "write_vectors") co_return std::unexpected(failure());
    Vectors& to = slice.kind == ports::VectorsOf::kTexts ? texts : photos;
    to.rows.insert(to.rows.end(), slice.rows.begin(), slice.rows.end());
    to.values.insert(to.values.end(), slice.values.begin(), slice.values.end());
    co_return core::Status();
  }
  [[nodiscard]] core::Task<core::Result<ports::TargetCounts>> finish(core::Deadline) override {
    if (fail_at == "finish") co_return std::unexpected(failure());
    ports::TargetCounts counts;
    counts.articles = begun->snapshot->catalog->size() + articles_too_many;
    counts.text_vectors = texts.rows.size();
    counts.image_vectors = photos.rows.size();
    counts.popular = begun->popular->all_time.size();
    co_return counts;
  }
  // With fail_at "switched" it is made, and its answer lost.
  [[nodiscard]] core::Task<core::Status> switch_to(core::Deadline) override {
    if (fail_at == "switch_to") co_return std::unexpected(failure());
    served = begun->snapshot->info.id;
    co_return outcome("switched");
  }
  [[nodiscard]] core::Task<core::Status> abort(core::Deadline) override {
    ++aborted;
    co_return core::Status();
  }
  [[nodiscard]] core::Task<core::Result<std::size_t>> remove_others(std::set<core::GenerationId> keep, core::Deadline) override {
    if (fail_at == "remove_others") co_return std::unexpected(failure());
    kept = std::move(keep);
    co_return std::size_t{1};
  }

  struct Vectors {
    std::vector<std::uint32_t> rows{};
    std::vector<float> values{};
  };
  std::string fail_at{};
  std::size_t articles_too_many = 0;
  std::optional<core::GenerationId> served{};
  std::optional<ports::TargetGeneration> begun{};
  Vectors texts{};
  Vectors photos{};
  std::set<core::GenerationId> kept{};
  int aborted = 0;

 private:
  [[nodiscard]] core::Error failure() const { return core::fail(core::ErrorCode::kUnavailable, "no " + fail_at).error(); }
  [[nodiscard]] core::Status outcome(const std::string& step) const {
    return fail_at == step ? core::Status(std::unexpected(failure())) : core::Status();
  }
};

}  // namespace scalestyle::support
