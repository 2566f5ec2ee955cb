#include "search/page_cursor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/hash.hpp"
#include "core/hmac.hpp"
#include "search/rising_numbers.hpp"

namespace scalestyle::search {

namespace {

constexpr char kVersion = 1;
constexpr std::size_t kTimeBytes = 4;
constexpr std::size_t kNameBytes = 8;
constexpr std::size_t kSignatureBytes = 16;
constexpr std::size_t kHeadBytes = 1 + kTimeBytes + 2 * kNameBytes;

std::string first_bytes(const core::Sha256Digest& digest, std::size_t count) {
  return {reinterpret_cast<const char*>(digest.data()), count};
}

std::string short_name(std::string_view text) { return first_bytes(core::sha256(text), kNameBytes); }

std::int64_t seconds_of(core::WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

core::Error not_ours() {
  return core::fail(core::ErrorCode::kInvalidArgument, "cursor is not one that this server gave for this request; leave it out to begin anew",
                    "cursor")
      .error();
}

core::Error expired(std::string why) {
  return core::fail(core::ErrorCode::kFailedPrecondition, std::move(why) + "; begin again at the first page", "cursor").error();
}

}  // namespace

core::Status CursorOptions::validate() const {
  constexpr std::size_t kLeast = 16;
  if (!key.empty() && key.size() < kLeast) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("cursor_key has {} bytes; it must have at least {}", key.size(), kLeast),
                      "cursor_key");
  }
  if (lifetime < std::chrono::seconds(1) || lifetime > std::chrono::days(30)) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("the lifetime of a cursor is {} s, which must be 1 s to 30 days", lifetime.count()), "cursor_lifetime_s");
  }
  return {};
}

PageCursors::PageCursors(CursorOptions options) : options_(std::move(options)) {
  constexpr std::size_t kKeyBytes = 32;
  if (options_.key.empty()) options_.key = core::random_key(kKeyBytes);
}

std::optional<std::string> PageCursors::write(const PageCursor& cursor, core::WallTime now) const {
  if (cursor.shown.size() > kMaxCursorItems) return std::nullopt;
  std::string bytes(1, kVersion);
  const auto seconds = static_cast<std::uint32_t>(seconds_of(now));
  for (std::size_t i = 0; i < kTimeBytes; ++i) bytes.push_back(static_cast<char>((seconds >> (8 * i)) & 0xFF));
  bytes += short_name(cursor.generation);
  bytes += short_name(cursor.request);
  write_rising(cursor.shown, bytes);
  bytes += first_bytes(core::hmac_sha256(options_.key, bytes), kSignatureBytes);
  std::string text = base64url_encode(bytes);
  if (text.size() > kMaxCursorCharacters) return std::nullopt;
  return text;
}

core::Result<std::vector<std::uint32_t>> PageCursors::read(std::string_view text, std::string_view generation,
                                                           std::string_view request, core::WallTime now) const {
  if (text.size() > kMaxCursorCharacters) return std::unexpected(not_ours());
  const auto decoded = base64url_decode(text);
  if (!decoded || decoded->size() < kHeadBytes + kSignatureBytes) return std::unexpected(not_ours());
  const std::string_view bytes = *decoded;
  const std::string_view body = bytes.substr(0, bytes.size() - kSignatureBytes);
  const std::string signature = first_bytes(core::hmac_sha256(options_.key, body), kSignatureBytes);
  if (!core::equal_in_constant_time(signature, bytes.substr(body.size()))) return std::unexpected(not_ours());
  // From here on it is ours, unless the key is a stranger's too.
  if (body[0] != kVersion) return std::unexpected(expired("cursor is of another version of this server"));
  if (body.substr(1 + kTimeBytes + kNameBytes, kNameBytes) != short_name(request)) return std::unexpected(not_ours());
  std::uint32_t issued = 0;
  for (std::size_t i = 0; i < kTimeBytes; ++i) issued |= std::uint32_t{static_cast<unsigned char>(body[1 + i])} << (8 * i);
  if (seconds_of(now) - std::int64_t{issued} > options_.lifetime.count()) {
    return std::unexpected(expired(fmt::format("cursor is older than {} s", options_.lifetime.count())));
  }
  if (body.substr(1 + kTimeBytes, kNameBytes) != short_name(generation)) {
    return std::unexpected(expired("cursor is of a catalogue that is no longer served"));
  }
  auto shown = read_rising(body.substr(kHeadBytes), kMaxCursorItems);
  if (!shown) return std::unexpected(not_ours());
  return shown;
}

}  // namespace scalestyle::search
