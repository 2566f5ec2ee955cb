#include "text/json_pieces.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdint>
#include <string_view>

namespace scalestyle::text {

using core::ErrorCode;

core::Result<std::vector<std::string>> pieces_by_id(const boost::json::object& pieces, const std::string& name) {
  constexpr std::size_t kShownBytes = 400;
  if (pieces.size() > kMaxVocabularyPieces) {
    return core::fail(ErrorCode::kDataLoss,
                      fmt::format("{}: {} pieces (at most {})", name, pieces.size(), kMaxVocabularyPieces));
  }
  std::vector<std::string> by_id(pieces.size());
  std::vector<bool> taken(pieces.size());
  for (const auto& member : pieces) {
    const std::string_view piece = member.key();
    const std::int64_t* id = member.value().if_int64();
    if (id == nullptr || *id < 0 || static_cast<std::uint64_t>(*id) >= pieces.size()) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: piece \"{}\" has no id from 0 to {}", name,
                                                          piece.substr(0, kShownBytes), pieces.size() - 1));
    }
    const auto index = static_cast<std::size_t>(*id);
    if (taken[index]) {
      return core::fail(ErrorCode::kDataLoss, fmt::format("{}: id {} belongs to two pieces, \"{}\" and \"{}\"", name, index,
                                                          by_id[index], piece.substr(0, kShownBytes)));
    }
    taken[index] = true;
    by_id[index] = piece;
  }
  return by_id;
}

}  // namespace scalestyle::text
