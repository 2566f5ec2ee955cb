#pragma once
// What every CatalogChanges must do. An adapter's test includes this header and instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, CatalogChangesConformance, ::testing::Values(CatalogChangesFactory{…}));

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/changed_articles.hpp"
#include "core/task.hpp"
#include "ports/catalog_changes.hpp"

namespace scalestyle::support {

// An engine under test, empty at first.
class CatalogChangesEngine {
 public:
  virtual ~CatalogChangesEngine() = default;
  [[nodiscard]] virtual ports::CatalogChanges& changes() = 0;
  // Ends the process's hold, and takes it up again: what was acknowledged is there.
  virtual void reopen() = 0;
};
using CatalogChangesFactory = std::function<std::unique_ptr<CatalogChangesEngine>()>;

class CatalogChangesConformance : public ::testing::TestWithParam<CatalogChangesFactory> {
 protected:
  using Kind = catalog::ChangeKind;

  CatalogChangesConformance() : engine_(GetParam()()) {}

  static catalog::ArticleId id(int number) { return catalog::ArticleId::parse(std::to_string(number)).value(); }
  static catalog::ArticleChange price(int number, std::optional<double> value) {
    return {.kind = Kind::kPatch, .id = id(number), .sets_price = true, .price = value};
  }
  static catalog::ArticleChange named(int number, const std::string& name) { return {.kind = Kind::kPatch, .id = id(number), .name = name}; }
  static catalog::ArticleChange put(int number, const std::string& name) { return {.kind = Kind::kUpsert, .id = id(number), .name = name}; }
  static catalog::ArticleChange gone(int number) { return {.kind = Kind::kDelete, .id = id(number)}; }
  static ports::EncoderInfo encoder(const std::string& precision = "f32") {
    return {.model = "m", .weights_hash = "w", .precision = precision, .dimension = 2, .max_tokens = 8};
  }
  static ports::ArticleVector vector(int number, const std::string& text, float value) {
    return {id(number), catalog::hash_text(text), std::make_shared<const std::vector<float>>(std::vector{value, -value})};
  }

  std::int64_t append(std::vector<catalog::ArticleChange> changes, std::vector<ports::ArticleVector> vectors = {}, std::int64_t time_ms = 5) {
    ports::ChangeBatch batch{.changes = std::move(changes), .vectors = std::move(vectors), .encoder = encoder(), .time_ms = time_ms};
    const auto first = core::sync_wait(engine_->changes().append(std::move(batch), core::Deadline::never()));
    EXPECT_TRUE(first) << (first ? "" : first.error().error.message);
    return first.value_or(-1);
  }
  std::vector<ports::LoggedChange> read(std::int64_t after = 0, std::size_t limit = 100'000) {
    auto found = core::sync_wait(engine_->changes().read(after, limit, core::Deadline::never()));
    EXPECT_TRUE(found) << (found ? "" : found.error().message);
    return found.value_or(std::vector<ports::LoggedChange>());
  }
  std::map<std::string, float> vectors(const ports::EncoderInfo& made_by) {
    std::map<std::string, float> found;
    const auto kept_vectors = core::sync_wait(engine_->changes().vectors(made_by, core::Deadline::never()));
    for (const auto& kept : kept_vectors.value()) {
      EXPECT_EQ(kept.values->size(), 2U);
      found[kept.article.text()] = kept.values->front();
    }
    return found;
  }
  void remove_through(std::int64_t sequence, std::int64_t until_ms = 1'000) {
    ASSERT_TRUE(core::sync_wait(engine_->changes().settle(sequence, until_ms, core::Deadline::never())));
  }

  std::unique_ptr<CatalogChangesEngine> engine_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CatalogChangesConformance);

TEST_P(CatalogChangesConformance, WhatIsAppendedIsReadInOrderAndUnchanged) {
  auto full = put(1, "Näme \"x\"");
  full.product_code = "77";
  full.description = "";
  full[catalog::Attribute::kGarmentGroup] = "Jersey\nBasic";
  full[catalog::Attribute::kGarmentGroupNo] = "1002";
  full.sets_price = true;
  full.price = 0.1;
  full.available = false;
  const std::vector<catalog::ArticleChange> sent{full, price(2, std::nullopt), gone(3)};
  EXPECT_EQ(append({sent[0], sent[1]}, {}, 1'700'000'000'123), 1);
  EXPECT_EQ(append({sent[2]}), 3);
  engine_->reopen();
  const auto found = read();
  ASSERT_EQ(found.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(found[i].sequence, static_cast<std::int64_t>(i + 1));
    EXPECT_EQ(found[i].change, sent[i]);
  }
  EXPECT_EQ(found[0].time_ms, 1'700'000'000'123);
  EXPECT_EQ(append({gone(4)}), 4);
}

TEST_P(CatalogChangesConformance, ReadsGoOnBehindASequence) {
  append({price(1, 1), price(2, 2), price(3, 3)});
  EXPECT_EQ(read(1).size(), 2U);
  const auto one = read(1, 1);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].sequence, 2);
  EXPECT_TRUE(read(3).empty());
}

// Some may be left out; what they make of articles is the same.
TEST_P(CatalogChangesConformance, TheEndResultIsThatOfAllChanges) {
  auto both = price(1, 4);
  both.available = false;
  const std::vector<catalog::ArticleChange> sent{put(1, "a"), price(1, 1), price(1, 2), named(1, "b"), both, gone(2), put(2, "c"),
                                                 price(2, 9), put(3, "d"), gone(3), put(4, "e"), put(4, "f"), price(4, std::nullopt)};
  for (const auto& change : sent) append({change});
  engine_->reopen();
  const auto apply = [](catalog::ChangedArticles& articles, const catalog::ArticleChange& change) {
    if (const auto now = articles.after(change, articles.find(change.id))) articles.set(change.id, *now, 0);
  };
  const auto empty = std::make_shared<const catalog::Catalog>(catalog::CatalogBuilder().build().value());
  catalog::ChangedArticles expected(empty);
  catalog::ChangedArticles found(empty);
  for (const auto& change : sent) apply(expected, change);
  std::int64_t before = 0;
  for (const auto& logged : read()) {
    EXPECT_GT(logged.sequence, before);
    before = logged.sequence;
    apply(found, logged.change);
  }
  for (int number = 1; number <= 4; ++number) EXPECT_EQ(found.find(id(number)), expected.find(id(number))) << number;
}

TEST_P(CatalogChangesConformance, OneVectorAnArticleIsKeptForItsEncoder) {
  append({named(1, "a"), named(2, "b")}, {vector(1, "a", 1), vector(2, "b", 2)});
  append({named(1, "c")}, {vector(1, "c", 3)});
  append({}, {vector(5, "e", 5)});
  engine_->reopen();
  EXPECT_EQ(vectors(encoder()), (std::map<std::string, float>{{"0000000001", 3}, {"0000000002", 2}, {"0000000005", 5}}));
  EXPECT_TRUE(vectors(encoder("int8")).empty());
  append({gone(2)});
  EXPECT_FALSE(vectors(encoder()).contains("0000000002"));
}

TEST_P(CatalogChangesConformance, SequencesAreNeverUsedTwice) {
  append({put(1, "a"), price(2, 2), price(3, 3)}, {vector(1, "a", 1)});
  append({put(4, "d")}, {vector(4, "d", 4)});
  remove_through(3);
  remove_through(3);
  EXPECT_EQ(read().size(), 1U);
  EXPECT_EQ(vectors(encoder()).size(), 1U);
  remove_through(4);
  engine_->reopen();
  EXPECT_TRUE(read().empty());
  EXPECT_TRUE(vectors(encoder()).empty());
  EXPECT_EQ(append({price(1, 1)}), 5);
  remove_through(20);
  engine_->reopen();
  EXPECT_EQ(append({price(1, 1)}), 21);
}

TEST_P(CatalogChangesConformance, WhatNoFileOverruledStaysForTheNextIngest) {
  append({price(1, 1)}, {}, 100);
  append({put(2, "b")}, {vector(2, "b", 2)}, 200);
  append({price(3, 3)}, {}, 300);
  remove_through(2, 100);
  engine_->reopen();
  const auto left = read();
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].sequence, 2);
  EXPECT_TRUE(vectors(encoder()).empty());
  EXPECT_EQ(append({price(4, 4)}), 4);
  remove_through(3, 300);
  EXPECT_EQ(read().size(), 1U);
}

// Whoever does not know all changes is told so, and keeps nothing.
TEST_P(CatalogChangesConformance, ABatchThatWasDecidedTooEarlyIsNotKept) {
  const auto append_after = [this](std::int64_t after, catalog::ArticleChange change) {
    ports::ChangeBatch batch{.encoder = encoder(), .time_ms = 5, .only_after = after};
    batch.changes.push_back(std::move(change));
    return core::sync_wait(engine_->changes().append(std::move(batch), core::Deadline::never()));
  };
  EXPECT_EQ(append_after(0, price(1, 1)).value(), 1);
  EXPECT_EQ(append_after(1, price(2, 2)).value(), 2);
  const auto late = append_after(1, gone(1));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().error.code, core::ErrorCode::kFailedPrecondition);
  EXPECT_EQ(late.error().error.field, ports::kOnlyAfterField);
  EXPECT_EQ(late.error().outcome, ports::AppendOutcome::kNotKept);
  EXPECT_EQ(read().size(), 2U);
  remove_through(2);
  EXPECT_EQ(append_after(1, price(3, 3)).value(), 3);  // none that is kept is later
}

TEST_P(CatalogChangesConformance, AReadGivesAllOfManyChanges) {
  std::vector<catalog::ArticleChange> many;
  for (int number = 1; number <= 2'500; ++number) many.push_back(price(number, number));
  append(many);
  const auto found = read();
  ASSERT_EQ(found.size(), 2'500U);
  EXPECT_EQ(found.back().sequence, 2'500);
  EXPECT_EQ(read(100, 2'000).back().sequence, 2'100);
  remove_through(2'499);
  EXPECT_EQ(read().size(), 1U);
}

TEST_P(CatalogChangesConformance, RemovingFromNothingSetsTheNextSequence) {
  remove_through(7);
  engine_->reopen();
  EXPECT_EQ(append({price(1, 1)}), 8);
}

}  // namespace scalestyle::support
