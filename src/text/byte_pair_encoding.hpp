#pragma once
// Byte-level byte pair encoding: a word's bytes become tokens, then the strongest rule that fits anywhere joins two
// neighbours (the leftmost of equals first), until none fits. Ids equal those of huggingface/tokenizers' BPE model.
// Source: Sennrich et al., arXiv 1508.07909; openai/gpt-2 src/encoder.py.
//
// Thread safety: const methods may run on any number of threads; each thread has its own Scratch.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "text/byte_pair_files.hpp"

namespace scalestyle::text {

class BytePairEncoding {
 public:
  // Buffers that append_word() reuses, so that a warm call allocates nothing. One thread at a time.
  class Scratch {
    friend class BytePairEncoding;
    struct Symbol {
      TokenId id;
      std::uint32_t previous;  // index of a neighbour; kNone at the ends of the word
      std::uint32_t next;
    };
    struct Candidate {
      std::uint32_t rank;
      std::uint32_t left;  // index of the symbol
      TokenId left_id;     // what stood there and behind it: a candidate is void once either has changed
      TokenId right_id;
      TokenId result;
    };
    static constexpr std::uint32_t kNone = 0xFFFFFFFFU;
    static constexpr TokenId kGone = -1;
    std::vector<Symbol> symbols;
    std::vector<Candidate> queue;  // a heap, strongest on top
  };

  // Errors: those of read_byte_pair_files.
  [[nodiscard]] static core::Result<BytePairEncoding> load(const std::filesystem::path& model_dir,
                                                           const BytePairOptions& options);
  BytePairEncoding(const BytePairFiles& files, const BytePairOptions& options);

  // Appends the tokens of one word, any bytes (fewer than 2^31). Time n log n in its length.
  void append_word(std::string_view word, std::vector<TokenId>& ids, Scratch& scratch) const;

  // The bytes a token stands for; none for controls and for ids outside the vocabulary.
  [[nodiscard]] std::string_view bytes(TokenId id) const;

  // The id of a control of the options, where the vocabulary has it.
  [[nodiscard]] std::optional<TokenId> control(std::string_view piece) const;

  [[nodiscard]] std::size_t size() const { return byte_ends_.size() - 1; }  // ids are below it

 private:
  struct Rule {
    TokenId right;
    TokenId result;
    std::uint32_t rank;
  };
  [[nodiscard]] const Rule* find(TokenId left, TokenId right) const;
  void offer(std::uint32_t left, Scratch& scratch) const;

  std::vector<std::uint32_t> first_rule_;  // by left token: where its rules begin; one more at the end
  std::vector<Rule> rules_;                // of one left token by right token
  std::string bytes_;                      // of all tokens, one behind the other
  std::vector<std::uint32_t> byte_ends_;   // token id's bytes are from [id] to [id + 1]
  std::array<TokenId, 256> byte_ids_;
  std::array<TokenId, 256> last_byte_ids_;
  std::vector<std::pair<std::string, TokenId>> controls_;
};

}  // namespace scalestyle::text
