// The bytes of a generation: what is written is read, and damage is named.

#include "adapters/embedded/generation_files.hpp"

#include <gmock/gmock.h>

#include "adapters/embedded/catalog_file.hpp"
#include "adapters/embedded/local_catalog_store.hpp"
#include "adapters/embedded/local_vector_index.hpp"
#include "core/hash.hpp"
#include "generation_support.hpp"
#include "support/running_pool.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::adapters::embedded {
namespace {

using ::testing::HasSubstr;

class GenerationFilesTest : public ::testing::Test {
 protected:
  GenerationFilesTest() : manifest_(write_generation_of(data_.path(), support::sample_info("g1"), articles())) {
    EXPECT_TRUE(DataFolder(data_.path()).write_current(core::GenerationId("g1")));
  }

  static std::vector<catalog::Article> articles() {
    std::vector<catalog::Article> all;
    for (int i = 0; i < 50; ++i) all.push_back(support::sample_article(std::to_string(100 + i)));
    return all;
  }

  [[nodiscard]] std::filesystem::path folder() const { return data_ / "generations" / "g1"; }

  core::Status load_catalog() {
    support::RunningPool pool(1);
    LocalCatalogStore store({.data_dir = data_.path()}, *pool);
    auto loaded = core::sync_wait(store.load(core::GenerationId("g1"), core::Deadline::never()));
    if (!loaded) return std::unexpected(loaded.error());
    return {};
  }
  core::Status open_index(FileCheck check) {
    support::RunningPool pool(1);
    LocalVectorIndex index({.data_dir = data_.path(), .check = check}, *pool, pool.clock());
    return core::sync_wait(index.open(core::GenerationId("g1"), core::Deadline::never()));
  }

  support::TemporaryFolder data_;
  GenerationManifest manifest_;
};

TEST_F(GenerationFilesTest, TheManifestIsReadAsItWasWritten) {
  const auto read = read_manifest(folder());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->to_json(), manifest_.to_json());
  EXPECT_EQ(read->info.price_scale, 590.5);
  EXPECT_EQ(read->counts.articles, 50U);
  EXPECT_EQ(read->sources, manifest_.sources);
  ASSERT_EQ(read->files.size(), 3U);
  EXPECT_TRUE(check_files(folder(), *read, FileCheck::kHashes));
}

TEST_F(GenerationFilesTest, TextHashesAndVectorSourcesAreKept) {
  const auto stored = read_vector_origins(folder() / kCatalogFile, 50);
  ASSERT_TRUE(stored) << stored.error().message;
  ASSERT_EQ(stored->size(), 50U);
  EXPECT_EQ((*stored)[7].article_id.text(), "0000000107");
  EXPECT_EQ((*stored)[7].origin.text_hash, catalog::hash_text("text 7"));
  EXPECT_EQ((*stored)[6].origin.source, VectorSource::kSupplied);
  EXPECT_EQ((*stored)[7].origin.source, VectorSource::kModel);
}

TEST_F(GenerationFilesTest, EveryDamagedByteOfTheManifestIsFound) {
  const std::string good = read_bytes(folder() / kManifestFile);
  for (std::size_t at = 0; at < good.size(); at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    const auto parsed = GenerationManifest::parse(bad, "some/manifest.json");
    ASSERT_FALSE(parsed) << at;
    EXPECT_EQ(parsed.error().code, core::ErrorCode::kDataLoss);
    EXPECT_THAT(parsed.error().message, HasSubstr("some/manifest.json"));
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{90}, good.size() - 1}) {
    EXPECT_FALSE(GenerationManifest::parse(good.substr(0, size), "m"));
  }
}

TEST_F(GenerationFilesTest, ANewerFormatIsRefusedAsSuch) {
  GenerationManifest newer = manifest_;
  newer.format_version = kGenerationFormatVersion + 1;
  const auto parsed = GenerationManifest::parse(newer.to_json(), "m");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(parsed.error().message, HasSubstr("format version 2, this program reads version 1"));
}

TEST_F(GenerationFilesTest, ThePurchasePeriodIsKept) {
  GenerationManifest dated = manifest_;
  dated.info.purchases_from = "2020-09-16";
  dated.info.purchases_to = "2020-09-22";
  const auto parsed = GenerationManifest::parse(dated.to_json(), "m");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->info.purchases_from, "2020-09-16");
  EXPECT_EQ(parsed->info.purchases_to, "2020-09-22");
}

// The manifest with `from` instead of `to` in its body, and the right checksum for that.
std::string manifest_with(const GenerationManifest& manifest, std::string_view from, std::string_view to) {
  std::string text = manifest.to_json();
  constexpr std::string_view kBody = "\"manifest\":";
  const std::size_t body_at = text.find(kBody) + kBody.size();
  std::string body = text.substr(body_at, text.size() - body_at - 3);  // a newline, a brace, a newline
  const std::size_t at = body.find(from);
  EXPECT_NE(at, std::string::npos);
  body.replace(at, from.size(), to);
  return "{\"sha256\":\"" + core::sha256_hex(body) + "\",\n\"manifest\":" + body + "\n}\n";
}

TEST_F(GenerationFilesTest, AManifestWithoutAPurchasePeriodIsRead) {
  const auto parsed = GenerationManifest::parse(
      manifest_with(manifest_, "\"purchases_from\":\"\",\"purchases_to\":\"\",", ""), "m");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->info.purchases_from, "");
  EXPECT_EQ(parsed->info.purchases_to, "");
}

TEST_F(GenerationFilesTest, APurchasePeriodThatIsNoneIsNamed) {
  const auto fault_of = [&](std::string_view period) {
    const auto parsed = GenerationManifest::parse(
        manifest_with(manifest_, "\"purchases_from\":\"\",\"purchases_to\":\"\"", period), "m");
    EXPECT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, core::ErrorCode::kDataLoss);
    return parsed.error().message;
  };
  EXPECT_THAT(fault_of("\"purchases_from\":\"2020-09-01\",\"purchases_to\":\"\""), HasSubstr("purchases_to"));
  EXPECT_THAT(fault_of("\"purchases_from\":\"2020-13-01\",\"purchases_to\":\"2020-09-01\""), HasSubstr("purchases_from"));
  EXPECT_THAT(fault_of("\"purchases_from\":\"2020-09-02\",\"purchases_to\":\"2020-09-01\""), HasSubstr("purchases_to"));
  EXPECT_THAT(fault_of("\"purchases_from\":\"2020-09-02\",\"purchases_to\":7"), HasSubstr("purchases_to"));
  EXPECT_THAT(fault_of("\"purchases_to\":\"2020-09-02\""), HasSubstr("purchases_from"));
}

TEST_F(GenerationFilesTest, DamagedFilesAreNamed) {
  for (const auto name : {kCatalogFile, kExactVectorsFile, kQuantizedVectorsFile}) {
    SCOPED_TRACE(name);
    const auto path = folder() / name;
    const std::string good = read_bytes(path);
    const auto expect_damage = [&](FileCheck check) {
      const auto status = check_files(folder(), manifest_, check);
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code, core::ErrorCode::kDataLoss);
      EXPECT_THAT(status.error().message, HasSubstr(path.string()));
      const auto served = name == kCatalogFile ? load_catalog() : open_index(check);
      ASSERT_FALSE(served);
      EXPECT_EQ(served.error().code, core::ErrorCode::kDataLoss);
      EXPECT_THAT(served.error().message, HasSubstr(path.string()));
    };
    std::string flipped = good;
    flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
    write_bytes(path, flipped);
    expect_damage(FileCheck::kHashes);
    write_bytes(path, good.substr(0, good.size() - 1));
    expect_damage(FileCheck::kSizes);
    write_bytes(path, good + "x");
    expect_damage(FileCheck::kSizes);
    std::filesystem::remove(path);
    expect_damage(FileCheck::kSizes);
    write_bytes(path, good);
  }
  EXPECT_TRUE(load_catalog());
  EXPECT_TRUE(open_index(FileCheck::kHashes));
}

TEST_F(GenerationFilesTest, AnotherCatalogOfTheSameGenerationIsRefused) {
  // Right hashes, but a manifest that promises another number of rows.
  const auto rows = read_catalog_file(folder() / kCatalogFile, 51);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, core::ErrorCode::kDataLoss);
  EXPECT_THAT(rows.error().message, HasSubstr("50 articles, the manifest says 51"));
}

TEST_F(GenerationFilesTest, AFolderWithoutRightToWriteIsServed) {
  namespace fs = std::filesystem;
  fs::permissions(folder(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_TRUE(load_catalog());
  EXPECT_TRUE(open_index(FileCheck::kSizes));
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder())) files += entry.is_regular_file() ? 1U : 0U;
  EXPECT_EQ(files, 4U);  // nothing was written beside them
  fs::permissions(folder(), fs::perms::owner_all);
}

TEST_F(GenerationFilesTest, ARenamedGenerationIsRefused) {
  std::filesystem::rename(folder(), data_ / "generations" / "g2");
  support::RunningPool pool(1);
  LocalCatalogStore store({.data_dir = data_.path()}, *pool);
  const auto loaded = core::sync_wait(store.load(core::GenerationId("g2"), core::Deadline::never()));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, core::ErrorCode::kDataLoss);
}

TEST_F(GenerationFilesTest, ADeletedGenerationIsSearchableWhileItIsOpen) {
  support::RunningPool pool(2);
  LocalVectorIndex index({.data_dir = data_.path()}, *pool, pool.clock());
  ASSERT_TRUE(core::sync_wait(index.open(core::GenerationId("g1"), core::Deadline::never())));
  std::filesystem::remove_all(folder());
  const auto vectors = support::random_vectors(50, 8, 1);
  const std::vector<float> query(vectors.row(9).begin(), vectors.row(9).end());
  const auto found = core::sync_wait(index.search(
      core::GenerationId("g1"), {{.vector = query, .k = 1, .filter = nullptr, .eligible = nullptr}}, core::Deadline::never()));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)[0].hits.at(0).article_id.text(), "0000000109");
  EXPECT_GE((*found)[0].rows_scanned, 50U);
}

TEST(DataFolderTest, TheCurrentFileMustHoldAnId) {
  support::TemporaryFolder data;
  const DataFolder folder(data.path());
  const auto none = folder.read_current();
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("scalestyle ingest --data " + data.path().string()));
  for (const char* text : {"", "\n", "../x\n", ".hidden\n", "a b\n", "two\nlines\n"}) {
    write_bytes(data / "CURRENT", text);
    const auto damaged = folder.read_current();
    ASSERT_FALSE(damaged) << text;
    EXPECT_EQ(damaged.error().code, core::ErrorCode::kDataLoss) << text;
  }
  ASSERT_TRUE(folder.write_current(core::GenerationId("20260301T120000Z-1a2b3c4d")));
  EXPECT_EQ(folder.read_current()->value(), "20260301T120000Z-1a2b3c4d");
  EXPECT_TRUE(folder.list_generations()->empty());
}

}  // namespace
}  // namespace scalestyle::adapters::embedded
