#pragma once
// The pieces of a vocabulary that a JSON object writes as {"piece": id, …}. Thread safety: a free function without state.

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::text {

inline constexpr std::size_t kMaxVocabularyPieces = 1'000'000;

// The pieces by id. Errors: kDataLoss, calling the file `name`, for more than kMaxVocabularyPieces, and where the ids are
// not the numbers from 0 on, each of one piece.
[[nodiscard]] core::Result<std::vector<std::string>> pieces_by_id(const boost::json::object& pieces, const std::string& name);

}  // namespace scalestyle::text
