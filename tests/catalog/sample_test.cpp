#include "catalog/sample.hpp"

#include <gmock/gmock.h>
#include <png.h>

#include <fstream>
#include <map>
#include <set>

#include "catalog/product_text.hpp"
#include "catalog/reader_support.hpp"
#include "catalog/sample_picture.hpp"
#include "catalog/sample_shapes.hpp"

namespace scalestyle::catalog {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files[fs::relative(entry.path(), folder).string()] = std::string((std::istreambuf_iterator<char>(stream)), {});
  }
  return files;
}

TEST(Sample, SameOptionsSameBytes) {
  const InputFolder folder;
  ASSERT_TRUE(write_sample(folder / "a", {.products = 20, .seed = 5}));
  ASSERT_TRUE(write_sample(folder / "b", {.products = 20, .seed = 5}));
  ASSERT_TRUE(write_sample(folder / "c", {.products = 20, .seed = 6}));
  const auto first = contents(folder / "a");
  EXPECT_EQ(first, contents(folder / "b"));
  EXPECT_NE(first.at("articles.csv"), contents(folder / "c").at("articles.csv"));
}

TEST(Sample, TheReadersAcceptEveryRow) {
  const InputFolder folder;
  const auto summary = write_sample(folder.path(), {.products = 800, .seed = 1, .images = false});
  ASSERT_TRUE(summary) << summary.error().message;
  const auto read = read_all_articles(folder / "articles.csv");
  ASSERT_TRUE(read.summary) << read.summary.error().message;
  EXPECT_EQ(read.summary->rejected, 0U);
  EXPECT_EQ(read.summary->accepted, summary->articles);
  EXPECT_THAT(read.summary->absent_columns, testing::IsEmpty());
  std::set<std::string> products;
  std::set<std::string> types;
  std::set<std::string> texts;
  for (const ArticleRow& row : read.accepted) {
    products.insert(row.article.product_code);
    types.insert(row.article[Attribute::kProductType]);
    texts.insert(product_text_v1(row.article));
    ASSERT_TRUE(row.article.price);
    EXPECT_GE(*row.article.price, 2.0);
    EXPECT_LE(*row.article.price, 300.0);
    EXPECT_GE(row.article.description.size(), 40U);
  }
  EXPECT_EQ(products.size(), 800U);
  EXPECT_GT(read.accepted.size(), 1600U);
  EXPECT_GE(types.size(), 20U);
  EXPECT_GE(texts.size(), read.accepted.size() * 99 / 100);

  const auto bought = read_all_transactions(folder / "transactions.csv");
  ASSERT_TRUE(bought.summary) << bought.summary.error().message;
  EXPECT_EQ(bought.summary->rejected, 0U);
  EXPECT_EQ(bought.summary->without_price, 0U);
  EXPECT_EQ(bought.summary->rows_read, summary->purchases);
  std::vector<std::uint64_t> counts;
  for (const ArticlePurchases& article : bought.articles) counts.push_back(article.purchase_count);
  std::sort(counts.rbegin(), counts.rend());
  std::uint64_t top = 0;
  for (std::size_t i = 0; i < counts.size() / 10; ++i) top += counts[i];
  EXPECT_GT(top, summary->purchases * 3 / 10) << "a tenth of the articles should have far more than a tenth of the purchases";
}

TEST(Sample, MoreProductsLeaveTheFirstNamesAlone) {
  const InputFolder folder;
  ASSERT_TRUE(write_sample(folder / "few", {.products = 5, .seed = 3, .images = false}));
  ASSERT_TRUE(write_sample(folder / "more", {.products = 50, .seed = 3, .images = false}));
  const auto few = read_all_articles(folder / "few" / "articles.csv");
  const auto more = read_all_articles(folder / "more" / "articles.csv");
  for (std::size_t i = 0; i < few.accepted.size(); ++i) EXPECT_EQ(few.accepted[i].article, more.accepted[i].article);
}

TEST(Sample, EveryArticleHasItsPicture) {
  const InputFolder folder;
  const auto summary = write_sample(folder.path(), {.products = 6, .seed = 2});
  ASSERT_TRUE(summary) << summary.error().message;
  const auto read = read_all_articles(folder / "articles.csv");
  for (const ArticleRow& row : read.accepted) {
    const std::string& id = row.article.id.text();
    EXPECT_TRUE(fs::is_regular_file(folder / "images" / id.substr(0, 3) / (id + ".png"))) << id;
  }
  EXPECT_EQ(summary->images, read.accepted.size());
}

TEST(Sample, PicturesOfShapesAndPatternsDiffer) {
  const auto names = all_shape_names();
  EXPECT_GE(names.size(), 10U);
  std::set<std::string> pictures;
  std::size_t drawn = 0;
  const auto add = [&](const SamplePicture& picture) {
    const auto png = draw_png(picture);
    ASSERT_TRUE(png) << png.error().message;
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    ASSERT_NE(png_image_begin_read_from_memory(&image, png->data(), png->size()), 0);
    EXPECT_EQ(image.width, 256U);
    EXPECT_EQ(image.height, 320U);
    image.format = PNG_FORMAT_RGB;
    std::string pixels(PNG_IMAGE_SIZE(image), '\0');
    ASSERT_NE(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr), 0);
    pictures.insert(std::move(pixels));
    ++drawn;
  };
  for (const std::string_view shape : names) {
    add({.shape = shape, .colour = {200, 40, 40}, .second = {250, 250, 250}});
  }
  for (int pattern = 1; pattern < 10; ++pattern) {
    add({.shape = "tee", .pattern = static_cast<SamplePattern>(pattern), .colour = {200, 40, 40}, .second = {250, 250, 250}});
  }
  EXPECT_EQ(pictures.size(), drawn);
  EXPECT_FALSE(draw_png({.shape = "toga"}));
}

TEST(Sample, RefusesBadOptions) {
  const InputFolder folder;
  const auto none = write_sample(folder.path(), {.products = 0});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().field, "products");
  EXPECT_FALSE(write_sample(folder.path(), {.products = 100'001}));
  const auto blocked = folder.write("file", "in the way");
  EXPECT_FALSE(write_sample(blocked, {.products = 1}));
}

}  // namespace
}  // namespace scalestyle::catalog
