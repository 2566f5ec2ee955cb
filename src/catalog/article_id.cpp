#include "catalog/article_id.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace scalestyle::catalog {
namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

core::Result<ArticleId> ArticleId::parse(std::string_view text) {
  const std::string_view id = trim(text);
  const auto invalid = [](std::string message) {
    return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), "article_id");
  };
  if (id.empty()) return invalid("an article id must not be empty");
  if (id.size() > kMaxBytes) {
    return invalid(fmt::format("an article id has at most {} bytes, this one has {}", kMaxBytes, id.size()));
  }
  const auto bad = std::find_if(id.begin(), id.end(), [](char c) { return c < '!' || c > '~'; });
  if (bad != id.end()) {
    return invalid(fmt::format("an article id has visible ASCII only, but byte {} of this one is 0x{:02X}",
                               bad - id.begin() + 1, static_cast<unsigned char>(*bad)));
  }
  const bool numeric = std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  std::string canonical;
  if (numeric && id.size() < kNumericDigits) canonical.assign(kNumericDigits - id.size(), '0');
  canonical += id;
  return ArticleId(std::move(canonical));
}

}  // namespace scalestyle::catalog
