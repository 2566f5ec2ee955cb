#include "search/reason_cleaner.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "search/shown_text.hpp"
#include "text/unicode.hpp"

namespace scalestyle::search {
namespace {

const char* const kEvidence = "Dress in Light Blue at 14.99 EUR (at most 20)\nLinen dress, 2-pack of 1,200 threads. Organic cotton, 100%. $";

struct Cleaned {
  std::string text;
  std::string refusal;
  std::string shown;  // what came out on the way
};

Cleaned clean(const std::string& text, bool is_whole = true, std::size_t piece = 1'000, const char* evidence = kEvidence) {
  ReasonCleaner cleaner(evidence);
  Cleaned cleaned;
  for (std::size_t position = 0; position < text.size() && !cleaner.wants_no_more();) {
    const std::size_t begin = position;
    for (std::size_t i = 0; i < piece && position < text.size(); ++i) static_cast<void>(text::next_code_point(text, position));
    cleaned.shown += cleaner.push(std::string_view(text).substr(begin, position - begin));
  }
  cleaned.shown += cleaner.finish(is_whole);
  cleaned.text = cleaner.text();
  cleaned.refusal = cleaner.refusal();
  return cleaned;
}

TEST(ReasonCleaner, KeepsOnePlainSentence) {
  EXPECT_EQ(clean("This light blue dress fits your search. It also does more.").text, "This light blue dress fits your search.");
  EXPECT_EQ(clean("  This\n\tdress \r\n fits you  ").text, "This dress fits you.");
  EXPECT_EQ(clean("\"This dress fits you.\"").text, "This dress fits you.");
  EXPECT_EQ(clean("“This dress fits you!” And more").text, "This dress fits you!");
  EXPECT_EQ(clean("At 14.99 EUR it stays under 20.").text, "At 14.99 EUR it stays under 20.");
  EXPECT_EQ(clean("It goes with e.g. trousers in blue.").text, "It goes with e.g. trousers in blue.");
  EXPECT_EQ(clean("This\u200B dress\u202E fits\x07 you\U0001F600 well ❤.").text, "This dress fits you well.");
}

TEST(ReasonCleaner, RefusesWhatNobodyCanStandFor) {
  for (const char* text : {"Buy it at https://evil.example now please.", "Visit www.evil now for more of it.", "Look at evil.com for more of it.",
                           "A <b>nice</b> dress for you here.", "A *nice* dress for you here.", "See [this](that) dress for you here.",
                           "Only 9.99 EUR for this dress here.", "Only €14.99 for this dress here.", "It is 50% off for you today.",
                           "It comes in size 42 for you today.", "The bestseller of this season for you.", "A waterproof dress for rainy days here.",
                           "Loved by three of your friends here.", "Mail me@evil for more about it.", "Read &lt;this&gt; about the nice dress."}) {
    const Cleaned cleaned = clean(text);
    EXPECT_NE(cleaned.refusal, "") << text;
  }
  EXPECT_EQ(clean("Nice dress.").refusal, "it is no sentence");
  EXPECT_EQ(clean("").refusal, "it is no sentence");
  EXPECT_NE(clean(std::string(400, 'a') + " is long.").refusal, "");
}

TEST(ReasonCleaner, LetsTheEvidenceBeSaid) {
  for (const char* text : {"A linen dress at 14.99 EUR for you.", "It has 1200 threads and 2 pieces.", "Organic cotton of 100% for you.",
                           "It costs $14.99 in this shop today.", "It costs 14.990 in this shop today."}) {
    EXPECT_EQ(clean(text).refusal, "") << text;
  }
}

TEST(ReasonCleaner, IsBoundedAndMarksWhatWasCutOff) {
  std::string endless;
  for (int i = 0; i < 500; ++i) endless += "soft ";
  const Cleaned cut = clean(endless);
  EXPECT_EQ(cut.refusal, "");
  EXPECT_LE(cut.text.size(), ReasonCleaner::kMaxCharacters + 3);
  EXPECT_TRUE(cut.text.ends_with("…"));
  // A limit of tokens may have cut a word: it is left out; a sentence that ended just there is whole.
  EXPECT_EQ(clean("This dress fits you perf", false).text, "This dress fits you…");
  EXPECT_EQ(clean("This dress fits you.", false).text, "This dress fits you.");
}

TEST(ReasonCleaner, GivesTheSameInAnyPieces) {
  const std::vector<std::string> texts{"\"A light blue dress for you.\" And more", "It costs 14.99 EUR, e.g. for 2 people… Yes.", "Go to evil.com now for it",
                                       "Crème dress fits you", "A dress with 7 pockets for you."};
  for (const std::string& text : texts) {
    const Cleaned whole = clean(text);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{13}}) {
      const Cleaned pieces = clean(text, true, piece);
      EXPECT_EQ(pieces.text, whole.text);
      EXPECT_EQ(pieces.refusal, whole.refusal);
      EXPECT_EQ(pieces.shown, pieces.text);  // what was shown is the beginning of the sentence, all of it where it is not refused
    }
  }
}

TEST(ShownText, CutsAndCleans) {
  EXPECT_EQ(shown("  a \n\n b\t", 10), "a b");
  EXPECT_EQ(shown("say \"hello\" “twice” «thrice»", 40), "say 'hello' 'twice' 'thrice'");
  EXPECT_EQ(shown("a\x01\u200B\u202E\uFEFF\u00ADb\xC3", 10), "ab");
  EXPECT_EQ(shown("abcdef", 3), "abc…");
  EXPECT_EQ(shown("abc   ", 3), "abc");
  EXPECT_EQ(shown("ééé é", 4), "ééé…");
  EXPECT_EQ(shown("", 3), "");
  EXPECT_EQ(shown("a\u2028b", 10), "a b");
}

}  // namespace
}  // namespace scalestyle::search
