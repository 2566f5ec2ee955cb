#include "text/byte_pair_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/files.hpp"
#include "text/byte_alphabet.hpp"
#include "text/json_pieces.hpp"
#include "text/unicode.hpp"

namespace scalestyle::text {

namespace json = boost::json;
using core::ErrorCode;

namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{32} << 20U;
constexpr std::size_t kMaxPieceBytes = 1024;
constexpr std::size_t kShownBytes = 100;  // of a damaged line, in an error

core::Result<std::vector<std::string>> read_pieces(const NamedBytes& file) {
  boost::system::error_code error;
  const json::value document = json::parse(file.bytes, error);
  if (error) return core::fail(ErrorCode::kDataLoss, fmt::format("{}: not JSON: {}", file.name, error.message()));
  if (!document.is_object()) return core::fail(ErrorCode::kDataLoss, file.name + ": not a JSON object");
  return pieces_by_id(document.get_object(), file.name);
}

// Reads both files into `files_`; views in `ids_` are of its pieces.
class Reader {
 public:
  Reader(std::vector<std::string> pieces, const BytePairOptions& options, std::string vocabulary_name, std::string merges_name)
      : options_(options), vocabulary_name_(std::move(vocabulary_name)), merges_name_(std::move(merges_name)) {
    files_.pieces = std::move(pieces);
    ids_.reserve(files_.pieces.size());
    for (std::size_t id = 0; id < files_.pieces.size(); ++id) ids_.emplace(files_.pieces[id], static_cast<TokenId>(id));
    made_.resize(files_.pieces.size());
  }

  core::Result<BytePairFiles> read(std::string_view merges) {
    for (const std::string& control : options_.controls) {
      if (const auto found = ids_.find(control); found != ids_.end()) made_[index(found->second)] = Origin::kControl;
    }
    CORE_CHECK(decode_pieces());
    CORE_CHECK(find_bytes({}, files_.byte_ids));
    CORE_CHECK(find_bytes(options_.end_of_word, files_.last_byte_ids));
    CORE_CHECK(read_merges(merges));
    const auto orphan = std::ranges::find(made_, Origin::kNone);
    if (orphan != made_.end()) {
      const auto id = static_cast<std::size_t>(orphan - made_.begin());
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: no rule makes piece {} of {}, \"{}\"", merges_name_, id,
                                                          vocabulary_name_, files_.pieces[id]));
    }
    return std::move(files_);
  }

 private:
  enum class Origin : std::uint8_t { kNone, kByte, kMerge, kControl };
  static std::size_t index(TokenId id) { return static_cast<std::size_t>(id); }

  core::Status decode_pieces() {
    files_.bytes.resize(files_.pieces.size());
    for (std::size_t id = 0; id < files_.pieces.size(); ++id) {
      std::string_view piece = files_.pieces[id];
      if (piece.empty() || piece.size() > kMaxPieceBytes) {
        return core::fail(ErrorCode::kDataLoss, fmt::format("{}: piece {} has {} bytes (1 to {})", vocabulary_name_, id,
                                                            piece.size(), kMaxPieceBytes));
      }
      if (made_[id] == Origin::kControl) continue;
      if (!options_.end_of_word.empty() && piece.ends_with(options_.end_of_word)) {
        piece.remove_suffix(options_.end_of_word.size());
      }
      std::optional<std::string> bytes = spelled_bytes(piece);
      if (!bytes) {
        return core::fail(ErrorCode::kDataLoss, fmt::format("{}: piece {}, \"{}\", is not spelled in the byte alphabet",
                                                            vocabulary_name_, id, files_.pieces[id]));
      }
      files_.bytes[id] = std::move(*bytes);
    }
    return {};
  }

  core::Status find_bytes(std::string_view ending, std::array<TokenId, 256>& ids) {
    const std::array<char32_t, 256>& alphabet = byte_alphabet();
    for (std::size_t byte = 0; byte < alphabet.size(); ++byte) {
      std::string piece;
      append_utf8(alphabet[byte], piece);
      piece += ending;
      const auto found = ids_.find(piece);
      if (found == ids_.end()) {
        return core::fail(ErrorCode::kDataLoss,
                          fmt::format("{}: byte {} has no piece \"{}\"", vocabulary_name_, byte, piece));
      }
      if (made_[index(found->second)] == Origin::kControl) {
        return core::fail(ErrorCode::kDataLoss, fmt::format("{}: piece {}, \"{}\", is a byte and a control token",
                                                            vocabulary_name_, found->second, piece));
      }
      ids[byte] = found->second;
      made_[index(found->second)] = Origin::kByte;
    }
    return {};
  }

  core::Status read_merges(std::string_view bytes) {
    std::unordered_map<std::uint64_t, std::size_t> lines;  // of each pair
    lines.reserve(files_.pieces.size());
    for (std::size_t line = 1; !bytes.empty(); ++line) {
      const std::size_t end = bytes.find('\n');
      std::string_view rule = bytes.substr(0, end);
      bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
      if (rule.ends_with('\r')) rule.remove_suffix(1);
      if (line == 1 && rule.starts_with("#version")) continue;
      if (line > kMaxVocabularyPieces) {
        return core::fail(ErrorCode::kDataLoss, fmt::format("{}: more than {} rules", merges_name_, kMaxVocabularyPieces));
      }
      CORE_TRY(const BytePairFiles::Merge merge, read_merge(rule, line));
      const std::uint64_t pair = (static_cast<std::uint64_t>(merge.left) << 32U) | static_cast<std::uint64_t>(merge.right);
      const auto [place, added] = lines.emplace(pair, line);
      if (!added) return wrong(rule, line, fmt::format("is the rule of line {} again", place->second));
      made_[index(merge.result)] = Origin::kMerge;
      files_.merges.push_back(merge);
    }
    return {};
  }

  core::Result<BytePairFiles::Merge> read_merge(std::string_view rule, std::size_t line) {
    const std::size_t blank = rule.find(' ');
    if (blank == std::string_view::npos || rule.find(' ', blank + 1) != std::string_view::npos) {
      return wrong(rule, line, "is not two pieces with a blank between");
    }
    const std::string_view left = rule.substr(0, blank);
    const std::string_view right = rule.substr(blank + 1);
    const auto left_id = ids_.find(left);
    const auto right_id = ids_.find(right);
    merged_.assign(left).append(right);
    const auto result = ids_.find(merged_);
    for (const auto& [piece, id] : {std::pair{left, left_id}, std::pair{right, right_id},
                                    std::pair{std::string_view(merged_), result}}) {
      if (id == ids_.end()) return wrong(rule, line, fmt::format("needs \"{}\", which {} lacks", piece, vocabulary_name_));
      if (made_[index(id->second)] == Origin::kControl) return wrong(rule, line, "touches a control token");
    }
    return BytePairFiles::Merge{left_id->second, right_id->second, result->second};
  }

  [[nodiscard]] std::unexpected<core::Error> wrong(std::string_view rule, std::size_t line, std::string_view what) const {
    std::string shown;
    for (std::size_t position = 0; position < std::min(rule.size(), kShownBytes);) {
      append_utf8(next_code_point(rule, position), shown);
    }
    return core::fail(ErrorCode::kDataLoss, fmt::format("{}: line {}, \"{}\", {}", merges_name_, line, shown, what));
  }

  const BytePairOptions& options_;
  std::string vocabulary_name_;
  std::string merges_name_;
  BytePairFiles files_;
  std::unordered_map<std::string_view, TokenId> ids_;
  std::vector<Origin> made_;  // by id: where a piece comes from
  std::string merged_;
};

}  // namespace

core::Result<BytePairFiles> parse_byte_pair_files(const NamedBytes& vocabulary, const NamedBytes& merges,
                                                  const BytePairOptions& options) {
  CORE_TRY(std::vector<std::string> pieces, read_pieces(vocabulary));
  Reader reader(std::move(pieces), options, vocabulary.name, merges.name);
  return reader.read(merges.bytes);
}

core::Result<BytePairFiles> read_byte_pair_files(const std::filesystem::path& model_dir, const BytePairOptions& options) {
  const std::filesystem::path vocabulary = model_dir / "vocab.json";
  const std::filesystem::path merges = model_dir / "merges.txt";
  CORE_TRY(const std::string vocabulary_bytes, core::read_text_file(vocabulary, kMaxFileBytes));
  CORE_TRY(const std::string merges_bytes, core::read_text_file(merges, kMaxFileBytes));
  return parse_byte_pair_files({vocabulary_bytes, vocabulary.string()}, {merges_bytes, merges.string()}, options);
}

}  // namespace scalestyle::text
