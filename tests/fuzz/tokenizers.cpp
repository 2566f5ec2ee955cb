// Files of tokenizers, told apart by their first byte. What is read whole also cuts a text, whose ids are the file's.

#include "fuzz/memory_file.hpp"
#include "fuzz/target.hpp"
#include "support/byte_pair_model.hpp"
#include "text/byte_pair_files.hpp"
#include "text/sentencepiece_model.hpp"
#include "text/unigram.hpp"
#include "text/vocabulary.hpp"

namespace scalestyle::fuzz {
namespace {

constexpr std::string_view kText = "A red dress, \xC3\xBC" "ber 20 \xE2\x82\xAC <s> \xFF [CLS]";

void refused(const core::Error& error) {
  require(error.code == core::ErrorCode::kDataLoss || error.code == core::ErrorCode::kUnsupported ||
          error.code == core::ErrorCode::kResourceExhausted);
  require(!error.message.empty());
}

void check_vocabulary(const core::Result<text::Vocabulary>& vocabulary) {
  if (!vocabulary) return refused(vocabulary.error());
  require(!vocabulary->pieces.empty());
  const auto size = vocabulary->pieces.size();
  for (const auto id : {vocabulary->special.classify, vocabulary->special.mask}) require(static_cast<std::size_t>(id) < size);
}

void check_byte_pairs(std::string_view bytes) {
  const auto split = bytes.find('\x1e');
  if (split == std::string_view::npos) return;
  const auto files = text::parse_byte_pair_files({bytes.substr(0, split), "vocab.json"}, {bytes.substr(split + 1), "merges.txt"},
                                                 {.end_of_word = "</w>"});
  if (!files) return refused(files.error());
  for (const auto& merge : files->merges) require(static_cast<std::size_t>(merge.result) < files->pieces.size());
}

void check_unigram(std::string_view bytes) {
  const auto model = text::parse_sentencepiece_model(bytes, "model");
  if (!model) refused(model.error());
  const MemoryFile file(bytes);
  const auto tokenizer = text::UnigramTokenizer::load(file.path());
  if (!tokenizer) return refused(tokenizer.error());
  std::vector<text::TokenId> ids;
  text::UnigramTokenizer::Scratch scratch;
  tokenizer->append_pieces(kText, ids, scratch);
  for (const auto id : ids) require(static_cast<std::size_t>(id) < tokenizer->vocabulary_size());
}

// ModelProto: pieces (1) of piece (1), score (2) and type (3).
std::string sentence_piece(const std::string& piece, char type) {
  const std::string inner = "\x0a" + std::string(1, static_cast<char>(piece.size())) + piece +
      std::string("\x15\0\0\x80\xbf", 5) + "\x18" + type;
  return "\x0a" + std::string(1, static_cast<char>(inner.size())) + inner;
}

}  // namespace

std::vector<std::string> seeds() {
  const support::BytePairModel pairs{.rules = {{"r", "e"}, {"re", "d</w>"}}, .end_of_word = "</w>"};
  const std::string json = R"({"normalizer":{"type":"BertNormalizer","lowercase":true,"strip_accents":null},)"
                           R"("pre_tokenizer":{"type":"BertPreTokenizer"},)"
                           R"("added_tokens":[{"id":2,"content":"[CLS]","special":true}],"model":{"type":"WordPiece",)"
                           R"("unk_token":"[UNK]",)"
                           R"("vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"red":5,"##s":6}}})";
  require(text::parse_tokenizer_json(json, "tokenizer.json").has_value());
  return {"j" + json, "v[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nred\n##s\n", "b" + pairs.vocab_json() + "\x1e" + pairs.merges_txt(),
          "u" + sentence_piece("<unk>", '\x02') + sentence_piece("<s>", '\x03') + sentence_piece("</s>", '\x03') +
              sentence_piece("\xE2\x96\x81red", '\x01') +
              sentence_piece("r", '\x01')};
}

std::vector<std::string> words() {
  return {"[PAD]", "[UNK]", "##", "\"vocab\":{", "\"type\":\"WordPiece\"", "\"added_tokens\":[", "\n", "\xE2\x96\x81", "</w>",
          "\x0a", "\x15", "\x18", "\x1e", "#version", "1000000"};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scalestyle;  // NOLINT: one function
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::text_of(data + 1, size - 1);
  switch (data[0]) {
    case 'j': fuzz::check_vocabulary(text::parse_tokenizer_json(bytes, "tokenizer.json")); break;
    case 'v': fuzz::check_vocabulary(text::parse_vocabulary_text(bytes, "vocab.txt")); break;
    case 'b': fuzz::check_byte_pairs(bytes); break;
    default: fuzz::check_unigram(bytes);
  }
  return 0;
}
