#include "search/query_text.hpp"

#include <gtest/gtest.h>

namespace scalestyle::search {
namespace {

using retrieval::MatchKind;

TEST(CorrectedText, ReplacesWholeMistypedWordsByTheirBestCorrection) {
  const std::vector<retrieval::QueryNote> notes{{MatchKind::kCorrection, "jackt", "jacket"},
                                                {MatchKind::kCorrection, "jackt", "jackets"},
                                                {MatchKind::kPrefix, "win", "winter"}};
  EXPECT_EQ(corrected_text("Warm  JACKT, win", notes), "Warm  jacket, win");
  EXPECT_EQ(corrected_text("jackt", notes), "jacket");
  EXPECT_EQ(corrected_text("jackts jackt-like", notes), "jackts jackt-like");
  EXPECT_EQ(corrected_text("", notes), "");
  EXPECT_EQ(corrected_text("\xC3\x89t\xC3\xA9 jackt\n", notes), "\xC3\x89t\xC3\xA9 jacket\n");
  EXPECT_EQ(corrected_text("Warm  JACKT", {}), "Warm  JACKT");
}

TEST(UnderstoodWords, SayWhatWasDone) {
  const auto understood = understood_words({{MatchKind::kCorrection, "jackt", "jacket"}, {MatchKind::kSynonym, "tee", "t-shirt"}});
  ASSERT_EQ(understood.size(), 2U);
  EXPECT_EQ(understood[0].field, "correction");
  EXPECT_EQ(understood[0].value, "jackt \xE2\x86\x92 jacket");
  EXPECT_EQ(understood[0].origin, "query");
  EXPECT_EQ(understood[1].field, "synonym");
}

}  // namespace
}  // namespace scalestyle::search
