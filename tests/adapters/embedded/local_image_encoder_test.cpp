// Pictures and texts through the small golden CLIP: decoded, prepared, embedded, as the reference does.

#include "adapters/embedded/local_image_encoder.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <fstream>
#include <iterator>
#include <thread>

#include "core/task.hpp"
#include "support/running_pool.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::support {
namespace {

namespace json = boost::json;
using adapters::embedded::LocalImageEncoder;
using ::testing::HasSubstr;

std::filesystem::path golden() { return shared_dir() / "golden" / "clip"; }

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<float> unit(const json::value& values) {
  std::vector<double> raw;
  double sum = 0;
  for (const json::value& value : values.as_array()) {
    raw.push_back(value.to_number<double>());
    sum += raw.back() * raw.back();
  }
  std::vector<float> vector;
  for (const double value : raw) vector.push_back(static_cast<float>(value / std::sqrt(sum)));
  return vector;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  for (std::size_t i = 0; i < a.size(); ++i) dot += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return dot;
}

class LocalImageEncoderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SCALESTYLE_NEED(golden());
    expected_ = json::parse(read_file(golden() / "expected.json"));
  }

  static core::Result<std::unique_ptr<LocalImageEncoder>> create(RunningPool& pool, nn::Precision precision = nn::Precision::kF32,
                                                                 const std::filesystem::path& model_dir = golden()) {
    LocalImageEncoder::Options options;
    options.model_dir = model_dir;
    options.model_name = "golden-clip";
    options.precision = precision;
    return LocalImageEncoder::create(options, *pool, pool.clock());
  }

  static auto encode(LocalImageEncoder& encoder, const std::vector<std::string>& files) {
    std::vector<ports::EncodedImage> images;
    for (const std::string& file : files) images.push_back(std::make_shared<const std::string>(file));
    return core::sync_wait(encoder.encode_images(std::move(images), core::Deadline::never()));
  }

  std::vector<std::string> golden_files() {
    std::vector<std::string> files;
    for (const json::value& image : expected_.at("images").as_array()) {
      files.push_back(read_file(golden() / "images" / std::string(image.at("file").as_string())));
    }
    return files;
  }

  json::value expected_;
};

TEST_F(LocalImageEncoderTest, PicturesAndTextsAreThoseOfTheReference) {
  RunningPool pool(2);
  const auto encoder = create(pool);
  ASSERT_TRUE(encoder) << encoder.error().message;
  EXPECT_EQ((*encoder)->info().model, "golden-clip");
  EXPECT_EQ((*encoder)->info().precision, "f32");
  EXPECT_EQ((*encoder)->info().dimension, 32U);
  EXPECT_EQ((*encoder)->info().max_tokens, 77U);
  EXPECT_EQ((*encoder)->info().weights_hash.size(), 64U);
  const auto pictures = encode(**encoder, golden_files());
  ASSERT_TRUE(pictures) << pictures.error().message;
  const auto& images = expected_.at("images").as_array();
  ASSERT_EQ(pictures->size(), images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    SCOPED_TRACE(std::string(images[i].at("file").as_string()));
    ASSERT_TRUE((*pictures)[i]) << (*pictures)[i].error().message;
    // The reference drops an alpha channel, here the picture lies over white.
    const bool is_transparent = images[i].at("file").as_string() == "shapes_rgba.png";
    EXPECT_GE(cosine(*(*pictures)[i], unit(images[i].at("image_embeds"))), is_transparent ? 0.97 : 0.99999);
    EXPECT_NEAR(cosine(*(*pictures)[i], *(*pictures)[i]), 1, 1e-5);
  }
  std::vector<std::string> texts;
  for (const json::value& text : expected_.at("texts").as_array()) texts.emplace_back(text.at("text").as_string());
  const auto batch = core::sync_wait((*encoder)->encode_texts(texts, core::Deadline::never()));
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->dimension, 32U);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].find("<|") != std::string::npos) continue;  // a special token to the reference, plain words here
    const auto vector = std::span(batch->values).subspan(i * 32, 32);
    EXPECT_GE(cosine(vector, unit(expected_.at("texts").as_array()[i].at("text_embeds"))), 0.99999) << texts[i];
  }
}

TEST_F(LocalImageEncoderTest, NeitherThreadsNorCompanyChangeABit) {
  const auto files = golden_files();
  std::vector<std::string> many;
  for (std::size_t i = 0; i < 21; ++i) many.push_back(i % 5 == 4 ? "no picture" : files[i % files.size()]);
  const std::vector<std::string> texts{"red shirt", "a dress", "", "stripes"};
  std::vector<std::vector<float>> alone;
  std::vector<float> alone_texts;
  for (const std::size_t threads : {1U, 2U, 3U}) {
    RunningPool pool(threads);
    const auto encoder = create(pool);
    ASSERT_TRUE(encoder) << encoder.error().message;
    if (alone.empty()) {
      for (const std::string& file : files) alone.push_back(*(*encode(**encoder, {file}))[0]);
    }
    const auto batch = encode(**encoder, many);
    ASSERT_TRUE(batch) << batch.error().message;
    for (std::size_t i = 0; i < many.size(); ++i) {
      ASSERT_EQ((*batch)[i].has_value(), i % 5 != 4);
      if (i % 5 == 4) continue;
      EXPECT_EQ(*(*batch)[i], alone[i % files.size()]) << i;
    }
    for (const std::string& text : texts) {
      const auto one = core::sync_wait((*encoder)->encode_texts({text}, core::Deadline::never()));
      ASSERT_TRUE(one) << one.error().message;
      if (threads == 1) alone_texts.insert(alone_texts.end(), one->values.begin(), one->values.end());
    }
    const auto together = core::sync_wait((*encoder)->encode_texts(texts, core::Deadline::never()));
    ASSERT_TRUE(together) << together.error().message;
    EXPECT_EQ(together->values, alone_texts);
  }
}

TEST_F(LocalImageEncoderTest, AFaultIsOfItsPictureAlone) {
  RunningPool pool(2);
  const auto encoder = create(pool);
  ASSERT_TRUE(encoder) << encoder.error().message;
  const auto files = golden_files();
  const auto results = encode(**encoder, {files[0], files[0].substr(0, files[0].size() / 2), "GIF89a", "", files[1],
                                          std::string(std::size_t{11} << 20, 'x')});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_TRUE((*results)[0]);
  EXPECT_EQ((*results)[1].error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_EQ((*results)[2].error().code, core::ErrorCode::kUnsupported);
  EXPECT_EQ((*results)[3].error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_TRUE((*results)[4]);
  EXPECT_FALSE((*results)[5]);
  const auto none = encode(**encoder, {});
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_TRUE(none->empty());
  const auto no_texts = core::sync_wait((*encoder)->encode_texts({}, core::Deadline::never()));
  ASSERT_TRUE(no_texts) << no_texts.error().message;
  EXPECT_TRUE(no_texts->values.empty());
}

TEST_F(LocalImageEncoderTest, BadTextsAndLateRequestsAreRefused) {
  RunningPool pool(2);
  const auto encoder = create(pool);
  ASSERT_TRUE(encoder) << encoder.error().message;
  const auto bad = core::sync_wait((*encoder)->encode_texts({"good", "\xff\xfe"}, core::Deadline::never()));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, core::ErrorCode::kInvalidArgument);
  EXPECT_THAT(bad.error().message, HasSubstr("text 1"));
  const auto late = core::Deadline::at(pool.clock().steady_now() - std::chrono::seconds(1));
  const std::vector<ports::EncodedImage> images{std::make_shared<const std::string>(golden_files()[0])};
  EXPECT_EQ(core::sync_wait((*encoder)->encode_images(images, late)).error().code, core::ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(core::sync_wait((*encoder)->encode_texts({"x"}, late)).error().code, core::ErrorCode::kDeadlineExceeded);
}

TEST_F(LocalImageEncoderTest, PartsOfDifferentModelsAreRefused) {
  TemporaryFolder folder;
  for (const char* file : {"config.json", "model.safetensors", "vocab.json", "merges.txt"}) {
    std::filesystem::copy_file(golden() / file, folder / file);
  }
  RunningPool pool(1);
  const auto without = create(pool, nn::Precision::kF32, folder.path());
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error().message, HasSubstr("preprocessor_config.json"));
  std::string preprocessing = read_file(golden() / "preprocessor_config.json");
  for (std::size_t at = preprocessing.find("64"); at != std::string::npos; at = preprocessing.find("64", at)) preprocessing.replace(at, 2, "96");
  std::ofstream(folder / "preprocessor_config.json") << preprocessing;
  const auto other_size = create(pool, nn::Precision::kF32, folder.path());
  ASSERT_FALSE(other_size);
  EXPECT_EQ(other_size.error().code, core::ErrorCode::kFailedPrecondition);
  EXPECT_THAT(other_size.error().message, HasSubstr("96 pixels a side, the model reads 64"));
}

TEST_F(LocalImageEncoderTest, ManyThreadsAskAtOnce) {
  RunningPool pool(2);
  const auto encoder = create(pool, nn::Precision::kInt8);
  ASSERT_TRUE(encoder) << encoder.error().message;
  const auto files = golden_files();
  const auto expected = encode(**encoder, files);
  ASSERT_TRUE(expected) << expected.error().message;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const auto again = encode(**encoder, files);
        ASSERT_TRUE(again) << again.error().message;
        for (std::size_t j = 0; j < files.size(); ++j) EXPECT_EQ(*(*again)[j], *(*expected)[j]);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace scalestyle::support
