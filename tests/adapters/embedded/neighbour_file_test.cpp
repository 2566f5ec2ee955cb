// neighbours.bin: what is written is read, damage is named, and a generation without it is read as ever.

#include "adapters/embedded/neighbour_file.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "adapters/embedded/generation_files.hpp"
#include "adapters/embedded/local_catalog_store.hpp"
#include "core/hash.hpp"
#include "generation_support.hpp"
#include "support/running_pool.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::embedded {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kArticles = 12;

ranking::ItemNeighbours some_neighbours() {
  std::vector<std::uint32_t> begins{0};
  std::vector<ranking::Neighbour> all;
  for (std::uint32_t row = 0; row < kArticles; ++row) {
    if (row % 3 != 2) {
      all.push_back({(row + 1) % kArticles, 0.5F});
      all.push_back({(row + 5) % kArticles, 0.25F});
    }
    begins.push_back(static_cast<std::uint32_t>(all.size()));
  }
  return ranking::ItemNeighbours::make(std::move(begins), std::move(all)).value();
}

void expect_equal(const ranking::ItemNeighbours& a, const ranking::ItemNeighbours& b) {
  EXPECT_TRUE(std::ranges::equal(a.begins(), b.begins()));
  EXPECT_TRUE(std::ranges::equal(a.all(), b.all()));
}

// The bytes with both checksums made right again.
std::string with_checksums(std::string bytes) {
  const auto crc = [](const char* data, std::size_t size) {
    return static_cast<std::uint32_t>(crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(data), size));
  };
  const std::uint32_t payload = crc(bytes.data() + 40, bytes.size() - 40);
  std::memcpy(bytes.data() + 12, &payload, sizeof payload);
  std::memset(bytes.data() + 32, 0, sizeof(std::uint32_t));
  const std::uint32_t header = crc(bytes.data(), 40);
  std::memcpy(bytes.data() + 32, &header, sizeof header);
  return bytes;
}

class NeighbourFileTest : public ::testing::Test {
 protected:
  NeighbourFileTest() {
    const auto catalog = catalog_of(articles());
    const auto vectors = support::random_vectors(kArticles, 8, 1);
    manifest_ = write_generation_of(data_.path(), support::sample_info("g1"), catalog, vectors, nullptr, &neighbours_);
    write_generation_of(data_.path(), support::sample_info("without"), catalog, vectors);
  }

  static std::vector<catalog::Article> articles() {
    std::vector<catalog::Article> all;
    for (std::uint32_t i = 0; i < kArticles; ++i) all.push_back(support::sample_article(std::to_string(100 + i)));
    return all;
  }
  core::Result<std::shared_ptr<const ports::CatalogSnapshot>> load(const std::string& id) {
    support::RunningPool pool(1);
    LocalCatalogStore store({.data_dir = data_.path()}, *pool);
    return core::sync_wait(store.load(core::GenerationId(id), core::Deadline::never()));
  }
  [[nodiscard]] std::filesystem::path folder() const { return data_ / "generations" / "g1"; }

  support::TemporaryFolder data_;
  ranking::ItemNeighbours neighbours_ = some_neighbours();
  GenerationManifest manifest_;
};

TEST_F(NeighbourFileTest, TheCatalogStoreGivesThem) {
  const auto with = load("g1");
  ASSERT_TRUE(with) << with.error().message;
  ASSERT_NE((*with)->neighbours, nullptr);
  expect_equal(*(*with)->neighbours, neighbours_);
  const auto without = load("without");
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_EQ((*without)->neighbours, nullptr);
}

TEST_F(NeighbourFileTest, TheManifestKeepsWhatMadeThem) {
  const auto read = read_manifest(folder());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->to_json(), manifest_.to_json());
  ASSERT_TRUE(read->neighbours);
  EXPECT_EQ(read->neighbours->purchases, 77U);
  EXPECT_EQ(read->neighbours->first_day, "2020-09-16");
  EXPECT_EQ(read->neighbours->last_day, "2020-09-20");
  EXPECT_EQ(read->neighbours->options.per_item, 9U);
  EXPECT_EQ(read->neighbours->options.shrinkage, 2.5);
  EXPECT_EQ(read->neighbours->neighbours, neighbours_.all().size());
  EXPECT_EQ(read->files.size(), 4U);
  const auto without = read_manifest(data_ / "generations" / "without");
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_FALSE(without->neighbours);
  EXPECT_EQ(without->files.size(), 3U);
}

TEST_F(NeighbourFileTest, AManifestWithAnImpossibleFieldNamesIt) {
  const auto fault_of = [this](const NeighbourFacts& facts) {
    GenerationManifest wrong = manifest_;
    wrong.neighbours = facts;
    const auto parsed = GenerationManifest::parse(wrong.to_json(), "m");
    EXPECT_FALSE(parsed);
    return parsed ? std::string() : parsed.error().message;
  };
  NeighbourFacts facts = *manifest_.neighbours;
  facts.first_day = "2020-09-31";
  EXPECT_THAT(fault_of(facts), HasSubstr("neighbours.first_day"));
  facts = *manifest_.neighbours;
  facts.last_day = "2020-09-01";
  EXPECT_THAT(fault_of(facts), HasSubstr("neighbours.last_day"));
  facts = *manifest_.neighbours;
  facts.options.half_life_days = 0;
  EXPECT_THAT(fault_of(facts), HasSubstr("neighbours.half_life_days"));
  GenerationManifest unlisted = manifest_;
  std::erase_if(unlisted.files, [](const FileRecord& file) { return file.name == kNeighboursFile; });
  write_bytes(folder() / kManifestFile, unlisted.to_json());
  EXPECT_THAT(load("g1").error().message, HasSubstr("does not list neighbours.bin"));
}

TEST_F(NeighbourFileTest, ADamagedFileIsNamed) {
  const auto path = folder() / kNeighboursFile;
  const std::string good = read_bytes(path);
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  for (const std::optional<std::string>& bytes :
       {std::optional(flipped), std::optional(good.substr(0, good.size() - 1)), std::optional(good + "x"), std::optional<std::string>()}) {
    if (bytes) write_bytes(path, *bytes);
    else std::filesystem::remove(path);
    const auto loaded = load("g1");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, core::ErrorCode::kDataLoss);
    EXPECT_THAT(loaded.error().message, HasSubstr(path.string()));
  }
  write_bytes(path, good);
  EXPECT_TRUE(load("g1"));
}

TEST_F(NeighbourFileTest, EveryDamagedByteIsFound) {
  const auto path = data_ / "neighbours.bin";
  ASSERT_TRUE(write_neighbours(path, neighbours_));
  const std::string good = read_bytes(path);
  EXPECT_EQ(good.size(), 40U + 4U * (kArticles + 1) + 8U * neighbours_.all().size());
  expect_equal(read_neighbours(path, kArticles).value(), neighbours_);
  EXPECT_FALSE(read_neighbours(path, kArticles - 1));
  EXPECT_FALSE(read_neighbours(path, kArticles + 1));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 16);
    write_bytes(path, bad);
    EXPECT_FALSE(read_neighbours(path, kArticles)) << at;
  }
  for (std::size_t size = 0; size < good.size(); size += 3) {
    write_bytes(path, good.substr(0, size));
    EXPECT_FALSE(read_neighbours(path, kArticles)) << size;
  }
}

TEST_F(NeighbourFileTest, RightChecksumsDoNotMakeWrongContentRight) {
  const auto path = data_ / "neighbours.bin";
  ASSERT_TRUE(write_neighbours(path, neighbours_));
  const std::string good = with_checksums(read_bytes(path));
  EXPECT_EQ(good, read_bytes(path));
  const auto message_with = [&](std::size_t at, std::uint32_t value) {
    std::string bad = good;
    std::memcpy(bad.data() + at, &value, sizeof value);
    write_bytes(path, with_checksums(bad));
    const auto read = read_neighbours(path, kArticles);
    EXPECT_FALSE(read);
    return read ? std::string() : read.error().message;
  };
  constexpr std::size_t kFirst = 40 + 4 * (kArticles + 1);
  EXPECT_THAT(message_with(8, 2), HasSubstr("format version 2"));
  EXPECT_THAT(message_with(16, kArticles + 1), HasSubstr("the catalogue has 12"));
  EXPECT_THAT(message_with(24, 0xffffffff), HasSubstr("bytes after the header"));
  EXPECT_THAT(message_with(28, 0x80000000), HasSubstr("bytes after the header"));
  EXPECT_THAT(message_with(40, 1), HasSubstr("do not begin at 0"));
  EXPECT_THAT(message_with(44, 1'000), HasSubstr("end before they begin"));
  EXPECT_THAT(message_with(kFirst, kArticles), HasSubstr("no item"));
  EXPECT_THAT(message_with(kFirst + 4, 0x7fc00000), HasSubstr("score"));  // not a number
  EXPECT_THAT(message_with(kFirst + 4, 0), HasSubstr("score"));
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
