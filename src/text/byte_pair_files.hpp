#pragma once
// What the two files of a byte-level BPE model say, checked: `vocab.json` ({"piece": id, …}, pieces spelled in the
// alphabet of byte_alphabet.hpp) and `merges.txt` (a line "#version…", then one rule "left right" a line, first rule first).
// Sources: openai/gpt-2 src/encoder.py; huggingface/tokenizers models/bpe.
//
// Thread safety: immutable once read.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "text/wordpiece.hpp"

namespace scalestyle::text {

struct BytePairOptions {
  std::string end_of_word{};            // what the last symbol of a word ends with ("</w>"); empty: words have no mark
  std::vector<std::string> controls{};  // pieces that no text may become, where the vocabulary has them
};

struct BytePairFiles {
  // Two tokens that become one. The earlier of two rules is the stronger.
  struct Merge {
    TokenId left = 0;
    TokenId right = 0;
    TokenId result = 0;
  };
  std::vector<std::string> pieces;         // by id, as the file spells them
  std::vector<std::string> bytes;          // by id: what the piece stands for, its end of word left out; of controls nothing
  std::vector<Merge> merges;               // strongest first
  std::array<TokenId, 256> byte_ids{};     // the piece of each byte alone
  std::array<TokenId, 256> last_byte_ids{};  // the same at the end of a word
};

// The bytes of a file, and what errors call it.
struct NamedBytes {
  std::string_view bytes;
  std::string name;
};

// Errors: kDataLoss, naming file and place, when a file is damaged: not JSON, over 1,000,000 pieces or rules, over 1,024
// bytes a piece, ids with gaps or twice, a piece not spelled in the alphabet, a byte without a piece or with a control's, a
// rule that is not two pieces or makes none, a rule twice, a rule that touches a control, a piece that no rule makes.
[[nodiscard]] core::Result<BytePairFiles> parse_byte_pair_files(const NamedBytes& vocabulary, const NamedBytes& merges,
                                                                const BytePairOptions& options);

// The same from `vocab.json` and `merges.txt` in a folder. Also kNotFound; kResourceExhausted above 32 MiB a file.
[[nodiscard]] core::Result<BytePairFiles> read_byte_pair_files(const std::filesystem::path& model_dir,
                                                               const BytePairOptions& options);

}  // namespace scalestyle::text
