#pragma once
// Postings of every term, cut into windows of 256 rows. What a posting is worth is fixed when the index is built (the
// saturated BM25F frequency, in 16 bits), so a search only multiplies by the term's weight and adds.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace scalestyle::retrieval {

inline constexpr std::size_t kWindowRows = 256;
inline constexpr std::size_t kMaxLexicalRows = kWindowRows << 16U;

struct Posting {
  std::uint8_t local;    // row − first row of the window
  std::uint8_t forms;    // which forms of the term the row has (LexicalVocabulary::form_bit)
  std::uint16_t impact;  // 65,535 · tf / (k1 + tf), rounded, at least 1
};

// The postings of one term in one window, rows ascending. They end where the next block's begin.
struct PostingBlock {
  std::uint32_t begin;
  std::uint16_t window;
  std::uint16_t max_impact;
};

// Invariants: blocks of a term are in ascending order of windows, none is empty; `blocks` ends with a sentinel.
struct PostingLists {
  std::vector<Posting> postings;
  std::vector<PostingBlock> blocks;
  std::vector<std::uint32_t> first_block;  // by term, one more than terms

  [[nodiscard]] std::span<const PostingBlock> blocks_of(std::uint32_t term) const {
    return std::span(blocks).subspan(first_block[term], first_block[term + 1] - first_block[term]);
  }
  // `block` must be an element of `blocks`.
  [[nodiscard]] std::span<const Posting> postings_of(const PostingBlock& block) const {
    return std::span(postings).subspan(block.begin, (&block + 1)->begin - block.begin);
  }
  // The posting of a row; null when the row does not have the term.
  [[nodiscard]] const Posting* find(std::uint32_t term, std::uint32_t row) const;

  [[nodiscard]] std::size_t memory_bytes() const {
    return postings.capacity() * sizeof(Posting) + blocks.capacity() * sizeof(PostingBlock) +
           first_block.capacity() * sizeof(std::uint32_t);
  }
};

// The value of a posting for a list of weight `weight`: 2^20 / 2 is a score of about 1. All sums of a query stay below 2^31.
inline constexpr std::uint32_t kWeightOne = 2048;
inline constexpr double kScoreUnits = 65535.0 * kWeightOne / 256.0;
[[nodiscard]] inline std::int32_t contribution(std::uint32_t impact, std::uint32_t weight) {
  return static_cast<std::int32_t>((impact * weight) >> 8U);
}

}  // namespace scalestyle::retrieval
