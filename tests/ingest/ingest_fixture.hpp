#pragma once
// A small invented catalogue on disk and runs of the ingest over it, with the hashing encoder.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/embedded/data_folder.hpp"
#include "adapters/embedded/generation_files.hpp"
#include "ingest/ingest.hpp"
#include "support/hashing_image_encoder.hpp"
#include "support/hashing_text_encoder.hpp"
#include "support/running_pool.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::ingest {

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline constexpr std::string_view kArticlesHeader = "article_id,product_code,prod_name,product_type_name,colour_group_name,detail_desc\n";

inline std::string article_line(int number, const std::string& description) {
  return fmt::format("{},{},Shirt {},Shirt,Blue,{}\n", 500000000 + number, 500000 + number / 3, number % 7, description);
}

// `count` articles in descending order of ids, so that the rows are not sorted; every fifth has its neighbour's text.
inline std::string articles_csv(int count, const std::string& suffix = "") {
  std::string text(kArticlesHeader);
  for (int i = count - 1; i >= 0; --i) {
    const int base = i % 5 == 4 ? i - 1 : i;
    text += fmt::format("{},{},Shirt {},Shirt,Blue,A shirt of kind {}{}\n", 500000000 + i, 500000 + i / 3, base % 7, base, suffix);
  }
  return text;
}

class IngestFixture : public ::testing::Test {
 protected:
  IngestFixture() {
    options_.data_dir = folder_ / "data";
    options_.articles = folder_ / "articles.csv";
    options_.batch_texts = 4;
    options_.batches_in_flight = 3;
    options_.checkpoint_interval = std::chrono::milliseconds(0);
  }

  // Runs once with a pool of its own.
  core::Result<IngestSummary> run() {
    support::RunningPool pool(2);
    support::HashingTextEncoder encoder(*pool, 16, precision_);
    encoder.fail_after_texts = fail_after_texts_;
    SilentProgress silent;
    IngestContext context{.encoder = encoder, .clock = pool.clock(), .progress = progress_ != nullptr ? *progress_ : silent};
    context.stop_signal = stop_signal_;
    context.before_step = before_step_;
    context.free_bytes = free_bytes_;
    support::HashingImageEncoder pictures(*pool, 12, vision_precision_);
    pictures.fail_after_images = fail_after_images_;
    if (vision_) context.image_encoder = &pictures;
    context.stores = stores_;
    auto result = run_ingest(options_, context);
    texts_encoded_ = encoder.texts_encoded;
    images_encoded_ = pictures.images_encoded;
    return result;
  }

  [[nodiscard]] adapters::embedded::DataFolder data() const { return adapters::embedded::DataFolder(options_.data_dir); }
  [[nodiscard]] std::filesystem::path current_folder() const { return data().generation(*data().read_current()); }
  [[nodiscard]] std::size_t work_folders() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(data().generations())) {
      if (entry.path().filename().string().starts_with(".")) ++count;
    }
    return count;
  }

  support::TemporaryFolder folder_;
  IngestOptions options_;
  std::string precision_ = "f32";
  std::int64_t fail_after_texts_ = -1;
  std::int64_t texts_encoded_ = 0;
  bool vision_ = false;
  std::string vision_precision_ = "f32";
  std::int64_t fail_after_images_ = -1;
  std::int64_t images_encoded_ = 0;
  IngestStores stores_{};
  ProgressReporter* progress_ = nullptr;
  std::function<int()> stop_signal_ = [] { return 0; };
  std::function<void(std::string_view)> before_step_ = [](std::string_view) {};
  std::function<core::Result<std::uint64_t>(const std::filesystem::path&)> free_bytes_;
};

}  // namespace scalestyle::ingest
