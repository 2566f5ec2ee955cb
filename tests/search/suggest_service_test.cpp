#include "search/suggest_service.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "list_fixture.hpp"
#include "support/fake_clock.hpp"

namespace scalestyle::search {
namespace {

using Texts = std::vector<std::string>;

Texts texts(const core::Result<SuggestAnswer>& answer) {
  Texts list;
  for (const Suggestion& suggestion : answer.value().suggestions) list.push_back(suggestion.text);
  return list;
}

// The shop of ListFixture: dresses, shirts, socks and trousers, red and blue, "name 0" to "name 59".
class SuggestServiceTest : public ListFixture {
 protected:
  void ask(const std::string& query, int subjects = 3) {
    for (int i = 0; i < subjects; ++i) {
      const events::Subject subject = user("shopper " + std::to_string(i));
      queries_.note(query, &subject);
    }
    suggest_.refresh();
  }
  core::Result<SuggestAnswer> complete(const std::string& prefix, std::size_t k = 8) {
    return suggest_.suggest({.request_id = core::RequestId("r"), .prefix = prefix, .k = k});
  }
  SearchService& counting() {
    return make_with({.generations = holder_, .encoder = encoder_, .index = index_, .pool = compute_.pool(), .timers = compute_.timers(),
                      .clock = clock_, .metrics = metrics_, .features = &features_, .popularity = &popularity_, .queries = &queries_},
                     {});
  }
  SearchRequest noted(const std::string& query, const std::string& shopper) {
    SearchRequest wanted = request(query, shopper);
    wanted.request_id = core::RequestId("r-" + shopper);
    return wanted;
  }

  support::FakeClock still_;  // equal counts stay equal
  FrequentQueries queries_{{.rebuild_seconds = 0}, still_};
  SuggestService suggest_{holder_, clock_, &queries_};
};

TEST_F(SuggestServiceTest, CompletesFromTheServedCatalogue) {
  const auto answer = complete("DR");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->request_id.value(), "r");
  EXPECT_FALSE(answer->corrected);
  EXPECT_EQ(texts(answer), (Texts{"dress", "blue dress", "red dress"}));
  const Suggestion& first = answer->suggestions[0];
  EXPECT_EQ(first.source, SuggestionSource::kCatalog);
  EXPECT_EQ(first.kind, "type");
  EXPECT_EQ(first.products, 15U);
  EXPECT_EQ(answer->suggestions[1].kind, "colour_type");
}

TEST_F(SuggestServiceTest, OneErrorIsForgivenWhereNothingMatches) {
  const auto answer = complete("trouzers");
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->corrected);
  EXPECT_EQ(texts(answer), (Texts{"trousers", "blue trousers", "red trousers"}));
  EXPECT_FALSE(complete("qqqqq")->corrected);
  EXPECT_TRUE(texts(complete("qqqqq")).empty());
}

TEST_F(SuggestServiceTest, QueriesComeFirstAndEachTextOnce) {
  ask("dress red");
  ask("red dress", 5);
  const auto answer = complete("dr");
  EXPECT_EQ(texts(answer), (Texts{"dress red", "red dress", "dress", "blue dress"}));
  EXPECT_EQ(answer->suggestions[0], (Suggestion{"dress red", SuggestionSource::kQuery, "query", std::nullopt}));
  const auto& phrase = answer->suggestions[1];
  EXPECT_EQ(phrase.source, SuggestionSource::kQuery);
  EXPECT_EQ(phrase.kind, "colour_type");
  EXPECT_TRUE(phrase.products);
}

TEST_F(SuggestServiceTest, QueriesTakeAtMostHalfOfThePlacesThatPhrasesCanFill) {
  for (const char* more : {"shirt red", "shirt blue", "shirt dress", "shirt socks", "shirt trousers"}) ask(more);
  EXPECT_EQ(texts(complete("shirt", 4)), (Texts{"shirt blue", "shirt dress", "shirt", "red shirt"}));
  EXPECT_EQ(texts(complete("shirt", 8)).size(), 8U);
  EXPECT_EQ(texts(complete("shirt ", 1)), (Texts{"shirt blue"}));
  EXPECT_EQ(texts(complete("shirt tr", 8)), (Texts{"shirt trousers"}));
}

TEST_F(SuggestServiceTest, QueriesMustStillBeKnownToTheServedCatalogue) {
  ask("striped dress");
  ask("the dresses");
  EXPECT_EQ(texts(complete("striped")), Texts{}) << "no article is striped";
  EXPECT_EQ(texts(complete("the ")), (Texts{"the dresses"})) << "a plural, and a word that says nothing";
  auto changed = articles();
  for (auto& article : changed) article[catalog::Attribute::kProductType] = "Striped Skirt";
  catalogs_.publish(support::make_snapshot("b", changed, encoder_.info()));
  core::sync_wait(holder_.refresh(core::Deadline::never())).value();
  EXPECT_EQ(texts(complete("the ")), Texts{}) << "gone with its generation";
  EXPECT_EQ(texts(complete("dre")), Texts{});
  suggest_.refresh();
  EXPECT_EQ(texts(complete("striped s", 1)), (Texts{"striped skirt"}));
}

TEST_F(SuggestServiceTest, AnsweredSearchesAreCounted) {
  SearchService& service = counting();
  for (const char* shopper : {"a", "b", "c"}) ASSERT_TRUE(run(service, noted("red name", shopper)));
  suggest_.refresh();
  EXPECT_EQ(texts(complete("red n")), (Texts{"red name"}));
}

TEST_F(SuggestServiceTest, WhatTheCatalogueDidNotAnswerIsNot) {
  SearchService& service = counting();
  for (const char* shopper : {"a", "b", "c"}) {
    auto later = noted("red name", shopper);
    later.offset = 3;
    ASSERT_TRUE(run(service, later));
    auto unnamed = noted("red name", shopper);
    unnamed.request_id = {};
    ASSERT_TRUE(run(service, unnamed));
    auto empty = noted("red name", shopper);
    empty.filter[catalog::FilterField::kColour] = {"Mauve"};
    ASSERT_TRUE(run(service, empty));
  }
  encoder_.fail_with(core::fail(core::ErrorCode::kUnavailable, "away").error());
  for (const char* shopper : {"a", "b", "c"}) {
    const auto degraded = run(service, noted("blue name", shopper));
    ASSERT_TRUE(degraded);
    ASSERT_FALSE(degraded->degradations.empty());
  }
  EXPECT_EQ(queries_.size(), 0U);
}

TEST_F(SuggestServiceTest, WrongRequestsAreNamed) {
  EXPECT_EQ(complete("").error().field, "prefix");
  EXPECT_EQ(complete(std::string(101, 'x')).error().field, "prefix");
  EXPECT_EQ(complete(std::string(1'000'000, 'x')).error().field, "prefix");
  EXPECT_EQ(complete("d", 0).error().field, "k");
  EXPECT_EQ(complete("d", 21).error().field, "k");
  EXPECT_TRUE(complete(std::string(100, 'x')));
  for (const std::string& prefix : Texts{" ", "\xFF", std::string("\0", 1), "\xF0\x9F\x91\x97", "\xCC\x81", "!"}) {
    EXPECT_TRUE(texts(complete(prefix)).empty()) << prefix;
  }
  const SnapshotHolder empty{catalogs_, index_, encoder_.info()};
  EXPECT_EQ(SuggestService(empty, clock_).suggest({.prefix = "d"}).error().code, core::ErrorCode::kUnavailable);
}

TEST_F(SuggestServiceTest, WithoutCountedQueriesTheCatalogueAnswersAlone) {
  SuggestService alone(holder_, clock_);
  alone.refresh();
  EXPECT_EQ(texts(alone.suggest({.prefix = "dr"})), (Texts{"dress", "blue dress", "red dress"}));
}

}  // namespace
}  // namespace scalestyle::search
