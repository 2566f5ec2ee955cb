#pragma once
// The hosts from which pictures may be fetched, as an operator lists them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::adapters {

// Immutable; any thread may ask.
class AllowedHosts {
 public:
  // Entries separated by commas, blanks around them ignored: "shop.example" is that host alone, "*.example" every host below
  // it (not itself); with ":8443" at that port, else at the scheme's own. https, or http with "http://" before the entry.
  // Empty: no host at all. kInvalidArgument with field "image_url_hosts" and the entry in the message: anything else.
  [[nodiscard]] static core::Result<AllowedHosts> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return entries_.empty(); }

  // `host` in lower case, as a URL parser gives it.
  [[nodiscard]] bool allows(std::string_view scheme, std::string_view host, std::uint16_t port) const;

 private:
  struct Entry {
    std::string host;  // in lower case; with its dot in front where hosts below it are meant
    std::uint16_t port = 0;
    bool plain_http = false;
    bool below = false;
  };
  [[nodiscard]] static core::Result<Entry> parse_entry(std::string_view text);

  std::vector<Entry> entries_;
};

}  // namespace scalestyle::adapters
