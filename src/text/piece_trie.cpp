#include "text/piece_trie.hpp"

#include <bit>

namespace scalestyle::text {

PieceTrie::PieceTrie(std::size_t total_bytes) {
  // Shared prefixes leave far fewer nodes than bytes: begin small, grow in insert().
  const std::size_t slots = std::bit_ceil(total_bytes / 2 + 16);
  edges_.resize(slots);
  shift_ = 32U - static_cast<unsigned>(std::countr_zero(slots));
  ids_.assign(1, -1);
}

void PieceTrie::insert(std::string_view piece, std::int32_t id) {
  Node node = kRoot;
  for (const char character : piece) {
    const std::uint32_t key = edge_key(node, static_cast<unsigned char>(character));
    const std::size_t slot = slot_of(key);
    if (edges_[slot].child != kNone) {
      node = edges_[slot].child;
      continue;
    }
    node = static_cast<Node>(ids_.size());
    edges_[slot] = {key, node};
    ids_.push_back(-1);
    if (ids_.size() * 2 > edges_.size()) {
      std::vector<Edge> old(edges_.size() * 2);
      old.swap(edges_);
      --shift_;
      for (const Edge& edge : old) {
        if (edge.child != kNone) edges_[slot_of(edge.key)] = edge;
      }
    }
  }
  ids_[node] = id;
}

PieceTrie::Node PieceTrie::walk(std::string_view prefix) const {
  Node node = kRoot;
  for (const char character : prefix) {
    node = child(node, static_cast<unsigned char>(character));
    if (node == kNone) break;
  }
  return node;
}

PieceTrie::Match PieceTrie::longest(Node start, std::string_view text) const {
  Match best;
  Node node = start;
  for (std::size_t index = 0; index < text.size(); ++index) {
    node = child(node, static_cast<unsigned char>(text[index]));
    if (node == kNone) break;
    if (ids_[node] >= 0) best = {index + 1, ids_[node]};
  }
  return best;
}

}  // namespace scalestyle::text
