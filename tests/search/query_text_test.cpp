#include "search/query_text.hpp"

#include <gtest/gtest.h>

namespace scalestyle::search {
namespace {

using retrieval::MatchKind;

TEST(CorrectedText, ReplacesWholeMistypedWordsByTheirBestCorrection) {
  const std::vector<retrieval::QueryNote> notes{{MatchKind::kCorrection, "jackt", "jacket"},
                                                {MatchKind::kCorrection, "jackt", "jackets"},
                                                {MatchKind::kPrefix, "win", "winter"}};
  EXPECT_EQ(corrected_text("Warm  JACKT, win", notes).text, "Warm  jacket, win");
  EXPECT_EQ(corrected_text("jackt", notes).text, "jacket");
  EXPECT_EQ(corrected_text("jackts jackt-like", notes).text, "jackts jackt-like");
  EXPECT_EQ(corrected_text("", notes).text, "");
  EXPECT_EQ(corrected_text("\xC3\x89t\xC3\xA9 jackt\n", notes).text, "\xC3\x89t\xC3\xA9 jacket\n");
  EXPECT_EQ(corrected_text("Warm  JACKT", {}).text, "Warm  JACKT");
}

TEST(CorrectedText, KnowsWhereEachPartWasAndLeavesWhatIsKept) {
  const std::vector<retrieval::QueryNote> notes{{MatchKind::kCorrection, "blk", "black"}, {MatchKind::kCorrection, "drs", "dress"}};
  const std::string query = "a blk drs, new drs";
  const CorrectedText corrected = corrected_text(query, notes);
  ASSERT_EQ(corrected.text, "a black dress, new dress");
  const auto was = [&](const std::string& part) {
    const std::size_t at = corrected.text.find(part);
    const retrieval::TextSpan span = corrected.in_query({at, at + part.size()});
    return query.substr(span.begin, span.end - span.begin);
  };
  EXPECT_EQ(was("a"), "a");
  EXPECT_EQ(was("black"), "blk");
  EXPECT_EQ(was("lac"), "blk");
  EXPECT_EQ(was("black dress"), "blk drs");
  EXPECT_EQ(was("dress, new"), "drs, new");
  EXPECT_EQ(was("new dress"), "new drs");
  EXPECT_EQ(was(corrected.text), query);

  const std::vector<retrieval::TextSpan> kept{{2, 5}};
  EXPECT_EQ(corrected_text(query, notes, kept).text, "a blk dress, new dress");
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
