#pragma once
// CrossOrigin: which pages of other origins may call the API from a browser (Fetch standard, section 3.2: CORS).
// Thread safety: immutable.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "http/message.hpp"

namespace scalestyle::http {

class CrossOrigin {
 public:
  CrossOrigin() = default;  // none
  // "https://shop.example,http://localhost:3000": at most 64. kInvalidArgument with the field cors_origins: "*" (whose
  // pages could not be told from others' then), or what is not scheme://host[:port] in lower case.
  [[nodiscard]] static core::Result<CrossOrigin> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return origins_.empty(); }

  // For the answer to `request`: that its page may read it, and what a preflight asks, where its origin is listed. Where there
  // is a list, caches are told that answers differ by origin.
  void add_headers(const Request& request, std::vector<std::pair<std::string_view, std::string>>& headers) const;

 private:
  std::vector<std::string> origins_;
};

}  // namespace scalestyle::http
