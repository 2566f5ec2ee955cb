#pragma once
// The tensors of one transformer layer as models multiply by them: queries, keys and values apart, heads padded to the
// attention kernel's width. Packing to a precision is linear.hpp's work, names are the models'.

#include <cstddef>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "nn/kernels/elementwise.hpp"
#include "nn/kernels/matrix.hpp"
#include "nn/safetensors.hpp"

namespace scalestyle::nn {

struct LinearTensors {
  std::size_t out = 0;
  std::size_t in = 0;
  std::vector<float> weight;  // row-major [out, in]
  std::vector<float> bias;    // [out]; empty: none
  bool fine = false;          // rounding errors of int8 weights are too much here; see LinearInt8
};

struct LayerNorm {
  std::vector<float> gamma;
  std::vector<float> beta;
  float epsilon = 0;

  // `out` may be `rows`.
  void apply(const kernels::Matrix& rows, const kernels::Matrix& out) const {
    kernels::layer_norm(rows, {gamma, beta, epsilon}, out);
  }
};

struct LayerTensors {
  LinearTensors query;      // [heads * padded head width, hidden]
  LinearTensors key_value;  // keys, then values
  LinearTensors attention_output;
  LayerNorm attention_norm;
  LinearTensors up;
  LinearTensors down;
  LayerNorm output_norm;  // of the feed-forward part
};

struct HeadShape {
  std::size_t heads = 0;
  std::size_t width = 0;

  [[nodiscard]] std::size_t padded_width() const { return (width + 15) / 16 * 16; }  // what the attention kernel takes
};

// The four products of an attention as checkpoints have them.
struct AttentionTensors {
  LinearTensors query;
  LinearTensors key;
  LinearTensors value;
  LinearTensors output;
};

// Puts them into `layer`, every head padded with zeros. All have biases.
void set_attention(AttentionTensors parts, const HeadShape& heads, LayerTensors& layer);

// `first` and below it `second`: one product that gives the results of both.
[[nodiscard]] LinearTensors stacked(LinearTensors first, const LinearTensors& second);

// `name`.weight [out, in] and `name`.bias [out]. Errors: kDataLoss, naming file and tensor.
[[nodiscard]] core::Result<LinearTensors> read_linear(const SafetensorsFile& file, const std::string& name, std::size_t out,
                                                      std::size_t in);
// `name`.weight and `name`.bias, both [width]. Errors: the same.
[[nodiscard]] core::Result<LayerNorm> read_layer_norm(const SafetensorsFile& file, const std::string& name, std::size_t width,
                                                      float epsilon);

}  // namespace scalestyle::nn
