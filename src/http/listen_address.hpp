#pragma once
// Whether an address to listen on can be reached from this machine alone.

#include <string_view>

namespace scalestyle::http {

// "localhost", 127.0.0.0/8, ::1, or the former as an IPv6 address. False for what is no address: nobody listens there.
[[nodiscard]] bool is_loopback_address(std::string_view host);

}  // namespace scalestyle::http
