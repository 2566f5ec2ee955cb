#include "adapters/redis/catalogue_keys.hpp"

#include <algorithm>

namespace scalestyle::adapters::redis {

bool is_generation_name(std::string_view text) {
  constexpr std::size_t kMaxBytes = 64;
  if (text.empty() || text.size() > kMaxBytes || text.front() == '.') return false;
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace scalestyle::adapters::redis
