#pragma once
// A folder of photos beside the invented catalogue, and the vectors that an ingest makes of it.

#include <map>
#include <string>
#include <vector>

#include "ingest/crash_fixture.hpp"

namespace scalestyle::ingest {

// Puts photos into `folder`: most articles of articles_csv(23) have one; some share their bytes; 5 and 11 are damaged, 17 is no
// picture, 3 is above the limit of the fixture; 7 and 20 have none.
inline void write_photos(const std::filesystem::path& folder, const std::string& suffix = "") {
  std::filesystem::create_directories(folder / "050");
  for (int i = 0; i < 23; ++i) {
    if (i == 7 || i == 20) continue;
    std::string bytes = fmt::format("photo {}{}", i % 4 == 3 ? i - 1 : i, suffix);
    if (i == 5 || i == 11) bytes = "broken" + suffix;
    if (i == 17) bytes = "text";
    if (i == 3) bytes += std::string(200, '.');
    write_text(folder / "050" / fmt::format("0{}.jpg", 500000000 + i), bytes);
  }
}

class PhotoFixture : public CrashFixture {
 protected:
  PhotoFixture() {
    write_photos(folder_ / "photos");
    options_.images = folder_ / "photos";
    options_.batch_photos = 3;
    options_.max_photo_bytes = 100;
    vision_ = true;
  }

  // The vector of each article's photo in the current generation, by id.
  std::map<std::string, std::vector<float>> photo_vectors() {
    using namespace adapters::embedded;
    std::map<std::string, std::vector<float>> vectors;
    const auto manifest = read_manifest(current_folder());
    EXPECT_TRUE(manifest) << manifest.error().message;
    const auto mapped = map_image_vectors(current_folder(), *manifest, FileCheck::kHashes);
    EXPECT_TRUE(mapped) << mapped.error().message;
    const auto ids = read_article_ids(current_folder() / kCatalogFile, manifest->info.articles);
    EXPECT_TRUE(ids) << ids.error().message;
    if (!mapped || !ids) return vectors;
    for (std::size_t i = 0; i < mapped->rows.size(); ++i) {
      const auto vector = mapped->vectors.exact.row(i);
      vectors[(*ids)[mapped->rows[i].row.value].text()] = {vector.begin(), vector.end()};
    }
    return vectors;
  }

  std::vector<float> photo_vector(const std::string& bytes) {
    support::RunningPool pool(1);
    return support::HashingImageEncoder(*pool, 12, vision_precision_).vector_of(bytes);
  }
};

}  // namespace scalestyle::ingest
