#pragma once
// Where a gateway serves the picture of an article. Pure; any thread.

#include <string>
#include <string_view>

namespace scalestyle::catalog {

// "/images/<id>", relative to the gateway; bytes of the id other than letters, digits, '-', '_' and '~' as %XX.
[[nodiscard]] std::string image_url(std::string_view article_id);

}  // namespace scalestyle::catalog
