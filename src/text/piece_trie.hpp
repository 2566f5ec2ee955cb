#pragma once
// The pieces that a text begins with: a trie over their bytes, its edges in one open-addressing hash table.
// Thread safety: const methods on any number of threads.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace scalestyle::text {

class PieceTrie {
 public:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = 0xFFFFFFFFU;
  static constexpr std::size_t kMaxNodes = std::size_t{1} << 24;  // an edge's key is node and byte in 32 bits

  // Room for pieces of so many bytes altogether (fewer than kMaxNodes).
  explicit PieceTrie(std::size_t total_bytes);

  void insert(std::string_view piece, std::int32_t id);
  // The node reached from the root by `prefix`, or kNone.
  [[nodiscard]] Node walk(std::string_view prefix) const;

  struct Match {
    std::size_t length = 0;  // bytes
    std::int32_t id = -1;    // -1: no piece is a prefix
  };
  // The longest piece, continued from `start`, that is a prefix of `text`.
  [[nodiscard]] Match longest(Node start, std::string_view text) const;

  // Calls visit(length in bytes, id) for every piece that is a prefix of `text`, shortest first.
  template <class Visit>
  void for_each_prefix(std::string_view text, const Visit& visit) const {
    Node node = kRoot;
    for (std::size_t index = 0; index < text.size(); ++index) {
      node = child(node, static_cast<unsigned char>(text[index]));
      if (node == kNone) return;
      if (ids_[node] >= 0) visit(index + 1, ids_[node]);
    }
  }

 private:
  struct Edge {
    std::uint32_t key = 0;
    Node child = kNone;
  };
  [[nodiscard]] static std::uint32_t edge_key(Node node, unsigned char byte) { return (node << 8U) | byte; }
  [[nodiscard]] std::size_t slot_of(std::uint32_t key) const {
    std::uint32_t mixed = key ^ (key >> 15U);
    mixed *= 0x9E3779B1U;
    const std::size_t mask = edges_.size() - 1;
    std::size_t slot = mixed >> shift_;
    while (edges_[slot].child != kNone && edges_[slot].key != key) slot = (slot + 1) & mask;
    return slot;
  }
  [[nodiscard]] Node child(Node node, unsigned char byte) const { return edges_[slot_of(edge_key(node, byte))].child; }

  std::vector<Edge> edges_;  // a power of two, at most half full
  std::vector<std::int32_t> ids_;
  unsigned shift_ = 0;
};

}  // namespace scalestyle::text
