// Products, an encoder of sentences, the vector scan.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "units.hpp"
#include "ingest/models/safetensors_writer.hpp"
#include "nn/bert_encoder.hpp"
#include "nn/kernels/elementwise.hpp"
#include "nn/kernels/gemm.hpp"
#include "retrieval/quantized_vectors.hpp"
#include "retrieval/vector_scan.hpp"

namespace scalestyle::guard {

namespace {

// The same on every machine and library: the standard's distributions are not.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  float next() {  // [-1, 1)
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<float>(static_cast<double>(state_ >> 33U) / static_cast<double>(1ULL << 30U) - 1.0);
  }
  std::vector<float> many(std::size_t count, float size) {
    std::vector<float> values(count);
    for (float& value : values) value = size * next();
    return values;
  }

 private:
  std::uint64_t state_;
};

void measure_products(Meter& meter) {
  constexpr std::size_t kRows = 14;
  constexpr std::size_t kIn = 384;
  constexpr std::size_t kOut = 384;
  if (!meter.wants("gemm f32 14x384x384") && !meter.wants("gemm int8 14x384x384")) return;
  Numbers numbers(1);
  const std::vector<float> weights = numbers.many(kOut * kIn, 0.05F);
  const std::vector<float> input = numbers.many(kRows * kIn, 1.0F);
  const auto packed = nn::kernels::PackedF32::pack(weights, kOut, kIn).value();
  const auto narrow = nn::kernels::PackedInt8::pack(weights, kOut, kIn).value();
  const nn::kernels::ConstMatrix rows{input.data(), kRows, kIn, kIn};
  nn::kernels::QuantizedRows quantized(kRows, kIn);
  nn::kernels::quantize_rows(rows, quantized);
  std::vector<float> wide(kRows * kOut);
  std::vector<float> out(kRows * kOut);
  meter.measure("gemm f32 14x384x384", 4, [&] { nn::kernels::gemm(rows, packed, {}, {wide.data(), kRows, kOut, kOut}); });
  meter.measure("gemm int8 14x384x384", 4, [&] { nn::kernels::gemm(quantized.view(), narrow, {}, {out.data(), kRows, kOut, kOut}); });
  if (!meter.wants("gemm f32 14x384x384") || !meter.wants("gemm int8 14x384x384")) return;
  float apart = 0;
  for (std::size_t i = 0; i < out.size(); ++i) apart = std::max(apart, std::abs(out[i] - wide[i]));
  require(apart > 0 && apart < 0.05F, "the int8 product is not near the f32 one");
}

// BGE-small's layers, two of them, with random weights.
void write_encoder(const std::filesystem::path& folder) {
  constexpr std::size_t kHidden = 384;
  constexpr std::size_t kWide = 1'536;
  Numbers numbers(2);
  std::vector<ingest::models::F32Tensor> tensors;
  const auto add = [&](const std::string& name, std::vector<std::uint64_t> shape, float mean, float size) {
    std::uint64_t count = 1;
    for (const std::uint64_t length : shape) count *= length;
    ingest::models::F32Tensor tensor{name, std::move(shape), numbers.many(count, size)};
    for (float& value : tensor.values) value += mean;
    tensors.push_back(std::move(tensor));
  };
  const auto norm = [&](const std::string& name) {
    add(name + ".weight", {kHidden}, 1, 0.2F);
    add(name + ".bias", {kHidden}, 0, 0.2F);
  };
  const auto linear = [&](const std::string& name, std::size_t out, std::size_t in) {
    add(name + ".weight", {out, in}, 0, 1.7F / std::sqrt(static_cast<float>(in)));
    add(name + ".bias", {out}, 0, 0.1F);
  };
  add("embeddings.word_embeddings.weight", {1'000, kHidden}, 0, 0.5F);
  add("embeddings.position_embeddings.weight", {64, kHidden}, 0, 0.5F);
  add("embeddings.token_type_embeddings.weight", {2, kHidden}, 0, 0.5F);
  norm("embeddings.LayerNorm");
  for (int layer = 0; layer < 2; ++layer) {
    const std::string base = fmt::format("encoder.layer.{}.", layer);
    for (const char* part : {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"}) {
      linear(base + part, kHidden, kHidden);
    }
    norm(base + "attention.output.LayerNorm");
    linear(base + "intermediate.dense", kWide, kHidden);
    linear(base + "output.dense", kHidden, kWide);
    norm(base + "output.LayerNorm");
  }
  std::ofstream(folder / "config.json")
      << R"({"model_type":"bert","hidden_act":"gelu","hidden_size":384,"num_hidden_layers":2,"num_attention_heads":12,)"
         R"("intermediate_size":1536,"max_position_embeddings":64,"vocab_size":1000,"type_vocab_size":2,"pad_token_id":0,)"
         R"("layer_norm_eps":1e-12})";
  require(ingest::models::write_safetensors(folder / "model.safetensors", tensors).has_value(), "the encoder cannot be written");
}

void measure_encoder(Meter& meter, const std::filesystem::path& folder) {
  if (!meter.wants("encoder int8, 14 tokens, 2 layers")) return;
  write_encoder(folder);
  const auto encoder = nn::BertEncoder::load(folder, {.precision = nn::Precision::kInt8, .pooling = nn::Pooling::kCls}).value();
  std::vector<std::int32_t> ids;
  for (std::int32_t i = 0; i < 14; ++i) ids.push_back(100 + i * 37);
  const std::vector<nn::TokenSequence> texts{nn::TokenSequence(ids)};
  std::vector<float> vector(encoder->dimension());
  nn::BertEncoder::Workspace workspace;
  meter.measure("encoder int8, 14 tokens, 2 layers", 2, [&] { require(encoder->encode(texts, vector, workspace).has_value(), "no vector"); });
  double length = 0;
  for (const float value : vector) length += static_cast<double>(value) * static_cast<double>(value);
  require(std::abs(length - 1) < 1e-4, "the encoder's vector is not of unit length");
}

void measure_scan(Meter& meter) {
  constexpr std::size_t kRows = 20'000;
  constexpr std::size_t kDimension = 384;
  if (!meter.wants("scan 20000x384, top 100") && !meter.wants("scan 20000x384, top 100 of an eighth")) return;
  Numbers numbers(3);
  std::vector<float> values = numbers.many(kRows * kDimension, 1.0F);
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::span<float> vector = std::span(values).subspan(row * kDimension, kDimension);
    double sum = 0;
    for (const float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
    for (float& value : vector) value /= static_cast<float>(std::sqrt(sum));
  }
  const retrieval::ExactVectors exact{kRows, kDimension, values};
  const std::vector<std::byte> encoded = retrieval::encode_quantized_vectors(exact).value();
  const nn::kernels::AlignedBuffer bytes(encoded.size());
  std::ranges::copy(encoded, bytes.data());
  const auto quantized = retrieval::open_quantized_vectors({bytes.data(), encoded.size()}, "encoded", retrieval::VectorCheck::kFull).value();
  std::vector<std::uint64_t> eighth((kRows + 63) / 64);
  for (std::size_t row = 0; row < kRows; ++row) {
    if (row * 2654435761U % 1024 < 128) eighth[row / 64] |= std::uint64_t{1} << (row % 64);
  }
  const std::span<const float> asked = exact.row(4'711);
  retrieval::VectorScanJob job;
  const auto scan = [&](std::span<const std::uint64_t> eligible) {
    const std::vector<retrieval::VectorQuery> queries{{asked, eligible, 100}};
    require(job.begin(quantized, exact, queries, 1).has_value(), "the scan does not begin");
    job.run();
  };
  meter.measure("scan 20000x384, top 100", 1, [&] {
    scan({});
    require(job.hits(0).size() == 100 && job.hits(0)[0].row == 4'711, "the scan does not find the row itself");
  });
  meter.measure("scan 20000x384, top 100 of an eighth", 2, [&] {
    scan(eighth);
    require(job.hits(0).size() == 100, "the scan with a filter finds too few rows");
  });
}

}  // namespace

void measure_model(Meter& meter, const std::filesystem::path& folder) {
  measure_products(meter);
  measure_encoder(meter, folder);
  measure_scan(meter);
}

}  // namespace scalestyle::guard
