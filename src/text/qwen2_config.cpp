#include "text/qwen2_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <optional>
#include <unordered_set>
#include <utility>

#include "core/files.hpp"
#include "text/json_pieces.hpp"

namespace scalestyle::text {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20U;
constexpr std::size_t kMaxTokenBytes = 1024;
constexpr std::size_t kMaxTemplateBytes = std::size_t{64} << 10U;

std::optional<TokenId> token_id(std::string_view key) {
  TokenId id = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  const bool whole = error == std::errc{} && end == key.data() + key.size();
  return whole && id >= 0 && static_cast<std::size_t>(id) < kMaxVocabularyPieces ? std::optional(id) : std::nullopt;
}

core::Result<std::string_view> text_of(const json::object& object, std::string_view key, const std::string& where) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: there is no string \"{}\"", where, key));
  }
  return std::string_view(value->get_string());
}

core::Result<std::vector<Qwen2Config::AddedToken>> read_added(const json::object& root, const std::string& name) {
  const json::value* value = root.if_contains("added_tokens_decoder");
  if (value == nullptr || !value->is_object()) {
    return core::fail(ErrorCode::kDataLoss, name + ": there is no object \"added_tokens_decoder\"");
  }
  std::vector<Qwen2Config::AddedToken> added;
  std::unordered_set<TokenId> ids;
  std::unordered_set<std::string_view> texts;
  for (const auto& member : value->get_object()) {
    const std::string where = fmt::format("{}: added_tokens_decoder.{}", name, std::string_view(member.key()).substr(0, 40));
    const std::optional<TokenId> id = token_id(member.key());
    if (!id) return core::fail(ErrorCode::kDataLoss, where + " is no id");
    const json::object* token = member.value().if_object();
    if (token == nullptr) return core::fail(ErrorCode::kDataLoss, where + " is not an object");
    CORE_TRY(const std::string_view text, text_of(*token, "content", where));
    if (text.empty() || text.size() > kMaxTokenBytes) {
      return core::fail(ErrorCode::kDataLoss,
                        fmt::format("{}: content of {} bytes (1 to {})", where, text.size(), kMaxTokenBytes));
    }
    const json::value* special = token->if_contains("special");
    if (special == nullptr || !special->is_bool()) {
      return core::fail(ErrorCode::kDataLoss, where + ": there is no \"special\" that is true or false");
    }
    if (!ids.insert(*id).second || !texts.insert(text).second) {
      return core::fail(ErrorCode::kDataLoss, where + ": the id or the content is that of another token too");
    }
    added.push_back({*id, std::string(text), special->get_bool()});
  }
  std::ranges::sort(added, {}, &Qwen2Config::AddedToken::id);
  return added;
}

core::Result<TokenId> control(const Qwen2Config& config, std::string_view text, const std::string& name) {
  const auto found = std::ranges::find(config.added, text, &Qwen2Config::AddedToken::text);
  if (found == config.added.end() || !found->control) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: added_tokens_decoder has no special token {}", name, text));
  }
  return found->id;
}

// One character of a string literal of the template, its escape undone; moves `text` behind it. Nothing at the end of the
// literal and for an escape that is not known here.
std::optional<char> literal_character(std::string_view& text) {
  if (text.empty() || text.front() == '\'' || text.front() == '"') return std::nullopt;
  char character = text.front();
  text.remove_prefix(1);
  if (character != '\\') return character;
  if (text.empty()) return std::nullopt;
  character = text.front();
  text.remove_prefix(1);
  switch (character) {
    case 'n': return '\n';
    case 't': return '\t';
    case '\\':
    case '\'':
    case '"': return character;
    default: return std::nullopt;
  }
}

// The part of a literal up to `end`; nothing when the literal ends before.
std::optional<std::string> literal_until(std::string_view text, std::string_view end) {
  std::string out;
  while (!out.ends_with(end)) {
    const std::optional<char> character = literal_character(text);
    if (!character) return std::nullopt;
    out.push_back(*character);
  }
  out.resize(out.size() - end.size());
  return out;
}

// A template of the family holds each part of ChatML in literals; the one that is a whole system message is the default.
core::Result<std::string> default_system(std::string_view chat_template, const std::string& name) {
  constexpr std::string_view kStart = "<|im_start|>";
  std::optional<std::string> found;
  bool generation = false;
  for (std::size_t at = chat_template.find(kStart); at != std::string_view::npos; at = chat_template.find(kStart, at + 1)) {
    const std::string_view rest = chat_template.substr(at + kStart.size());
    const std::optional<std::string> role = literal_until(rest, "\n");
    if (!role) continue;
    generation = generation || *role == "assistant";
    if (*role != "system") continue;
    const std::optional<std::string> message = literal_until(rest, "<|im_end|>\n");
    if (!message) continue;
    if (found && *found != *message) {
      return core::fail(ErrorCode::kUnsupported, name + ": chat_template has two system messages");
    }
    found = message;
  }
  if (!found || !generation) {
    return core::fail(ErrorCode::kUnsupported,
                      name + ": chat_template is not ChatML with a system message of its own, as Qwen2's chat models have it");
  }
  return found->substr(std::string_view("system\n").size());
}

}  // namespace

core::Result<Qwen2Config> parse_qwen2_config(std::string_view bytes, const std::string& name) {
  boost::system::error_code error;
  const json::value document = json::parse(bytes, error);
  if (error) return core::fail(ErrorCode::kDataLoss, fmt::format("{}: not JSON: {}", name, error.message()));
  if (!document.is_object()) return core::fail(ErrorCode::kDataLoss, name + ": not a JSON object");
  const json::object& root = document.get_object();
  CORE_TRY(const std::string_view kind, text_of(root, "tokenizer_class", name));
  if (kind != "Qwen2Tokenizer" && kind != "Qwen2TokenizerFast") {
    return core::fail(ErrorCode::kUnsupported, fmt::format("{}: tokenizer_class is {}, only Qwen2Tokenizer is known here", name,
                                                           kind.substr(0, 100)));
  }
  Qwen2Config config;
  CORE_TRY(config.added, read_added(root, name));
  CORE_TRY(config.end_of_text, control(config, "<|endoftext|>", name));
  CORE_TRY(config.message_start, control(config, "<|im_start|>", name));
  CORE_TRY(config.message_end, control(config, "<|im_end|>", name));
  CORE_TRY(const std::string_view chat_template, text_of(root, "chat_template", name));
  if (chat_template.size() > kMaxTemplateBytes) {
    return core::fail(ErrorCode::kUnsupported, fmt::format("{}: chat_template has {} bytes (at most {})", name,
                                                           chat_template.size(), kMaxTemplateBytes));
  }
  CORE_TRY(config.default_system, default_system(chat_template, name));
  return config;
}

core::Result<Qwen2Config> read_qwen2_config(const std::filesystem::path& path) {
  CORE_TRY(const std::string bytes, core::read_text_file(path, kMaxFileBytes));
  return parse_qwen2_config(bytes, path.string());
}

}  // namespace scalestyle::text
