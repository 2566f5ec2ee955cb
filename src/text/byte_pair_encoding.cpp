#include "text/byte_pair_encoding.hpp"

#include <algorithm>

namespace scalestyle::text {

BytePairEncoding::BytePairEncoding(const BytePairFiles& files, const BytePairOptions& options)
    : first_rule_(files.pieces.size() + 1), rules_(files.merges.size()), byte_ids_(files.byte_ids),
      last_byte_ids_(files.last_byte_ids) {
  // Counting sort of the rules by their left token.
  for (const BytePairFiles::Merge& merge : files.merges) ++first_rule_[static_cast<std::size_t>(merge.left) + 1];
  for (std::size_t id = 1; id < first_rule_.size(); ++id) first_rule_[id] += first_rule_[id - 1];
  std::vector<std::uint32_t> next(first_rule_.begin(), first_rule_.end() - 1);
  for (std::size_t rank = 0; rank < files.merges.size(); ++rank) {
    const BytePairFiles::Merge& merge = files.merges[rank];
    rules_[next[static_cast<std::size_t>(merge.left)]++] = {merge.right, merge.result, static_cast<std::uint32_t>(rank)};
  }
  for (std::size_t id = 0; id + 1 < first_rule_.size(); ++id) {
    std::sort(rules_.begin() + first_rule_[id], rules_.begin() + first_rule_[id + 1],
              [](const Rule& a, const Rule& b) { return a.right < b.right; });
  }

  byte_ends_.reserve(files.bytes.size() + 1);
  byte_ends_.push_back(0);
  for (const std::string& bytes : files.bytes) {
    bytes_ += bytes;
    byte_ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  }
  for (const std::string& control : options.controls) {
    const auto found = std::ranges::find(files.pieces, control);
    if (found != files.pieces.end()) controls_.emplace_back(control, static_cast<TokenId>(found - files.pieces.begin()));
  }
}

core::Result<BytePairEncoding> BytePairEncoding::load(const std::filesystem::path& model_dir, const BytePairOptions& options) {
  CORE_TRY(const BytePairFiles files, read_byte_pair_files(model_dir, options));
  return BytePairEncoding(std::move(files), options);
}

const BytePairEncoding::Rule* BytePairEncoding::find(TokenId left, TokenId right) const {
  const auto begin = rules_.begin() + first_rule_[static_cast<std::size_t>(left)];
  const auto end = rules_.begin() + first_rule_[static_cast<std::size_t>(left) + 1];
  const auto place = std::lower_bound(begin, end, right, [](const Rule& rule, TokenId id) { return rule.right < id; });
  return place != end && place->right == right ? &*place : nullptr;
}

// Puts the pair that begins at symbol `left` into the queue, unheaped, when a rule joins it.
void BytePairEncoding::offer(std::uint32_t left, Scratch& scratch) const {
  const std::uint32_t right = scratch.symbols[left].next;
  if (right == Scratch::kNone) return;
  const TokenId left_id = scratch.symbols[left].id;
  const TokenId right_id = scratch.symbols[right].id;
  if (const Rule* rule = find(left_id, right_id)) {
    scratch.queue.push_back({rule->rank, left, left_id, right_id, rule->result});
  }
}

void BytePairEncoding::append_word(std::string_view word, std::vector<TokenId>& ids, Scratch& scratch) const {
  if (word.empty()) return;
  std::vector<Scratch::Symbol>& symbols = scratch.symbols;
  std::vector<Scratch::Candidate>& queue = scratch.queue;
  symbols.clear();
  queue.clear();
  for (std::size_t index = 0; index < word.size(); ++index) {
    const bool last = index + 1 == word.size();
    const std::array<TokenId, 256>& byte_ids = last ? last_byte_ids_ : byte_ids_;
    const auto place = static_cast<std::uint32_t>(index);
    symbols.push_back({byte_ids[static_cast<unsigned char>(word[index])], index == 0 ? Scratch::kNone : place - 1,
                       last ? Scratch::kNone : place + 1});
  }
  for (std::uint32_t left = 0; left < symbols.size(); ++left) offer(left, scratch);

  const auto weaker = [](const Scratch::Candidate& a, const Scratch::Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.left > b.left;
  };
  const auto offer_to_heap = [&](std::uint32_t left) {
    const std::size_t before = queue.size();
    offer(left, scratch);
    if (queue.size() > before) std::push_heap(queue.begin(), queue.end(), weaker);
  };
  std::make_heap(queue.begin(), queue.end(), weaker);
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), weaker);
    const Scratch::Candidate best = queue.back();
    queue.pop_back();
    Scratch::Symbol& left = symbols[best.left];
    if (left.id != best.left_id || left.next == Scratch::kNone || symbols[left.next].id != best.right_id) continue;
    Scratch::Symbol& right = symbols[left.next];
    left.id = best.result;
    left.next = right.next;
    right.id = Scratch::kGone;
    if (left.next != Scratch::kNone) symbols[left.next].previous = best.left;
    if (left.previous != Scratch::kNone) offer_to_heap(left.previous);
    offer_to_heap(best.left);
  }
  for (std::uint32_t index = 0; index != Scratch::kNone; index = symbols[index].next) ids.push_back(symbols[index].id);
}

std::string_view BytePairEncoding::bytes(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= size()) return {};
  const auto index = static_cast<std::size_t>(id);
  return std::string_view(bytes_).substr(byte_ends_[index], byte_ends_[index + 1] - byte_ends_[index]);
}

std::optional<TokenId> BytePairEncoding::control(std::string_view piece) const {
  for (const auto& [name, id] : controls_) {
    if (name == piece) return id;
  }
  return std::nullopt;
}

}  // namespace scalestyle::text
