#pragma once
// Small zips, ONNX files and models made by the tests themselves.

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalestyle::ingest::models::samples {

template <class T>
void append_number(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

struct ZipItem {
  std::string name;
  std::string content;
  bool deflated = true;
};

inline std::string deflated(std::string_view content) {
  std::string out(compressBound(static_cast<uLong>(content.size())) + 16, '\0');
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string make_zip(const std::vector<ZipItem>& items, std::string_view comment = "") {
  std::string out;
  std::string directory;
  for (const ZipItem& item : items) {
    const std::string packed = item.deflated ? deflated(item.content) : item.content;
    const auto crc = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(item.content.data()), static_cast<uInt>(item.content.size())));
    const auto offset = static_cast<std::uint32_t>(out.size());
    std::string common;  // from "version needed" to the name's length
    append_number<std::uint16_t>(common, 20);
    append_number<std::uint16_t>(common, 0);
    append_number<std::uint16_t>(common, item.deflated ? 8 : 0);
    append_number<std::uint32_t>(common, 0);
    append_number(common, crc);
    append_number(common, static_cast<std::uint32_t>(packed.size()));
    append_number(common, static_cast<std::uint32_t>(item.content.size()));
    append_number(common, static_cast<std::uint16_t>(item.name.size()));
    append_number<std::uint32_t>(out, 0x04034b50);
    out += common;
    append_number<std::uint16_t>(out, 0);
    out += item.name + packed;
    append_number<std::uint32_t>(directory, 0x02014b50);
    append_number<std::uint16_t>(directory, 20);
    directory += common;
    append_number<std::uint16_t>(directory, 0);  // extra
    append_number<std::uint16_t>(directory, 0);  // comment
    append_number<std::uint16_t>(directory, 0);  // disk
    append_number<std::uint16_t>(directory, 0);
    append_number<std::uint32_t>(directory, 0);
    append_number(directory, offset);
    directory += item.name;
  }
  const auto start = static_cast<std::uint32_t>(out.size());
  out += directory;
  append_number<std::uint32_t>(out, 0x06054b50);
  append_number<std::uint32_t>(out, 0);
  append_number(out, static_cast<std::uint16_t>(items.size()));
  append_number(out, static_cast<std::uint16_t>(items.size()));
  append_number(out, static_cast<std::uint32_t>(directory.size()));
  append_number(out, start);
  append_number(out, static_cast<std::uint16_t>(comment.size()));
  return out.append(comment);
}

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
inline std::string number_field(unsigned field, std::uint64_t value) { return varint(field << 3) + varint(value); }
inline std::string bytes_field(unsigned field, std::string_view bytes) {
  return varint((field << 3) | 2) + varint(bytes.size()) + std::string(bytes);
}

inline std::string float_bytes(const std::vector<float>& values) {
  std::string out(values.size() * sizeof(float), '\0');
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

inline std::string tensor(const std::string& name, const std::vector<std::uint64_t>& shape,
                          const std::vector<float>& values) {
  std::string out;
  for (const std::uint64_t dimension : shape) out += number_field(1, dimension);
  return out + number_field(2, 1) + bytes_field(8, name) + bytes_field(9, float_bytes(values));
}

inline std::string node(const std::string& op_type, const std::vector<std::string>& inputs, const std::string& output) {
  std::string out;
  for (const std::string& input : inputs) out += bytes_field(1, input);
  return out + bytes_field(2, output) + bytes_field(4, op_type);
}

inline std::string model(const std::vector<std::string>& nodes, const std::vector<std::string>& tensors) {
  std::string graph;
  for (const std::string& item : nodes) graph += bytes_field(1, item);
  for (const std::string& item : tensors) graph += bytes_field(5, item);
  return number_field(1, 6) + bytes_field(8, number_field(2, 11)) + bytes_field(7, graph);
}

// A BERT of one layer, hidden size 2, intermediate size 3, 5 words, 4 positions, 2 token types, as an exporter
// writes it. The value at row r, column c of [in, out] weight number n is 100 n + 10 r + c.
struct TinyBert {
  std::vector<std::string> nodes;
  std::vector<std::string> tensors;
  unsigned linears = 0;

  void linear(const std::string& prefix, std::uint64_t in, std::uint64_t out, bool bias_first) {
    ++linears;
    std::vector<float> weight;
    for (std::uint64_t r = 0; r < in; ++r) {
      for (std::uint64_t c = 0; c < out; ++c) {
        weight.push_back(static_cast<float>(100 * linears) + static_cast<float>(10 * r + c));
      }
    }
    const std::string weight_name = "onnx::MatMul_" + std::to_string(1000 + linears);
    const std::string product = prefix + "/MatMul_output";
    tensors.push_back(tensor(weight_name, {in, out}, weight));
    tensors.push_back(tensor(prefix + ".bias", {out}, std::vector<float>(out, static_cast<float>(linears))));
    nodes.push_back(node("MatMul", {prefix + "/input", weight_name}, product));
    nodes.push_back(node("Add", bias_first ? std::vector<std::string>{prefix + ".bias", product}
                                           : std::vector<std::string>{product, prefix + ".bias"},
                         prefix + "/Add_output"));
  }
  void norm(const std::string& prefix) {
    tensors.push_back(tensor(prefix + ".weight", {2}, {1, 1}));
    tensors.push_back(tensor(prefix + ".bias", {2}, {0, 0}));
  }
  [[nodiscard]] std::string onnx() const { return model(nodes, tensors); }
};

inline TinyBert tiny_bert() {
  TinyBert bert;
  bert.tensors.push_back(tensor("embeddings.word_embeddings.weight", {5, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  bert.tensors.push_back(tensor("embeddings.position_embeddings.weight", {4, 2}, {0, 1, 2, 3, 4, 5, 6, 7}));
  bert.tensors.push_back(tensor("embeddings.token_type_embeddings.weight", {2, 2}, {0, 1, 2, 3}));
  bert.norm("embeddings.LayerNorm");
  const std::string layer = "encoder.layer.0.";
  bert.linear(layer + "attention.self.query", 2, 2, true);
  bert.linear(layer + "attention.self.key", 2, 2, false);
  bert.linear(layer + "attention.self.value", 2, 2, true);
  bert.linear(layer + "attention.output.dense", 2, 2, false);
  bert.norm(layer + "attention.output.LayerNorm");
  bert.linear(layer + "intermediate.dense", 2, 3, true);
  bert.linear(layer + "output.dense", 3, 2, true);
  bert.norm(layer + "output.LayerNorm");
  bert.tensors.push_back(number_field(2, 1) + bytes_field(8, "/Constant_output_0") + bytes_field(9, float_bytes({8})));
  bert.tensors.push_back(number_field(1, 1) + number_field(2, 7) + bytes_field(8, "embeddings.position_ids") +
                         bytes_field(9, std::string(8, '\0')));
  return bert;
}

inline const char* const kTinyConfig =
    "{\"vocab_size\": 5, \"max_position_embeddings\": 4, \"type_vocab_size\": 2, \"hidden_size\": 2,\n"
    " \"intermediate_size\": 3, \"num_hidden_layers\": 1}\n";

}  // namespace scalestyle::ingest::models::samples
