// Which searches by picture are wrong, each by its field, and which are the same.

#include "search/visual_request.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "search/list_key.hpp"
#include "search/request_fingerprint.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {
namespace {

SearchRequest valid(VisualMode mode) {
  SearchRequest request;
  request.visual.emplace().mode = mode;
  if (mode != VisualMode::kImageToImage) request.query = "red";
  if (mode != VisualMode::kTextToImage) {
    request.visual->image = std::make_shared<const std::string>("bytes");
    request.visual->image_hash = "hash";
  }
  return request;
}

std::string fault(VisualMode mode, const std::function<void(SearchRequest&)>& change) {
  SearchRequest request = valid(mode);
  change(request);
  const auto checked = validate(request);
  return checked ? std::string() : checked.error().field;
}

TEST(VisualRequest, FaultsNameTheirField) {
  for (std::size_t i = 0; i < kVisualModeCount; ++i) {
    const auto mode = static_cast<VisualMode>(i);
    EXPECT_EQ(visual_mode(to_string(mode)), mode);
    EXPECT_TRUE(validate(valid(mode))) << to_string(mode);
    for (const double weight : {-0.1, std::nan(""), std::numeric_limits<double>::infinity()}) {
      EXPECT_EQ(fault(mode, [&](auto& request) { request.visual->text_weight = weight; }), "text_weight");
      EXPECT_EQ(fault(mode, [&](auto& request) { request.visual->image_weight = weight; }), "image_weight");
    }
    EXPECT_EQ(fault(mode, [](auto& request) { request.query = std::string(501, 'a'); }), "query");
    EXPECT_EQ(fault(mode, [](auto& request) { request.query = "\xff"; }), "query");
    const auto too_long = [](auto& request) { request.visual->less_like = std::string(kMaxLessLikeCharacters + 1, 'a'); };
    EXPECT_EQ(fault(mode, too_long), "less_like");
    EXPECT_EQ(fault(mode, [](auto& request) { request.visual->less_like = " \t"; }), "less_like");
    EXPECT_EQ(fault(mode, [](auto& request) { request.visual->less_like = "dull"; }), mode == VisualMode::kHybrid ? "less_like" : "");
    const bool needs_query = mode != VisualMode::kImageToImage;
    EXPECT_EQ(fault(mode, [](auto& request) { request.query = " "; }), needs_query ? "query" : "");
    const bool needs_picture = mode != VisualMode::kTextToImage;
    EXPECT_EQ(fault(mode, [](auto& request) { request.visual->image = nullptr; }), needs_picture ? "image" : "");
    const auto other_picture = [](auto& request) { request.visual->article = catalog::ArticleId::parse("1").value(); };
    EXPECT_EQ(fault(mode, other_picture), "article") << "two pictures, or one too many";
    EXPECT_EQ(fault(mode, [](auto& request) { request.k = 0; }), "k");
  }
  EXPECT_FALSE(visual_mode("text"));
  EXPECT_EQ(fault(VisualMode::kTextToImage, [](auto& request) { request.visual->image = std::make_shared<const std::string>("a"); }), "image");
  EXPECT_EQ(fault(VisualMode::kImageToImage, [](auto& request) { request.visual->image = std::make_shared<const std::string>(); }), "image");
  for (const VisualMode mode : {VisualMode::kMultimodal, VisualMode::kHybrid}) {
    const auto weights = [](double text, double image) {
      return [text, image](SearchRequest& request) {
        request.visual->text_weight = text;
        request.visual->image_weight = image;
        if (text == 0) request.query.clear();
        if (image == 0) request.visual->image = nullptr;
      };
    };
    EXPECT_EQ(fault(mode, weights(0, 0)), "text_weight");
    EXPECT_EQ(fault(mode, weights(0, 1)), "") << "a side of no weight need not be there";
    EXPECT_EQ(fault(mode, weights(1, 0)), "");
  }
  EXPECT_EQ(fault(VisualMode::kHybrid, [](auto& request) { request.legs = {.lexical = false, .dense = false, .image = true}; }), "legs");
}

TEST(VisualRequest, RequestsForTheSameListAreTheSame) {
  const auto key = [](SearchRequest request) {
    EXPECT_TRUE(validate(request));
    simplify(request);
    return std::pair(list_key(request, request.query), request_fingerprint(request));
  };
  const auto weighted = [](VisualMode mode, double text, double image) {
    SearchRequest request = valid(mode);
    request.visual->text_weight = text;
    request.visual->image_weight = image;
    return request;
  };
  const auto hybrid = VisualMode::kHybrid;
  EXPECT_EQ(key(weighted(hybrid, 0.5, 0.5)), key(weighted(hybrid, 1e308, 1e308)));
  EXPECT_NE(key(weighted(hybrid, 0.5, 0.5)), key(weighted(hybrid, 0.5, 0.4)));
  SearchRequest words;
  words.query = "red";
  EXPECT_EQ(key(weighted(hybrid, 1, 0)), key(words));
  EXPECT_EQ(key(weighted(hybrid, 0, 1)), key(valid(VisualMode::kImageToImage)));
  EXPECT_EQ(key(weighted(VisualMode::kMultimodal, 0, 1)), key(valid(VisualMode::kImageToImage)));
  EXPECT_EQ(key(weighted(VisualMode::kMultimodal, 1, 0)), key(valid(VisualMode::kTextToImage)));
  EXPECT_EQ(key(weighted(VisualMode::kImageToImage, 0, 0)), key(valid(VisualMode::kImageToImage))) << "they have none";

  const std::vector<SearchRequest> different = [&] {
    std::vector<SearchRequest> all{words};
    words.legs.image = true;
    all.push_back(words);
    for (std::size_t i = 0; i < kVisualModeCount; ++i) all.push_back(valid(static_cast<VisualMode>(i)));
    all.push_back(valid(VisualMode::kImageToImage));
    all.back().visual->image_hash = "other";
    all.push_back(valid(VisualMode::kImageToImage));
    all.back().visual->less_like = "dull";
    all.push_back(valid(VisualMode::kImageToImage));
    all.back().visual->image = nullptr;
    all.back().visual->image_hash.clear();
    all.back().visual->article = catalog::ArticleId::parse("1").value();
    return all;
  }();
  for (std::size_t a = 0; a < different.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      EXPECT_NE(key(different[a]).first, key(different[b]).first) << a << ' ' << b;
      EXPECT_NE(key(different[a]).second, key(different[b]).second) << a << ' ' << b;
    }
  }
}

}  // namespace
}  // namespace scalestyle::search
