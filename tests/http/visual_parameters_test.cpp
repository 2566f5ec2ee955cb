#include "http/visual_parameters.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "http/list_parameters.hpp"

namespace scalestyle::http {
namespace {

constexpr std::size_t kMaxBytes = 1'000;
constexpr std::string_view kJpegBytes = "\xFF\xD8\xFF rest";
const std::string kPicture = "/9j/IHJlc3Q=";  // of kJpegBytes

core::Result<VisualWish> image_search(const std::string& json) {
  CORE_TRY(ParameterValues values, read_parameters(image_search_body(), "", json));
  return to_image_search(std::move(values), core::SteadyTime(), kMaxBytes);
}
core::Result<VisualWish> hybrid_search(const std::string& json) {
  CORE_TRY(ParameterValues values, read_parameters(hybrid_search_body(), "", json));
  return to_hybrid_search(std::move(values), core::SteadyTime(), kMaxBytes);
}
std::string field_of(const core::Result<VisualWish>& wish) { return wish ? "was read" : wish.error().field; }

TEST(VisualParameters, TakeWhatASearchTakesUnderTheSameNames) {
  const auto names = [](std::span<const ParameterSpec> specs) {
    std::set<std::string> all;
    for (const ParameterSpec& spec : specs) all.emplace(spec.name);
    return all;
  };
  std::set<std::string> wanted = names(search_parameters());
  for (const char* name : {"image_base64", "image_url", "article_id", "text_weight", "image_weight"}) wanted.insert(name);
  EXPECT_EQ(names(hybrid_search_body().parameters), wanted);
  wanted.erase("legs");
  wanted.insert({"mode", "less_like"});
  EXPECT_EQ(names(image_search_body().parameters), wanted);
  EXPECT_LE(image_search_body().parameters.size(), 64U);
  for (const ParameterSpec& spec : search_parameters()) {
    for (const ParameterBody* body : {&image_search_body(), &hybrid_search_body()}) {
      const auto same = std::ranges::find(body->parameters, spec.name, &ParameterSpec::name);
      if (same == body->parameters.end()) continue;
      EXPECT_EQ(same->kind, spec.kind) << spec.name;
      EXPECT_EQ(same->minimum, spec.minimum) << spec.name;
      EXPECT_EQ(same->maximum, spec.maximum) << spec.name;
      EXPECT_EQ(same->max_values, spec.max_values) << spec.name;
      EXPECT_EQ(same->default_value, spec.default_value) << spec.name;
    }
  }
}

TEST(VisualParameters, ModesAndPicturesAreRead) {
  const auto wish = image_search(R"({"mode":"image_to_image","image_base64":")" + kPicture + R"(","k":5,"less_like":"stripes","colour":"Red"})");
  ASSERT_TRUE(wish) << wish.error().message;
  const search::VisualQuery& visual = *wish->request.visual;
  EXPECT_EQ(visual.mode, search::VisualMode::kImageToImage);
  EXPECT_EQ(*visual.image, kJpegBytes);
  EXPECT_EQ(visual.less_like, "stripes");
  EXPECT_EQ(wish->request.k, 5U);
  EXPECT_EQ(wish->request.filter[catalog::FilterField::kColour], std::vector<std::string>{"Red"});
  EXPECT_EQ(wish->picture_field, "image_base64");

  EXPECT_EQ(image_search(R"({"mode":"image","article_id":"108775015"})")->request.visual->article->text(), "0108775015");
  EXPECT_EQ(image_search(R"({"mode":"image","image_url":"https://a.example/b.jpg"})")->image_url, "https://a.example/b.jpg");
  EXPECT_EQ(image_search(R"({"mode":"text_to_image","query":"red dress"})")->request.visual->mode, search::VisualMode::kTextToImage);
  EXPECT_EQ(image_search(R"({"mode":"image","image_base64":"data:image/png;base64,)" + kPicture + "\"}")->request.visual->image->size(), 8U);
  EXPECT_EQ(image_search(R"({"mode":"image_to_image","article_id":"1","query":"for men"})")->request.query, "for men");
  const auto multimodal = image_search(R"({"mode":"multimodal","article_id":"1","query":"in red","text_weight":2,"image_weight":1})");
  EXPECT_EQ(multimodal->request.visual->mode, search::VisualMode::kMultimodal);
  EXPECT_EQ(multimodal->request.visual->text_weight, 2.0);
  EXPECT_EQ(multimodal->request.visual->image_weight, 1.0);

  const auto hybrid = hybrid_search(R"({"query":"red dress","article_id":"1","legs":["dense"],"sort":"price_asc"})");
  ASSERT_TRUE(hybrid) << hybrid.error().message;
  EXPECT_EQ(hybrid->request.visual->mode, search::VisualMode::kHybrid);
  EXPECT_EQ(hybrid->request.visual->text_weight, 0.5);
  EXPECT_FALSE(hybrid->request.legs.lexical);
  EXPECT_TRUE(hybrid_search(R"({"query":"red dress","image_weight":0})")) << "a side without weight need not be there";
  EXPECT_TRUE(hybrid_search(R"({"article_id":"1","text_weight":0})"));
}

TEST(VisualParameters, AFileOfAForm) {
  const std::string form = "--b\r\nContent-Disposition: form-data; name=mode\r\n\r\nimage\r\n--b\r\nContent-Disposition: form-data; name=image; filename=x\r\n\r\n" +
                           std::string(kJpegBytes) + "\r\n--b--";
  auto values = read_parameters(image_search_body(), "multipart/form-data; boundary=b", form);
  ASSERT_TRUE(values) << values.error().message;
  const auto wish = to_image_search(std::move(*values), core::SteadyTime(), kMaxBytes);
  EXPECT_EQ(*wish->request.visual->image, kJpegBytes);
  EXPECT_EQ(wish->picture_field, "image");
}

TEST(VisualParameters, WhatIsMissingOrTooMuchIsNamed) {
  EXPECT_EQ(field_of(image_search("{}")), "mode");
  EXPECT_EQ(field_of(image_search(R"({"mode":"hybrid"})")), "mode");
  EXPECT_EQ(field_of(image_search(R"({"mode":"image"})")), "image");
  EXPECT_EQ(field_of(image_search(R"({"mode":"multimodal","query":"red"})")), "image");
  EXPECT_EQ(field_of(image_search(R"({"mode":"multimodal","article_id":"1"})")), "query");
  EXPECT_EQ(field_of(image_search(R"({"mode":"text_to_image"})")), "query");
  EXPECT_EQ(field_of(image_search(R"({"mode":"text_to_image","query":"red","article_id":"1"})")), "article_id");
  EXPECT_EQ(field_of(image_search(R"({"mode":"image","article_id":"1","image_url":"https://a/b"})")), "article_id");
  EXPECT_EQ(field_of(image_search(R"({"mode":"image","article_id":"1","image_base64":"AAAA"})")), "article_id");
  EXPECT_EQ(field_of(image_search(R"({"mode":"image","article_id":"1","text_weight":1})")), "text_weight");
  EXPECT_EQ(field_of(image_search(R"({"mode":"multimodal","article_id":"1","query":"a","text_weight":0,"image_weight":0})")), "text_weight");
  EXPECT_EQ(field_of(image_search(R"({"mode":"multimodal","article_id":"1","query":"a","image_weight":-1})")), "image_weight");
  EXPECT_EQ(field_of(image_search(R"({"mode":"multimodal","article_id":"1","query":"a","image_weight":"1"})")), "image_weight");
  EXPECT_EQ(field_of(image_search(R"({"mode":"image","article_id":"1","legs":"dense"})")), "legs");
  EXPECT_EQ(field_of(image_search(R"({"mode":"image","article_id":"1","k":101})")), "k");
  EXPECT_EQ(field_of(image_search(R"({"mode":"image","article_id":"\n"})")), "article_id");
  EXPECT_EQ(field_of(image_search(R"({"mode":"image","article_id":"1","facets":"sizes"})")), "facets");
  EXPECT_EQ(field_of(hybrid_search(R"({"query":"red"})")), "image");
  EXPECT_EQ(field_of(hybrid_search(R"({"article_id":"1"})")), "query");
  EXPECT_EQ(field_of(hybrid_search(R"({"query":"red","article_id":"1","mode":"image"})")), "mode");
  EXPECT_EQ(field_of(hybrid_search(R"({"query":"red","article_id":"1","less_like":"blue"})")), "less_like");
  EXPECT_EQ(field_of(hybrid_search(R"({"query":"red","article_id":"1","legs":"dense,image"})")), "legs");
  EXPECT_EQ(field_of(hybrid_search(R"({"query":"red","article_id":"1","config":"all","legs":"image"})")), "legs");
  const auto configured = hybrid_search(R"({"query":"red","article_id":"1","config":"all","legs":"dense,image"})");
  ASSERT_TRUE(configured) << "a configuration is for searches without a picture too";
  EXPECT_TRUE(configured->request.legs.dense);
  EXPECT_FALSE(configured->request.legs.image);
}

TEST(VisualParameters, PicturesThatAreNone) {
  const auto refused = [](const std::string& base64) { return image_search(R"({"mode":"image","image_base64":")" + base64 + "\"}").error(); };
  EXPECT_EQ(refused("!!!!").code, core::ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused("!!!!").message, "image_base64 is not Base64 at character 1");
  EXPECT_EQ(refused("data:image/png,abc").code, core::ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused("R0lGODlh").code, core::ErrorCode::kUnsupported) << "GIF";
  EXPECT_EQ(refused("AAAAAAAA").code, core::ErrorCode::kUnsupported);
  std::string large = "/9j/";
  while (large.size() / 4 * 3 <= kMaxBytes) large += "AAAA";
  EXPECT_EQ(refused(large).code, core::ErrorCode::kResourceExhausted);
  EXPECT_EQ(refused(large).field, "image_base64");
}

}  // namespace
}  // namespace scalestyle::http
