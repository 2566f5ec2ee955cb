#include "catalog/article_id.hpp"

#include <gmock/gmock.h>

#include <unordered_set>

namespace scalestyle::catalog {
namespace {

TEST(ArticleId, CanonicalForm) {
  const std::pair<const char*, const char*> cases[] = {
      {"108775015", "0108775015"},   {"0108775015", "0108775015"},     {" 108775015\r\n", "0108775015"},
      {"1", "0000000001"},           {"12345678901", "12345678901"},   {"000108775015", "000108775015"},
      {"SKU-12/red", "SKU-12/red"},  {"12a", "12a"},                   {"-5", "-5"},
      {"1.0", "1.0"},                {"!~", "!~"},
  };
  for (const auto& [text, canonical] : cases) {
    const auto id = ArticleId::parse(text);
    ASSERT_TRUE(id) << text;
    EXPECT_EQ(id->text(), canonical);
    EXPECT_EQ(ArticleId::parse(id->text())->text(), canonical) << "canonical text must stay as it is";
  }
}

TEST(ArticleId, RefusesWhatIsNoId) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "empty"},         {" \t ", "empty"},     {"a b", "0x20"},           {"a\tb", "0x09"},
      {"caf\xC3\xA9", "0xC3"}, {"a\x7F" "b", "0x7F"}, {std::string("a\0b", 3), "0x00"}, {std::string(65, 'x'), "64"},
  };
  for (const auto& [text, words] : cases) {
    const auto id = ArticleId::parse(text);
    ASSERT_FALSE(id) << text;
    EXPECT_EQ(id.error().code, core::ErrorCode::kInvalidArgument);
    EXPECT_EQ(id.error().field, "article_id");
    EXPECT_THAT(id.error().message, testing::HasSubstr(words));
  }
  EXPECT_TRUE(ArticleId::parse(std::string(64, 'x')));
  EXPECT_TRUE(ArticleId::parse("  " + std::string(64, '7') + "  "));
}

TEST(ArticleId, OrdersAndHashesByText) {
  const auto a = *ArticleId::parse("9");
  const auto b = *ArticleId::parse("10");
  EXPECT_LT(a, b);  // padded: 0000000009 < 0000000010
  std::unordered_set<ArticleId> ids{a, b, *ArticleId::parse("0000000009")};
  EXPECT_EQ(ids.size(), 2U);
}

}  // namespace
}  // namespace scalestyle::catalog
