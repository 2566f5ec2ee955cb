#pragma once
// What completes an outfit with one article, asked for: an article of each slot that goes with it (ranking/look.hpp).

#include <cstddef>
#include <string>

#include "core/result.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxLookItems = 12;
inline constexpr std::size_t kDefaultLookItems = 6;

// k counts as of any list, and must be at most kMaxLookItems.
struct LookRequest : ListRequest {
  LookRequest() { k = kDefaultLookItems; }

  std::string article_id{};
  std::size_t per_slot = 1;  // 1 … ranking::kMaxPerSlot
};

// kInvalidArgument with the parameter as field.
[[nodiscard]] core::Status validate(const LookRequest& request);
[[nodiscard]] std::string request_fingerprint(const LookRequest& request);

}  // namespace scalestyle::search
