#include "text/qwen2_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "text/byte_pair_splitting.hpp"
#include "text/unicode.hpp"

namespace scalestyle::text {

using core::ErrorCode;

namespace {

constexpr std::array<std::string_view, 3> kRoles = {"system", "user", "assistant"};

core::Status check_size(std::size_t bytes) {
  if (bytes <= Qwen2Tokenizer::kMaxTextBytes) return {};
  return core::fail(ErrorCode::kInvalidArgument, fmt::format("a text of {} bytes is too long for the tokenizer (at most {})",
                                                             bytes, Qwen2Tokenizer::kMaxTextBytes));
}

core::Status check_messages(std::span<const Qwen2Tokenizer::Message> messages) {
  if (messages.empty() || messages.size() > Qwen2Tokenizer::kMaxMessages) {
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("a chat of {} messages (1 to {})", messages.size(), Qwen2Tokenizer::kMaxMessages));
  }
  std::size_t bytes = 0;
  for (std::size_t index = 0; index < messages.size(); ++index) {
    if (std::ranges::find(kRoles, messages[index].role) == kRoles.end()) {
      return core::fail(ErrorCode::kInvalidArgument,
                        fmt::format("message {} of the chat has a role other than system, user and assistant", index), "role");
    }
    bytes += messages[index].text.size();
  }
  return check_size(bytes);
}

}  // namespace

Qwen2Tokenizer::Qwen2Tokenizer(BytePairEncoding encoding, Qwen2Config config)
    : encoding_(std::move(encoding)), config_(std::move(config)), size_(encoding_.size()) {
  for (const Qwen2Config::AddedToken& token : config_.added) {
    size_ = std::max(size_, static_cast<std::size_t>(token.id) + 1);
    if (!token.control) added_bytes_.emplace(token.id, token.text);
  }
}

core::Result<Qwen2Tokenizer> Qwen2Tokenizer::load(const std::filesystem::path& model_dir) {
  const std::filesystem::path config_path = model_dir / "tokenizer_config.json";
  CORE_TRY(Qwen2Config config, read_qwen2_config(config_path));
  BytePairOptions options;
  for (const Qwen2Config::AddedToken& token : config.added) options.controls.push_back(token.text);
  CORE_TRY(BytePairEncoding encoding, BytePairEncoding::load(model_dir, options));
  for (const Qwen2Config::AddedToken& token : config.added) {
    const bool inside = static_cast<std::size_t>(token.id) < encoding.size();
    const std::optional<TokenId> known = encoding.control(token.text);
    if (inside != known.has_value() || (known && *known != token.id)) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: added_tokens_decoder.{} is \"{}\", but {} says otherwise",
                                                          config_path.string(), token.id, token.text,
                                                          (model_dir / "vocab.json").string()));
    }
  }
  return Qwen2Tokenizer(std::move(encoding), std::move(config));
}

core::Status Qwen2Tokenizer::append_text(std::string_view text, std::vector<TokenId>& ids,
                                         BytePairEncoding::Scratch& scratch) const {
  if (!is_valid_utf8(text)) return core::fail(ErrorCode::kInvalidArgument, "the text is not UTF-8");
  CORE_TRY(const std::string normal, normalize(text, NormalForm::kNfc));
  for (std::size_t position = 0; position < normal.size();) {
    encoding_.append_word(next_qwen2_word(normal, position), ids, scratch);
  }
  return {};
}

core::Result<std::vector<std::int32_t>> Qwen2Tokenizer::encode(std::string_view text) const {
  CORE_CHECK(check_size(text.size()));
  std::vector<TokenId> ids;
  BytePairEncoding::Scratch scratch;
  CORE_CHECK(append_text(text, ids, scratch));
  return ids;
}

void Qwen2Tokenizer::append_bytes(std::int32_t token, std::string& bytes) const {
  if (const auto added = added_bytes_.find(token); added != added_bytes_.end()) {
    bytes += added->second;
  } else {
    bytes += encoding_.bytes(token);
  }
}

bool Qwen2Tokenizer::is_end(std::int32_t token) const {
  return token == config_.message_end || token == config_.end_of_text;
}

core::Result<std::vector<std::int32_t>> Qwen2Tokenizer::chat(std::span<const Message> messages) const {
  CORE_CHECK(check_messages(messages));
  std::vector<TokenId> ids;
  BytePairEncoding::Scratch scratch;
  const auto append = [&](std::string_view role, std::string_view text) -> core::Status {
    ids.push_back(config_.message_start);
    // As one text: a line break before the message may join those it begins with.
    CORE_CHECK(append_text(fmt::format("{}\n{}", role, text), ids, scratch));
    ids.push_back(config_.message_end);
    return append_text("\n", ids, scratch);
  };
  if (messages.front().role != "system") CORE_CHECK(append("system", config_.default_system));
  for (const Message& message : messages) CORE_CHECK(append(message.role, message.text));
  ids.push_back(config_.message_start);
  CORE_CHECK(append_text("assistant\n", ids, scratch));
  return ids;
}

}  // namespace scalestyle::text
