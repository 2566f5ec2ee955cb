#include "text/clip_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "text/byte_pair_splitting.hpp"
#include "text/unicode.hpp"

namespace scalestyle::text {

using core::ErrorCode;

namespace {

constexpr std::string_view kStartOfText = "<|startoftext|>";
constexpr std::string_view kEndOfText = "<|endoftext|>";

// Lower case of each character by itself: a sigma at the end of a word is none of the final form.
std::string lower_case(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const char32_t code_point = next_code_point(text, position);
    constexpr char32_t kCapitalDottedI = 0x130;  // the one code point whose lower case is two
    append_utf8(code_point == kCapitalDottedI ? 'i' : to_lower(code_point), out);
    if (code_point == kCapitalDottedI) append_utf8(0x307, out);
  }
  return out;
}

}  // namespace

ClipTokenizer::ClipTokenizer(BytePairEncoding encoding, TokenId start, TokenId end)
    : encoding_(std::move(encoding)), start_(start), end_(end) {}

core::Result<ClipTokenizer> ClipTokenizer::load(const std::filesystem::path& model_dir) {
  const BytePairOptions options{.end_of_word = "</w>", .controls = {std::string(kStartOfText), std::string(kEndOfText)}};
  CORE_TRY(BytePairEncoding encoding, BytePairEncoding::load(model_dir, options));
  const std::optional<TokenId> start = encoding.control(kStartOfText);
  const std::optional<TokenId> end = encoding.control(kEndOfText);
  if (!start || !end) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: the vocabulary lacks {}", (model_dir / "vocab.json").string(),
                                                        start ? kEndOfText : kStartOfText));
  }
  return ClipTokenizer(std::move(encoding), *start, *end);
}

core::Result<std::vector<std::int32_t>> ClipTokenizer::encode(std::string_view text, std::size_t max_tokens) const {
  if (max_tokens < 2) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("{} tokens have no room for the two that begin and end a text", max_tokens), "max_tokens");
  }
  if (text.size() > kMaxTextBytes) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("a text of {} bytes is too long for the tokenizer (at most {})", text.size(), kMaxTextBytes));
  }
  if (!is_valid_utf8(text)) return core::fail(ErrorCode::kInvalidArgument, "the text is not UTF-8");
  CORE_TRY(const std::string normal, normalize(text, NormalForm::kNfc));
  const std::string lower = lower_case(normal);
  std::vector<TokenId> ids{start_};
  BytePairEncoding::Scratch scratch;
  std::size_t position = 0;
  while (ids.size() < max_tokens) {
    const std::string_view word = next_clip_word(lower, position);
    if (word.empty()) break;
    encoding_.append_word(word, ids, scratch);
  }
  ids.resize(std::min(ids.size(), max_tokens - 1));
  ids.push_back(end_);
  return ids;
}

}  // namespace scalestyle::text
