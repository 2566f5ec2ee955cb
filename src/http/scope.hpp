#pragma once
// What a key may do. Thread safety: values and free functions without state.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace scalestyle::http {

enum class Scope : std::uint8_t {
  kSearch,  // lists, suggestions, articles, reasons; of the inference role: its models
  kEvents,  // tells what shoppers did
  kUsers,   // reads, merges, sets and forgets what is kept of shoppers
  kAdmin,   // metrics, explanations, changes of the catalogue, the features of any shopper
};
inline constexpr std::array<Scope, 4> kScopes{Scope::kSearch, Scope::kEvents, Scope::kUsers, Scope::kAdmin};
[[nodiscard]] std::string_view to_string(Scope scope);  // "search", "events", "users", "admin"

class ScopeSet {
 public:
  constexpr ScopeSet() = default;
  constexpr ScopeSet(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) add(scope);
  }
  constexpr void add(Scope scope) { bits_ = static_cast<std::uint8_t>(bits_ | bit(scope)); }
  [[nodiscard]] constexpr bool contains(Scope scope) const { return (bits_ & bit(scope)) != 0; }
  [[nodiscard]] constexpr bool meets(ScopeSet other) const { return (bits_ & other.bits_) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(ScopeSet, ScopeSet) = default;

 private:
  [[nodiscard]] static constexpr std::uint8_t bit(Scope scope) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(scope)); }
  std::uint8_t bits_ = 0;
};

[[nodiscard]] std::string to_text(ScopeSet scopes);  // "search events", in the order of kScopes

// Names separated by blanks or commas. kInvalidArgument with `field`: none, one twice, or an unknown one.
[[nodiscard]] core::Result<ScopeSet> parse_scopes(std::string_view text, std::string_view field);

}  // namespace scalestyle::http
