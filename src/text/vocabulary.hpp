#pragma once
// What a WordPiece model file says, checked: the pieces by id, the rules of its normaliser, its special tokens.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "text/wordpiece.hpp"

namespace scalestyle::text {

struct Vocabulary {
  std::vector<std::string> pieces;  // by id
  std::string continuation_prefix = "##";
  std::size_t max_word_characters = 100;
  bool clean_text = true;
  bool space_cjk = true;
  bool strip_accents = true;
  bool lowercase = true;
  SpecialTokens special;
  // Literals that match_special_tokens recognises in a text, with their ids.
  std::vector<std::pair<std::string, TokenId>> literals;
};

// Reads `tokenizer.json` (by its extension .json) or `vocab.txt`, or either from a folder. Errors: as
// WordPieceTokenizer::load.
[[nodiscard]] core::Result<Vocabulary> read_vocabulary(const std::filesystem::path& path);

// The same from bytes; `name` is what errors call the file.
[[nodiscard]] core::Result<Vocabulary> parse_tokenizer_json(std::string_view bytes, const std::string& name);
[[nodiscard]] core::Result<Vocabulary> parse_vocabulary_text(std::string_view bytes, const std::string& name);

}  // namespace scalestyle::text
