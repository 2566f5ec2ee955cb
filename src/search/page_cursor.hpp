#pragma once
// PageCursors: where a shopper is in a list, as a signed text that they bring back for the next page.
//
// A cursor holds what was already shown, so that no item comes twice even when the order changes between two pages. It is
// for one request (its fingerprint) on one generation, whose numbers it uses, and for a limited time.
//
//   version (1) | issued, s since 1970 (4, LE) | generation (8) | request (8) | numbers | HMAC-SHA-256 of all before (16)
//
// generation and request are the first bytes of their SHA-256. numbers: their count, then the gaps between them rising,
// Rice-coded: 10,000 of 50,000 products are some 5 kB. As base64url without padding.
// Immutable: safe to share between threads.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxCursorItems = 10'000;
inline constexpr std::size_t kMaxCursorCharacters = 12'000;  // with the rest of a request it fits into a URL

struct PageCursor {
  std::string generation{};
  std::string request{};              // what the list is, in any form; compared whole
  std::vector<std::uint32_t> shown{};  // distinct, rising

  friend bool operator==(const PageCursor&, const PageCursor&) = default;
};

struct CursorOptions {
  std::string key{};                  // empty: a random one, good for this process; else ≥ 16 bytes
  std::chrono::seconds lifetime{900};  // 1 s … 30 d

  // kInvalidArgument with the setting as field: cursor_key, cursor_lifetime_s.
  [[nodiscard]] core::Status validate() const;
};

class PageCursors {
 public:
  // `options` must be valid.
  explicit PageCursors(CursorOptions options);

  // Nothing when there is more to hold than a cursor can: a walk ends there.
  [[nodiscard]] std::optional<std::string> write(const PageCursor& cursor, core::WallTime now) const;

  // What was shown. Errors, with field "cursor": kInvalidArgument (not one of ours, or of another request),
  // kFailedPrecondition (of another generation, or too old: begin again at the first page).
  [[nodiscard]] core::Result<std::vector<std::uint32_t>> read(std::string_view text, std::string_view generation,
                                                              std::string_view request, core::WallTime now) const;

 private:
  CursorOptions options_;
};

}  // namespace scalestyle::search
