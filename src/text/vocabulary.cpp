#include "text/vocabulary.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <unordered_map>

#include "core/files.hpp"
#include "text/json_pieces.hpp"
#include "text/unicode.hpp"

namespace scalestyle::text {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{32} << 20U;
constexpr std::size_t kMaxPieceBytes = 400;
constexpr std::size_t kMaxTotalPieceBytes = (std::size_t{1} << 24U) - 1;  // what the longest-match table can hold
constexpr std::size_t kMaxWordCharacters = 1000;

core::Status check_pieces(const Vocabulary& vocabulary, const std::string& name) {
  std::size_t total = 0;
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    const std::string& piece = vocabulary.pieces[id];
    if (piece.size() > kMaxPieceBytes) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: piece {} has {} bytes (at most {})", name, id, piece.size(),
                                                          kMaxPieceBytes));
    }
    if (!is_valid_utf8(piece)) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: piece {} is not UTF-8", name, id));
    }
    total += piece.size();
  }
  if (total > kMaxTotalPieceBytes) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: the pieces have {} bytes together (at most {})", name, total,
                                                        kMaxTotalPieceBytes));
  }
  return {};
}

// Checks the pieces and finds the five special tokens among them.
core::Status finish(Vocabulary& vocabulary, const std::string& unknown, const std::string& name) {
  CORE_CHECK(check_pieces(vocabulary, name));
  std::unordered_map<std::string_view, TokenId> ids;
  ids.reserve(vocabulary.pieces.size());
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id) {
    const auto [place, added] = ids.emplace(vocabulary.pieces[id], static_cast<TokenId>(id));
    if (!added) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: piece \"{}\" has the ids {} and {}", name,
                                                          vocabulary.pieces[id], place->second, id));
    }
  }
  const std::pair<std::string_view, TokenId*> wanted[] = {{"[PAD]", &vocabulary.special.padding},
                                                          {unknown, &vocabulary.special.unknown},
                                                          {"[CLS]", &vocabulary.special.classify},
                                                          {"[SEP]", &vocabulary.special.separator},
                                                          {"[MASK]", &vocabulary.special.mask}};
  for (const auto& [piece, id] : wanted) {
    const auto found = ids.find(piece);
    if (found == ids.end()) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: the vocabulary lacks the special token {}", name, piece));
    }
    *id = found->second;
    vocabulary.literals.emplace_back(piece, found->second);
  }
  return {};
}

// Reader of one JSON object's members with errors that name file and key.
struct Fields {
  const json::object& object;
  const std::string& name;
  std::string_view where;

  [[nodiscard]] std::unexpected<core::Error> wrong(std::string_view key, std::string_view what) const {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: {}.{} {}", name, where, key, what));
  }
  [[nodiscard]] core::Result<bool> boolean(std::string_view key, bool when_absent) const {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) return when_absent;
    if (!value->is_bool()) return wrong(key, "must be true or false");
    return value->get_bool();
  }
  [[nodiscard]] core::Result<std::string> text(std::string_view key, std::string_view when_absent) const {
    const json::value* value = object.if_contains(key);
    if (value == nullptr || value->is_null()) return std::string(when_absent);
    if (!value->is_string()) return wrong(key, "must be a string");
    return std::string(value->get_string());
  }
};

core::Result<const json::object*> section(const json::object& root, std::string_view key, std::string_view type,
                                          const std::string& name) {
  const json::value* value = root.if_contains(key);
  if (value == nullptr || !value->is_object()) {
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: there is no object \"{}\"", name, key));
  }
  CORE_TRY(const std::string found, Fields{value->get_object(), name, key}.text("type", type));
  if (found != type) {
    return core::fail(ErrorCode::kUnsupported,
                      fmt::format("{}: {} is a {}, only {} is known here", name, key, found, type));
  }
  return &value->get_object();
}

core::Status read_pieces(const json::object& model, Vocabulary& vocabulary, const std::string& name) {
  const json::value* value = model.if_contains("vocab");
  if (value == nullptr || !value->is_object() || value->get_object().empty()) {
    return core::fail(ErrorCode::kDataLoss, name + ": there is no object \"model.vocab\" with pieces in it");
  }
  CORE_TRY(vocabulary.pieces, pieces_by_id(value->get_object(), name));
  return {};
}

core::Status read_normalizer(const json::object& normalizer, Vocabulary& vocabulary, const std::string& name) {
  const Fields fields{normalizer, name, "normalizer"};
  CORE_TRY(vocabulary.clean_text, fields.boolean("clean_text", true));
  CORE_TRY(vocabulary.space_cjk, fields.boolean("handle_chinese_chars", true));
  CORE_TRY(vocabulary.lowercase, fields.boolean("lowercase", true));
  // The reference strips accents of an uncased model unless told otherwise.
  CORE_TRY(vocabulary.strip_accents, fields.boolean("strip_accents", vocabulary.lowercase));
  return {};
}

core::Result<std::string> read_model(const json::object& model, Vocabulary& vocabulary, const std::string& name) {
  const Fields fields{model, name, "model"};
  CORE_TRY(vocabulary.continuation_prefix, fields.text("continuing_subword_prefix", "##"));
  if (const json::value* limit = model.if_contains("max_input_chars_per_word")) {
    const std::int64_t* count = limit->if_int64();
    if (count == nullptr || *count < 1 || static_cast<std::size_t>(*count) > kMaxWordCharacters) {
      return fields.wrong("max_input_chars_per_word", fmt::format("must be from 1 to {}", kMaxWordCharacters));
    }
    vocabulary.max_word_characters = static_cast<std::size_t>(*count);
  }
  CORE_CHECK(read_pieces(model, vocabulary, name));
  return fields.text("unk_token", "[UNK]");
}

// Special tokens that the file adds must be plain members of the vocabulary: an id beyond it would have no embedding
// row, and the side rules (lstrip, rstrip, single_word) are not WordPiece models' practice.
core::Status check_added_tokens(const json::object& root, const Vocabulary& vocabulary, const std::string& name) {
  const json::value* value = root.if_contains("added_tokens");
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_array()) return core::fail(ErrorCode::kDataLoss, name + ": added_tokens must be an array");
  for (const json::value& entry : value->get_array()) {
    const json::object* token = entry.if_object();
    const json::value* id_value = token == nullptr ? nullptr : token->if_contains("id");
    const std::int64_t* id = id_value == nullptr ? nullptr : id_value->if_int64();
    if (id == nullptr) return core::fail(ErrorCode::kDataLoss, name + ": added_tokens has an entry without an id");
    const Fields fields{*token, name, "added_tokens"};
    CORE_TRY(const std::string content, fields.text("content", ""));
    const bool known = *id >= 0 && static_cast<std::uint64_t>(*id) < vocabulary.pieces.size() &&
                       vocabulary.pieces[static_cast<std::size_t>(*id)] == content;
    if (!known) {
      return core::fail(ErrorCode::kUnsupported,
                        fmt::format("{}: the added token \"{}\" ({}) is not in model.vocab", name, content, *id));
    }
    for (const std::string_view rule : {"lstrip", "rstrip", "single_word"}) {
      CORE_TRY(const bool set, fields.boolean(rule, false));
      if (set) {
        return core::fail(ErrorCode::kUnsupported, fmt::format("{}: added token \"{}\" sets {}", name, content, rule));
      }
    }
  }
  return {};
}

}  // namespace

core::Result<Vocabulary> parse_tokenizer_json(std::string_view bytes, const std::string& name) {
  boost::system::error_code error;
  const json::value document = json::parse(bytes, error);
  if (error) return core::fail(ErrorCode::kDataLoss, fmt::format("{}: not JSON: {}", name, error.message()));
  if (!document.is_object()) return core::fail(ErrorCode::kDataLoss, name + ": not a JSON object");
  const json::object& root = document.get_object();
  Vocabulary vocabulary;
  CORE_TRY(const json::object* const model, section(root, "model", "WordPiece", name));
  CORE_TRY(const json::object* const normalizer, section(root, "normalizer", "BertNormalizer", name));
  CORE_CHECK(section(root, "pre_tokenizer", "BertPreTokenizer", name));
  CORE_TRY(const std::string unknown, read_model(*model, vocabulary, name));
  if (unknown.empty()) return core::fail(ErrorCode::kDataLoss, name + ": model.unk_token is empty");
  CORE_CHECK(read_normalizer(*normalizer, vocabulary, name));
  CORE_CHECK(check_added_tokens(root, vocabulary, name));
  CORE_CHECK(finish(vocabulary, unknown, name));
  return vocabulary;
}

core::Result<Vocabulary> parse_vocabulary_text(std::string_view bytes, const std::string& name) {
  Vocabulary vocabulary;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: line {} is empty", name, vocabulary.pieces.size() + 1));
    }
    if (vocabulary.pieces.size() == kMaxVocabularyPieces) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: more than {} pieces", name, kMaxVocabularyPieces));
    }
    vocabulary.pieces.emplace_back(line);
  }
  CORE_CHECK(finish(vocabulary, "[UNK]", name));
  return vocabulary;
}

core::Result<Vocabulary> read_vocabulary(const std::filesystem::path& path) {
  std::filesystem::path file = path;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    file = path / "tokenizer.json";
    if (!std::filesystem::exists(file, error)) file = path / "vocab.txt";
    if (!std::filesystem::exists(file, error)) {
      return core::fail(ErrorCode::kNotFound, path.string() + ": holds neither tokenizer.json nor vocab.txt");
    }
  }
  CORE_TRY(const std::string bytes, core::read_text_file(file, kMaxFileBytes));
  return file.extension() == ".json" ? parse_tokenizer_json(bytes, file.string())
                                     : parse_vocabulary_text(bytes, file.string());
}

}  // namespace scalestyle::text
