#include "text/wordpiece.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "text/piece_trie.hpp"
#include "text/unicode.hpp"
#include "text/vocabulary.hpp"

namespace scalestyle::text {

namespace {

enum class AsciiClass : std::uint8_t { kWord, kBlank, kPunctuation, kDropped };

struct AsciiRule {
  AsciiClass kind = AsciiClass::kWord;
  char output = 0;  // lower case where the model has none
};

std::array<AsciiRule, 128> ascii_rules(const Vocabulary& vocabulary) {
  std::array<AsciiRule, 128> rules{};
  for (unsigned char byte = 0; byte < 128; ++byte) {
    AsciiRule& rule = rules[byte];
    const bool upper = vocabulary.lowercase && byte >= 'A' && byte <= 'Z';
    rule.output = static_cast<char>(upper ? byte + 32 : byte);
    if (byte == ' ' || (byte >= '\t' && byte <= '\r')) rule.kind = AsciiClass::kBlank;
    if (vocabulary.clean_text && is_bert_control(byte)) rule.kind = AsciiClass::kDropped;
    if (is_bert_punctuation(byte)) rule.kind = AsciiClass::kPunctuation;
  }
  return rules;
}

std::size_t total_bytes(const std::vector<std::string>& pieces) {
  std::size_t total = 0;
  for (const std::string& piece : pieces) total += piece.size();
  return total;
}

PieceTrie make_trie(const std::vector<std::string>& pieces) {
  PieceTrie trie(total_bytes(pieces));
  for (std::size_t id = 0; id < pieces.size(); ++id) trie.insert(pieces[id], static_cast<TokenId>(id));
  return trie;
}

}  // namespace

struct WordPieceTokenizer::Impl {
  Impl(Vocabulary words, const WordPieceOptions& given)
      : vocabulary(std::move(words)),
        options(given),
        trie(make_trie(vocabulary.pieces)),
        continuation(trie.walk(vocabulary.continuation_prefix)),
        ascii(ascii_rules(vocabulary)) {}

  Vocabulary vocabulary;
  WordPieceOptions options;
  PieceTrie trie;
  PieceTrie::Node continuation;
  std::array<AsciiRule, 128> ascii;
};

struct WordPieceTokenizer::Scratch::State {
  struct Mark {
    std::uint8_t combining_class;
    char32_t code_point;
  };
  std::string word;            // normalised bytes of the word being read
  std::size_t characters = 0;  // in it; beyond the limit they are counted, not kept
  std::vector<Mark> marks;     // combining characters since the last starter, in canonical order
};

namespace {

// Reads one text from left to right; every character is normalised, put into a word, and each full word cut into
// pieces at once, so that the work stops at the limit however long the text is.
template <class Model, class Buffers>
class PieceReader {
 public:
  PieceReader(const Model& model, Buffers& buffers, std::vector<TokenId>& ids, std::size_t limit)
      : model_(model), buffers_(buffers), ids_(ids), end_(ids.size() + limit) {
    buffers_.word.clear();
    buffers_.characters = 0;
    buffers_.marks.clear();
  }

  [[nodiscard]] bool full() const { return ids_.size() >= end_; }

  void read(std::string_view text) {
    for (std::size_t position = 0; position < text.size() && !full();) {
      const auto byte = static_cast<unsigned char>(text[position]);
      if (byte < 128) {
        ++position;
        read_ascii(byte);
      } else {
        read_other(next_code_point(text, position));
      }
    }
    end_word();
  }

  void push_id(TokenId id) {
    if (!full()) ids_.push_back(id);
  }

 private:
  void read_ascii(unsigned char byte) {
    const AsciiRule rule = model_.ascii[byte];
    if (rule.kind == AsciiClass::kDropped) return;
    if (!buffers_.marks.empty()) place_marks();
    switch (rule.kind) {
      case AsciiClass::kWord: append(static_cast<unsigned char>(rule.output)); break;
      case AsciiClass::kBlank: end_word(); break;
      default:
        end_word();
        append(byte);
        end_word();
    }
  }

  void read_other(char32_t code_point) {
    if (model_.vocabulary.clean_text && is_bert_control(code_point)) return;
    if (is_bert_whitespace(code_point)) {
      end_word();
      return;
    }
    const bool alone = model_.vocabulary.space_cjk && is_cjk_ideograph(code_point);
    if (alone) end_word();
    if (model_.vocabulary.strip_accents) {
      std::array<char32_t, kMaxDecomposition> parts{};
      const std::size_t count = decompose(code_point, parts);
      for (std::size_t index = 0; index < count; ++index) read_decomposed(parts[index]);
    } else {
      place(code_point);
    }
    if (alone) end_word();
  }

  // Nonspacing marks go; the few other combining characters are put into canonical order before the next starter.
  void read_decomposed(char32_t code_point) {
    const std::uint8_t order = combining_class(code_point);
    if (order == 0) place_marks();
    if (is_nonspacing_mark(code_point)) return;
    if (order == 0) {
      place(code_point);
    } else if (buffers_.characters + buffers_.marks.size() <= model_.vocabulary.max_word_characters) {
      const auto later = std::ranges::upper_bound(buffers_.marks, order, {}, [](const auto& mark) { return mark.combining_class; });
      buffers_.marks.insert(later, {order, code_point});
    }
  }

  void place_marks() {
    for (const auto& mark : buffers_.marks) place(mark.code_point);
    buffers_.marks.clear();
  }

  void place(char32_t code_point) {
    if (model_.vocabulary.lowercase) {
      constexpr char32_t kCapitalDottedI = 0x130;  // the one code point whose lower case is two
      if (code_point == kCapitalDottedI) {
        append('i');
        append(0x307);
        return;
      }
      code_point = to_lower(code_point);
    }
    if (is_bert_punctuation(code_point)) {
      close_word();
      append(code_point);
      close_word();
    } else {
      append(code_point);
    }
  }

  void append(char32_t code_point) {
    if (++buffers_.characters > model_.vocabulary.max_word_characters) return;
    if (code_point < 0x80) {
      buffers_.word.push_back(static_cast<char>(code_point));
    } else {
      append_utf8(code_point, buffers_.word);
    }
  }

  void end_word() {
    if (!buffers_.marks.empty()) place_marks();
    close_word();
  }

  void close_word() {
    if (buffers_.characters == 0) return;
    cut_word();
    buffers_.word.clear();
    buffers_.characters = 0;
  }

  void cut_word() {
    const TokenId unknown = model_.vocabulary.special.unknown;
    if (buffers_.characters > model_.vocabulary.max_word_characters) {
      push_id(unknown);
      return;
    }
    const std::size_t before = ids_.size();
    std::string_view rest = buffers_.word;
    PieceTrie::Node start = PieceTrie::kRoot;
    while (!rest.empty()) {
      const PieceTrie::Match match = start == PieceTrie::kNone ? PieceTrie::Match{} : model_.trie.longest(start, rest);
      if (match.id < 0) {
        ids_.resize(before);
        push_id(unknown);
        return;
      }
      ids_.push_back(match.id);
      rest.remove_prefix(match.length);
      start = model_.continuation;
    }
    if (ids_.size() > end_) ids_.resize(end_);
  }

  const Model& model_;
  Buffers& buffers_;
  std::vector<TokenId>& ids_;
  std::size_t end_;
};

using Literals = std::vector<std::pair<std::string, TokenId>>;

// The next special literal in `text` from `from` on: its position and which; npos when there is none.
std::pair<std::size_t, std::size_t> find_literal(const Literals& literals, std::string_view text, std::size_t from) {
  std::string first_bytes;
  for (const auto& literal : literals) first_bytes.push_back(literal.first.front());
  for (std::size_t position = text.find_first_of(first_bytes, from); position != std::string_view::npos;
       position = text.find_first_of(first_bytes, position + 1)) {
    for (std::size_t index = 0; index < literals.size(); ++index) {
      if (text.substr(position).starts_with(literals[index].first)) return {position, index};
    }
  }
  return {std::string_view::npos, 0};
}

}  // namespace

WordPieceTokenizer::Scratch::Scratch() : state_(std::make_unique<State>()) {}
WordPieceTokenizer::Scratch::~Scratch() = default;
WordPieceTokenizer::Scratch::Scratch(Scratch&&) noexcept = default;
WordPieceTokenizer::Scratch& WordPieceTokenizer::Scratch::operator=(Scratch&&) noexcept = default;

WordPieceTokenizer::WordPieceTokenizer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
WordPieceTokenizer::WordPieceTokenizer(WordPieceTokenizer&&) noexcept = default;
WordPieceTokenizer& WordPieceTokenizer::operator=(WordPieceTokenizer&&) noexcept = default;
WordPieceTokenizer::~WordPieceTokenizer() = default;

core::Result<WordPieceTokenizer> WordPieceTokenizer::load(const std::filesystem::path& path,
                                                          const WordPieceOptions& options) {
  if (options.max_tokens < 2) {
    return core::fail(core::ErrorCode::kInvalidArgument, "max_tokens must leave room for [CLS] and [SEP]: at least 2",
                      "max_tokens");
  }
  CORE_TRY(Vocabulary vocabulary, read_vocabulary(path));
  return WordPieceTokenizer(std::make_unique<const Impl>(std::move(vocabulary), options));
}

void WordPieceTokenizer::append_pieces(std::string_view utf8, std::size_t limit, std::vector<TokenId>& ids,
                                       Scratch& scratch) const {
  PieceReader reader(*impl_, *scratch.state_, ids, limit);
  if (!impl_->options.match_special_tokens) {
    reader.read(utf8);
    return;
  }
  const auto& literals = impl_->vocabulary.literals;
  for (std::size_t position = 0; position < utf8.size() && !reader.full();) {
    const auto [found, index] = find_literal(literals, utf8, position);
    reader.read(utf8.substr(position, found == std::string_view::npos ? found : found - position));
    if (found == std::string_view::npos) return;
    reader.push_id(literals[index].second);
    position = found + literals[index].first.size();
  }
}

void WordPieceTokenizer::encode(std::string_view utf8, std::vector<TokenId>& ids, Scratch& scratch) const {
  ids.clear();
  ids.push_back(impl_->vocabulary.special.classify);
  append_pieces(utf8, impl_->options.max_tokens - 2, ids, scratch);
  ids.push_back(impl_->vocabulary.special.separator);
}

std::vector<TokenId> WordPieceTokenizer::encode(std::string_view utf8) const {
  std::vector<TokenId> ids;
  Scratch scratch;
  encode(utf8, ids, scratch);
  return ids;
}

const SpecialTokens& WordPieceTokenizer::special_tokens() const { return impl_->vocabulary.special; }
std::size_t WordPieceTokenizer::vocabulary_size() const { return impl_->vocabulary.pieces.size(); }
std::size_t WordPieceTokenizer::max_tokens() const { return impl_->options.max_tokens; }

std::string_view WordPieceTokenizer::piece(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= impl_->vocabulary.pieces.size()) return {};
  return impl_->vocabulary.pieces[static_cast<std::size_t>(id)];
}

}  // namespace scalestyle::text
