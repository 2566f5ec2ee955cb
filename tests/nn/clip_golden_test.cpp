// CLIP against the reference's vectors: a small random model (32 channels, 2 layers a tower, heads of 8), pixels and token
// ids given.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "golden_texts.hpp"
#include "nn/clip_model.hpp"
#include "nn/kernels/isa.hpp"
#include "nn/safetensors.hpp"
#include "support/shared_data.hpp"

namespace scalestyle::nn {
namespace {

namespace json = boost::json;

struct Golden {
  std::vector<float> pixels;
  std::vector<float> images;  // vectors
  std::vector<std::vector<std::int32_t>> ids;
  std::vector<float> texts;  // vectors
};

std::filesystem::path folder() { return support::shared_dir() / "golden" / "clip"; }

void append(const json::value& numbers, std::vector<float>& to) {
  for (const auto& number : numbers.as_array()) to.push_back(number.to_number<float>());
}

Golden read_golden(std::size_t image_size) {
  std::stringstream bytes;
  bytes << std::ifstream(folder() / "expected.json").rdbuf();
  const json::value expected = json::parse(bytes.str());
  const auto file = SafetensorsFile::open(folder() / "expected_images.safetensors");
  if (!file) throw std::runtime_error(file.error().message);
  Golden golden;
  const std::array<std::uint64_t, 3> shape{3, image_size, image_size};
  for (const auto& image : expected.at("images").as_array()) {
    const auto pixels = file->read_f32(std::string(image.at("file").as_string()) + ".pixel_values", shape);
    if (!pixels) throw std::runtime_error(pixels.error().message);
    golden.pixels.insert(golden.pixels.end(), pixels->begin(), pixels->end());
    append(image.at("image_embeds_normalised"), golden.images);
  }
  for (const auto& text : expected.at("texts").as_array()) {
    auto& ids = golden.ids.emplace_back();
    for (const auto& id : text.at("ids").as_array()) ids.push_back(id.to_number<std::int32_t>());
    append(text.at("text_embeds_normalised"), golden.texts);
  }
  return golden;
}

struct Vectors {
  std::vector<float> images;
  std::vector<float> texts;
  bool operator==(const Vectors&) const = default;
};

Vectors encode(const ClipModel& model, const Golden& golden) {
  Vectors vectors{std::vector<float>(golden.images.size()), std::vector<float>(golden.texts.size())};
  ClipWorkspace workspace;
  const core::Status images = model.encode_images(golden.pixels, vectors.images, workspace);
  EXPECT_TRUE(images.has_value()) << images.error().message;
  const std::vector<TokenSequence> sequences(golden.ids.begin(), golden.ids.end());
  const core::Status texts = model.encode_texts(sequences, vectors.texts, workspace);
  EXPECT_TRUE(texts.has_value()) << texts.error().message;
  return vectors;
}

double least_cosine(std::span<const float> a, std::span<const float> b, std::size_t dimension) {
  double least = 1;
  for (std::size_t first = 0; first < a.size(); first += dimension) {
    least = std::min(least, cosine(a.subspan(first, dimension), b.subspan(first, dimension)));
  }
  return least;
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (std::size_t index = 0; index < a.size(); ++index) {
    largest = std::max(largest, std::fabs(static_cast<double>(a[index]) - static_cast<double>(b[index])));
  }
  return largest;
}

class GoldenClip : public ::testing::TestWithParam<Precision> {};

TEST_P(GoldenClip, EveryVectorIsNearTheReferences) {
  SCALESTYLE_NEED(folder());
  const auto model = ClipModel::load(folder(), {.precision = GetParam()});
  ASSERT_TRUE(model.has_value()) << model.error().message;
  const Golden golden = read_golden((*model)->image_size());
  ASSERT_EQ(golden.images.size(), 3 * (*model)->dimension());
  ASSERT_EQ(golden.ids.size(), 29U);
  const Vectors vectors = encode(**model, golden);
  const double image_cosine = least_cosine(vectors.images, golden.images, (*model)->dimension());
  const double text_cosine = least_cosine(vectors.texts, golden.texts, (*model)->dimension());
  const double image_error = largest_difference(vectors.images, golden.images);
  const double text_error = largest_difference(vectors.texts, golden.texts);
  std::printf("%s: least cosine of pictures %.6f, of texts %.6f; largest error of a component %.1e, %.1e\n",
              std::string(to_string(GetParam())).c_str(), image_cosine, text_cosine, image_error, text_error);
  // Rounding errors do not average out over 32 channels of random weights as they do in real models.
  const double gate = GetParam() == Precision::kF32 ? 0.999999 : GetParam() == Precision::kBf16 ? 0.999 : 0.99;
  EXPECT_GE(image_cosine, gate);
  EXPECT_GE(text_cosine, gate);
  if (GetParam() != Precision::kF32) return;
  EXPECT_LE(image_error, 5e-6);  // patches are sums of 3,072 products, which the reference adds in another order
  EXPECT_LE(text_error, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(EveryPrecision, GoldenClip, ::testing::Values(Precision::kF32, Precision::kBf16, Precision::kInt8),
                         [](const auto& given) { return std::string(to_string(given.param)); });

// bf16 is not among them: its sums differ between instruction sets.
TEST(GoldenClipBits, EveryInstructionSetGivesTheSameBits) {
  SCALESTYLE_NEED(folder());
  for (const Precision precision : {Precision::kF32, Precision::kInt8}) {
    const auto model = ClipModel::load(folder(), {.precision = precision});
    ASSERT_TRUE(model.has_value()) << model.error().message;
    const Golden golden = read_golden((*model)->image_size());
    Vectors expected;
    for (const kernels::Isa isa : kernels::supported_isas()) {
      ASSERT_TRUE(kernels::force_isa(kernels::to_string(isa)));
      const Vectors vectors = encode(**model, golden);
      if (expected.images.empty()) expected = vectors;
      EXPECT_EQ(vectors, expected) << to_string(precision) << ", " << kernels::to_string(isa);
    }
    ASSERT_TRUE(kernels::force_isa("auto"));
  }
}

}  // namespace
}  // namespace scalestyle::nn
