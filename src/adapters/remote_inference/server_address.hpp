#pragma once
// Addresses of model servers, as settings have them. Thread safety: free functions without state.

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::adapters::remote_inference {

// Errors: kInvalidArgument with `setting` as field for an address that is not http or https, names no host, or has a user, a query or
// a fragment: it is written to logs.
[[nodiscard]] core::Status check_server_address(std::string_view url, std::string_view setting);

// Addresses separated by commas, without blanks around them and slashes at their ends. Errors: those of check_server_address;
// kInvalidArgument for none, one that is named twice, or more than 64.
[[nodiscard]] core::Result<std::vector<std::string>> parse_server_addresses(std::string_view text, std::string_view setting);

// The value of a variable of the environment, which a server wants as a bearer token; empty where it is not set. Errors:
// kInvalidArgument for characters that a header may not have; the value is not told.
[[nodiscard]] core::Result<std::string> key_from_environment(const std::string& variable);

}  // namespace scalestyle::adapters::remote_inference
