// What model servers answer: nothing of it is believed beyond its form.

#include <algorithm>
#include <cmath>

#include "adapters/remote_inference/model_answers.hpp"
#include "adapters/remote_inference/server_sent_events.hpp"
#include "fuzz/target.hpp"
#include "text/unicode.hpp"

namespace scalestyle::fuzz {
namespace {

namespace remote = adapters::remote_inference;

constexpr std::size_t kRows = 2;

void check_vectors(std::string_view answer) {
  std::vector<float> values;
  std::size_t dimension = 0;
  if (remote::read_vectors(answer, kRows, dimension, values)) {
    require(dimension > 0 && values.size() == kRows * dimension);
    require(std::ranges::all_of(values, [](float value) { return std::isfinite(value); }));
  }
  dimension = 0;
  if (const auto vectors = remote::read_openai_vectors(answer, kRows,
                                                       dimension)) require(vectors->values.size() == kRows * dimension);
}

void check_others(std::string_view answer) {
  if (const auto ranks = remote::read_ranks(answer, kRows, true)) require(ranks->size() <= kRows);
  if (const auto pictures = remote::read_picture_results(answer, kRows, 2)) require(pictures->size() == kRows);
  for (const auto kind : {remote::ModelKind::kText, remote::ModelKind::kPairs, remote::ModelKind::kPictures}) {
    if (const auto info = remote::read_info(answer, kind)) require(!info->model.empty() &&
                                                                   std::isfinite(info->tokens_per_second));
  }
  const std::string refusal = remote::refusal_text(answer);
  require(!refusal.contains('\n'));
}

// The same events, however the stream is cut.
std::string events_of(std::string_view stream, std::size_t piece) {
  remote::ServerSentEvents parser({.max_line_bytes = 4'096, .max_event_bytes = 8'192});
  std::string all;
  while (!stream.empty()) {
    const auto next = stream.substr(0, piece);
    stream.remove_prefix(next.size());
    const auto pushed = parser.push(next, [&all](const remote::ServerSentEvent& event) {
      all.append(event.type).append("\n").append(event.data).append("\x1e");
      return core::Status();
    });
    if (!pushed) return all + "!";
  }
  return all;
}

}  // namespace

std::vector<std::string> seeds() {
  return {"[[0.6,0.8],[1.0,0]]",
          R"({"data":[{"index":0,"embedding":[0.6,0.8]},{"index":1,"embedding":[1,0]}],"model":"m","usage":{"total_tokens":7}})",
          R"([{"index":1,"score":0.9},{"index":0,"score":-3.5e-2}])",
              R"({"results":[{"embedding":[0.6,0.8]},{"error":"not a picture","code":"invalid_argument"}]})",
          R"({"model_id":"BAAI/bge","model_dtype":"float16","model_type":{"embedding":{"pooling":"cls"}},)"
          R"("max_input_length":512,"version":"1.5"})",
          R"({"models":{"reranker":{"model_id":"m","weights_hash":"ab","precision":"int8","tokens_per_second":12345.6}}})",
          "event: delta\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n: ping\r\ndata: a\rdata: b\n\n"
          "data: [DONE]\n\n",
          "{\"error\":{\"message\":\"too\\nlong\"}}"};
}

std::vector<std::string> words() {
  return {"[", "]", "[[", "{", "}", "\"index\":", "\"score\":", "1e39", "-0", "NaN", "null", "0.0", "data:", "event:", "\r",
          "\n\n", "\xEF\xBB\xBF", "[DONE]"};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scalestyle::fuzz;  // NOLINT: one function
  const std::string_view answer = text_of(data, size);
  check_vectors(answer);
  check_others(answer);
  require(events_of(answer, answer.size() + 1) == events_of(answer, 1 + size % 5));
  return 0;
}
