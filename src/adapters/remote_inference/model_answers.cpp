#include "adapters/remote_inference/model_answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

#include "text/json_text.hpp"

namespace scalestyle::adapters::remote_inference {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxDimension = 65'536;
constexpr std::size_t kMaxReasonBytes = 200;
constexpr double kUnitTolerance = 1e-3;  // of the squared length: what rounding to few digits or to bf16 makes of a unit vector

std::unexpected<core::Error> nonsense(std::string what) { return core::fail(ErrorCode::kDataLoss, "the answer " + std::move(what)); }

// Makes the vector one of unit length where it is none.
core::Status normalise(std::span<float> vector) {
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * static_cast<double>(value);
  if (!std::isfinite(squares) || squares < 1e-12) return nonsense("has a vector that is zero or not finite");
  if (std::abs(squares - 1) <= kUnitTolerance) return {};
  const double length = std::sqrt(squares);
  for (float& value : vector) value = static_cast<float>(static_cast<double>(value) / length);
  return {};
}

// Reads arrays of numbers as they stand in the text.
class NumberScanner {
 public:
  explicit NumberScanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool take(char wanted) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] std::optional<float> number() {
    skip_blanks();
    const char* const begin = text_.data() + at_;
    if (at_ == text_.size() || (*begin != '-' && (*begin < '0' || *begin > '9'))) return std::nullopt;  // no "inf", no "nan"
    float value = 0;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) {
      // Too small for a float is zero; too large is no value.
      double wide = 0;
      if (std::from_chars(begin, text_.data() + text_.size(), wide).ec == std::errc() && std::abs(wide) > 1) return std::nullopt;
    } else if (error != std::errc()) {
      return std::nullopt;
    }
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  [[nodiscard]] bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

core::Status read_vector(NumberScanner& scanner, std::size_t& dimension, std::vector<float>& out) {
  const std::size_t begin = out.size();
  const std::size_t most = dimension == 0 ? kMaxDimension : dimension;
  if (!scanner.take('[')) return nonsense("is not an array of vectors");
  do {
    const auto value = scanner.number();
    if (!value) return nonsense("has a vector with something that is not a number");
    if (out.size() - begin == most) return nonsense(fmt::format("has a vector of more than {} numbers", most));
    out.push_back(*value);
  } while (scanner.take(','));
  if (!scanner.take(']')) return nonsense("has a vector that does not end");
  const std::size_t size = out.size() - begin;
  if (dimension == 0) dimension = size;
  if (size != dimension) return nonsense(fmt::format("has a vector of {} numbers, not {}", size, dimension));
  return normalise(std::span(out).subspan(begin, size));
}

core::Result<json::value> parse(std::string_view text) {
  json::parse_options options;
  options.max_depth = 16;
  json::error_code error;
  json::value value = json::parse(text, error, {}, options);
  if (error) return nonsense("is not JSON: " + error.message());
  return value;
}

const json::value* member(const json::value& value, std::string_view name) {
  if (!value.is_object()) return nullptr;
  const json::value* const found = value.as_object().if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string text_of(const json::value& value, std::string_view name) {
  const json::value* const found = member(value, name);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::size_t whole_of(const json::value& value, std::string_view name) {
  const json::value* const found = member(value, name);
  if (found == nullptr) return 0;
  if (found->is_int64()) return static_cast<std::size_t>(std::max<std::int64_t>(found->as_int64(), 0));
  return found->is_uint64() ? static_cast<std::size_t>(found->as_uint64()) : 0;
}

std::optional<std::size_t> index_of(const json::value& value, std::size_t count) {
  const json::value* const index = member(value, "index");
  if (index == nullptr || !index->is_int64()) return std::nullopt;
  const std::int64_t place = index->as_int64();
  if (place < 0 || static_cast<std::size_t>(place) >= count) return std::nullopt;
  return static_cast<std::size_t>(place);
}

core::Result<std::vector<float>> vector_of(const json::value* value, std::size_t& dimension) {
  if (value == nullptr || !value->is_array()) return nonsense("has an entry without a vector");
  const json::array& numbers = value->as_array();
  if (numbers.empty() || numbers.size() > kMaxDimension) return nonsense("has a vector without numbers, or with too many");
  if (dimension == 0) dimension = numbers.size();
  if (numbers.size() != dimension) return nonsense(fmt::format("has a vector of {} numbers, not {}", numbers.size(), dimension));
  std::vector<float> vector;
  vector.reserve(dimension);
  for (const json::value& number : numbers) {
    if (!number.is_number()) return nonsense("has a vector with something that is not a number");
    vector.push_back(static_cast<float>(number.to_number<double>()));
  }
  CORE_CHECK(normalise(vector));
  return vector;
}

std::string precision_of(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kNames{{{"float32", "f32"}, {"bfloat16", "bf16"}, {"float16", "f16"}}};
  const auto found = std::ranges::find(kNames, dtype, &std::pair<std::string_view, std::string_view>::first);
  return std::string(found == kNames.end() ? dtype : found->second);
}

core::ErrorCode code_of(std::string_view name) {
  for (const ErrorCode code : {ErrorCode::kUnsupported, ErrorCode::kResourceExhausted, ErrorCode::kDeadlineExceeded}) {
    if (core::to_string(code) == name) return code;
  }
  return ErrorCode::kInvalidArgument;
}

}  // namespace

core::Status read_vectors(std::string_view text, std::size_t rows, std::size_t& dimension, std::vector<float>& out) {
  NumberScanner scanner(text);
  if (!scanner.take('[')) return nonsense("is not an array of vectors");
  for (std::size_t row = 0; row < rows; ++row) {
    if (row > 0 && !scanner.take(',')) return nonsense(fmt::format("has {} vectors for {} texts", row, rows));
    CORE_CHECK(read_vector(scanner, dimension, out));
  }
  if (!scanner.take(']') || !scanner.at_end()) return nonsense(fmt::format("has more than {} vectors, or something behind them", rows));
  return {};
}

core::Result<OpenAiVectors> read_openai_vectors(std::string_view text, std::size_t rows, std::size_t& dimension) {
  CORE_TRY(const json::value answer, parse(text));
  const json::value* const data = member(answer, "data");
  if (data == nullptr || !data->is_array()) return nonsense("has no array `data`");
  const json::array& entries = data->as_array();
  if (entries.size() != rows) return nonsense(fmt::format("has {} vectors for {} texts", entries.size(), rows));
  OpenAiVectors vectors{.values = {}, .model = text_of(answer, "model"), .tokens = 0};
  if (const json::value* usage = member(answer, "usage"); usage != nullptr) vectors.tokens = whole_of(*usage, "total_tokens");
  std::vector<std::vector<float>> placed(rows);
  for (const json::value& entry : entries) {
    const auto index = index_of(entry, rows);
    if (!index || !placed[*index].empty()) return nonsense("has indices that are not each text's once");
    CORE_TRY(placed[*index], vector_of(member(entry, "embedding"), dimension));
  }
  for (const auto& vector : placed) vectors.values.insert(vectors.values.end(), vector.begin(), vector.end());
  return vectors;
}

core::Result<std::vector<float>> read_ranks(std::string_view text, std::size_t count, bool may_be_prefix) {
  CORE_TRY(const json::value answer, parse(text));
  if (!answer.is_array()) return nonsense("is not an array of ranks");
  const json::array& ranks = answer.as_array();
  const std::size_t scored = ranks.size();
  if (scored > count || (scored < count && !may_be_prefix)) return nonsense(fmt::format("has {} ranks for {} texts", scored, count));
  std::vector<float> scores(scored);
  std::vector<bool> seen(scored, false);
  for (const json::value& rank : ranks) {
    const auto index = index_of(rank, scored);
    const json::value* const score = member(rank, "score");
    if (!index || seen[*index]) return nonsense("has indices that are not each text's once");
    if (score == nullptr || !score->is_number()) return nonsense("has a rank without a score");
    scores[*index] = static_cast<float>(score->to_number<double>());
    if (!std::isfinite(scores[*index])) return nonsense("has a score that is not finite");
    seen[*index] = true;
  }
  return scores;
}

core::Result<std::vector<core::Result<std::vector<float>>>> read_picture_results(std::string_view text, std::size_t count,
                                                                                 std::size_t dimension) {
  CORE_TRY(const json::value answer, parse(text));
  const json::value* const entries = member(answer, "results");
  if (entries == nullptr || !entries->is_array()) return nonsense("has no array `results`");
  if (entries->as_array().size() != count) return nonsense(fmt::format("has {} results for {} pictures", entries->as_array().size(), count));
  std::vector<core::Result<std::vector<float>>> results;
  for (const json::value& entry : entries->as_array()) {
    if (member(entry, "error") != nullptr) {
      results.emplace_back(core::fail(code_of(text_of(entry, "code")), text_of(entry, "error")));
      continue;
    }
    CORE_TRY(std::vector<float> vector, vector_of(member(entry, "embedding"), dimension));
    results.emplace_back(std::move(vector));
  }
  return results;
}

core::Result<RemoteInfo> read_info(std::string_view text, ModelKind kind) {
  CORE_TRY(const json::value answer, parse(text));
  const char* const name = kind == ModelKind::kText ? "embedding" : kind == ModelKind::kPairs ? "reranker" : "image";
  const json::value* const models = member(answer, "models");
  const json::value* const type = member(answer, "model_type");
  const json::value* const ours = models != nullptr ? member(*models, name) : nullptr;
  const bool other_type = type != nullptr && type->is_object() && member(*type, name) == nullptr && !type->as_object().empty();
  if (models != nullptr ? ours == nullptr : other_type || kind == ModelKind::kPictures) {
    return core::fail(ErrorCode::kFailedPrecondition, fmt::format("serves no {} model", name));
  }
  const json::value& model = ours != nullptr ? *ours : answer;
  RemoteInfo info;
  info.model = text_of(model, "model_id");
  if (info.model.empty()) return nonsense("does not name a model");
  info.weights_hash = text_of(model, "weights_hash");
  info.precision = ours != nullptr ? text_of(model, "precision") : precision_of(text_of(model, "model_dtype"));
  info.activation = text_of(model, "activation");
  info.dimension = whole_of(model, "dimension");
  info.max_tokens = whole_of(model, "max_input_length");
  info.max_batch = whole_of(answer, kind == ModelKind::kPictures ? "max_client_images" : "max_client_batch_size");
  if (const json::value* rate = member(model, "tokens_per_second"); rate != nullptr && rate->is_number()) {
    info.tokens_per_second = std::clamp(rate->to_number<double>(), 0.0, 1e9);
  }
  return info;
}

std::string refusal_text(std::string_view body) {
  json::error_code error;
  const json::value answer = json::parse(body, error);
  std::string reason;
  if (!error) {
    reason = text_of(answer, "error");
    if (reason.empty()) reason = text_of(answer, "message");
    if (const json::value* inner = member(answer, "error"); inner != nullptr && reason.empty()) reason = text_of(*inner, "message");
  } else {
    reason = std::string(body.substr(0, kMaxReasonBytes));
  }
  reason = reason.substr(0, kMaxReasonBytes);
  std::ranges::replace_if(reason, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return reason;
}

std::string texts_member(std::string_view name, std::span<const std::string> texts) {
  std::size_t bytes = name.size() + 64;
  for (const std::string& text : texts) bytes += text.size() + 8;
  std::string out;
  out.reserve(bytes);
  out += "{\"";
  out += name;
  out += "\":[";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    text::append_json_text(texts[i], out);
  }
  return out += ']';
}

}  // namespace scalestyle::adapters::remote_inference
