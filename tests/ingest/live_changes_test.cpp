// Changes that were made while a catalogue was served, through ingests and crashes of ingests.

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "adapters/embedded/catalog_change_log.hpp"
#include "adapters/embedded/catalog_file.hpp"
#include "catalog/changed_articles.hpp"
#include "ingest/ingest_fixture.hpp"

namespace scalestyle::ingest {
namespace {

using adapters::embedded::SqliteCatalogChanges;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr std::int64_t kOld = 1'000;                      // before any file
constexpr std::int64_t kLater = 4'000'000'000'000;        // after all of them

catalog::ArticleId id(int number) { return catalog::ArticleId::parse(std::to_string(500'000'000 + number)).value(); }

class LiveChangesTest : public IngestFixture {
 protected:
  LiveChangesTest() {
    std::filesystem::create_directories(options_.data_dir);
    write_text(options_.articles, articles_csv(9));
  }

  void append(std::vector<catalog::ArticleChange> changes, std::int64_t time_ms) {
    const auto log = SqliteCatalogChanges::open({.folder = options_.data_dir}, clock_).value();
    const auto kept = core::sync_wait(log->append({.changes = std::move(changes), .time_ms = time_ms}, core::Deadline::never()));
    ASSERT_TRUE(kept);
  }
  // What a server does when it sees the current generation.
  void settle() {
    const auto log = SqliteCatalogChanges::open({.folder = options_.data_dir}, clock_).value();
    const auto info = adapters::embedded::read_manifest(current_folder())->info;
    ASSERT_TRUE(core::sync_wait(log->settle(info.changes_through, info.changes_overruled_ms, core::Deadline::never())));
  }
  IngestSummary ingest() {
    auto summary = run();
    EXPECT_TRUE(summary) << (summary ? "" : summary.error().message);
    return summary.value_or(IngestSummary{});
  }
  // The catalogue as a server serves it: the current generation and the changes that it does not have.
  [[nodiscard]] catalog::ChangedArticles served() const {
    const auto manifest = adapters::embedded::read_manifest(current_folder()).value();
    catalog::ChangedArticles articles(
        adapters::embedded::read_catalog_file(current_folder() / adapters::embedded::kCatalogFile, manifest.info.articles).value());
    const auto kept = adapters::embedded::read_kept_changes(options_.data_dir);
    for (const auto& logged : kept->changes) {
      if (logged.sequence <= manifest.info.changes_through) continue;
      if (const auto now = articles.after(logged.change, articles.find(logged.change.id))) articles.set(logged.change.id, *now, 1);
    }
    return articles;
  }

  static catalog::ArticleChange price(int number, double value) { return {.id = id(number), .sets_price = true, .price = value}; }
  static catalog::ArticleChange put(int number, const std::string& name) {
    return {.kind = catalog::ChangeKind::kUpsert, .id = id(number), .name = name};
  }

  core::SystemClock clock_;
};

TEST_F(LiveChangesTest, NewerOnesArePartOfTheGenerationAndOlderOnesAreOverruled) {
  append({price(1, 11), put(100, "Old cape")}, kOld);
  append({price(2, 22), put(101, "Cape"), {.kind = catalog::ChangeKind::kDelete, .id = id(3)}, price(77, 1)}, kLater);
  const auto summary = ingest();
  EXPECT_EQ(summary.carried_changes, 3U);
  EXPECT_EQ(summary.overruled_changes, 2U);
  EXPECT_THAT(summary.notes, Contains(HasSubstr("files do not have")));
  EXPECT_EQ(summary.with_price, 1U);
  EXPECT_EQ(texts_encoded_, 9 - 1 + 1) << "every fifth article has its neighbour's text; one went, one came";
  const auto manifest = adapters::embedded::read_manifest(current_folder()).value();
  EXPECT_EQ(manifest.info.changes_through, 6);
  EXPECT_EQ(manifest.counts.articles, 9U);
  const auto articles = served();
  EXPECT_EQ(articles.size(), 0U);
  EXPECT_EQ(articles.find(id(1))->price, std::nullopt);
  EXPECT_EQ(articles.find(id(2))->price, 22);
  EXPECT_EQ(articles.find(id(101))->name, "Cape");
  EXPECT_FALSE(articles.find(id(3)));
  EXPECT_FALSE(articles.find(id(100)));
}

TEST_F(LiveChangesTest, AllOrNoneAreTakenWhenAskedFor) {
  append({price(1, 11)}, kOld);
  append({price(2, 22)}, kLater);
  options_.live_changes = LiveChanges::kAll;
  EXPECT_EQ(ingest().carried_changes, 2U);
  EXPECT_EQ(served().find(id(1))->price, 11);
  options_.live_changes = LiveChanges::kNone;
  const auto summary = ingest();
  EXPECT_EQ(summary.carried_changes, 0U);
  EXPECT_EQ(summary.overruled_changes, 2U);
  EXPECT_EQ(served().find(id(2))->price, std::nullopt);
  settle();
  EXPECT_TRUE(adapters::embedded::read_kept_changes(options_.data_dir)->changes.empty());
}

TEST_F(LiveChangesTest, ASecondIngestOfTheSameFilesKeepsThem) {
  append({price(1, 11)}, kOld);
  append({price(2, 22)}, kLater);
  ingest();
  settle();
  EXPECT_EQ(adapters::embedded::read_kept_changes(options_.data_dir)->changes.size(), 1U) << "the overruled one is gone";
  ingest();
  EXPECT_EQ(served().find(id(2))->price, 22);
  append({price(2, 33)}, kLater + 1);
  EXPECT_EQ(served().find(id(2))->price, 33) << "what came after the ingest";
}

TEST_F(LiveChangesTest, DamagedChangesStopTheIngest) {
  ingest();
  const auto before = *data().read_current();
  write_text(options_.data_dir / "changes.db", std::string(4096, 'x'));
  const auto refused = run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::ErrorCode::kDataLoss);
  EXPECT_EQ(*data().read_current(), before);
}

// Whenever an ingest dies, and whatever is changed meanwhile, nothing acknowledged is lost.
TEST_F(LiveChangesTest, KilledAtAnyStepNothingIsLost) {
  options_.batches_in_flight = 1;  // so that every run has the same steps
  ingest();
  append({price(1, 11), put(101, "Cape")}, kLater);
  std::filesystem::copy(options_.data_dir, folder_ / "before", std::filesystem::copy_options::recursive);
  std::vector<std::string> steps;
  before_step_ = [&](std::string_view step) { steps.emplace_back(step); };
  ingest();
  for (std::size_t at = 0; at < steps.size(); at += 3) {
    SCOPED_TRACE(fmt::format("killed before step {}: {}", at, steps[at]));
    std::filesystem::remove_all(options_.data_dir);
    std::filesystem::copy(folder_ / "before", options_.data_dir, std::filesystem::copy_options::recursive);
    std::size_t step = 0;
    before_step_ = [&](std::string_view) {
      if (step++ == at) ::raise(SIGKILL);
    };
    const pid_t child = ::fork();
    if (child == 0) {
      static_cast<void>(run());
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    before_step_ = [](std::string_view) {};
    const auto expect_all = [&] {
      const auto articles = served();
      ASSERT_TRUE(articles.find(id(1)));
      EXPECT_EQ(articles.find(id(1))->price, 11);
      ASSERT_TRUE(articles.find(id(101)));
      EXPECT_EQ(articles.find(id(101))->name, "Cape");
    };
    expect_all();
    settle();
    expect_all();
    append({price(2, 22)}, kLater + 1);
    EXPECT_EQ(served().find(id(2))->price, 22);
    ingest();
    expect_all();
    EXPECT_EQ(served().find(id(2))->price, 22);
  }
}

TEST_F(LiveChangesTest, PhotosAreThoseOfTheArticlesThatAreLeft) {
  std::filesystem::create_directories(folder_ / "photos");
  for (const int number : {2, 3, 4, 101}) write_text(folder_ / "photos" / (id(number).text() + ".jpg"), fmt::format("photo {}", number));
  options_.images = folder_ / "photos";
  vision_ = true;
  // One goes, one has another text, one is new: an article keeps the photo that the files give to its id.
  append({{.kind = catalog::ChangeKind::kDelete, .id = id(3)}, put(2, "Cape"), put(101, "Coat")}, kLater);
  const auto summary = ingest();
  EXPECT_EQ(summary.carried_changes, 3U);
  EXPECT_EQ(summary.image_vectors, 2U);
  const auto manifest = adapters::embedded::read_manifest(current_folder()).value();
  const auto photos = adapters::embedded::map_image_vectors(current_folder(), manifest, adapters::embedded::FileCheck::kHashes);
  ASSERT_TRUE(photos) << photos.error().message;
  const auto ids = adapters::embedded::read_article_ids(current_folder() / adapters::embedded::kCatalogFile, manifest.info.articles);
  ASSERT_TRUE(ids) << ids.error().message;
  ASSERT_EQ(photos->rows.size(), 2U);
  EXPECT_EQ((*ids)[photos->rows[0].row.value], id(2));
  EXPECT_EQ((*ids)[photos->rows[1].row.value], id(4));
}

}  // namespace
}  // namespace scalestyle::ingest
