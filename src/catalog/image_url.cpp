#include "catalog/image_url.hpp"

namespace scalestyle::catalog {

std::string image_url(std::string_view article_id) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  constexpr std::string_view kFolder = "/images/";
  std::string url;
  url.reserve(kFolder.size() + article_id.size());
  url = kFolder;
  for (const char c : article_id) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '~';
    if (plain) {
      url += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    url += '%';
    url += kDigits[byte >> 4U];
    url += kDigits[byte & 0xFU];
  }
  return url;
}

}  // namespace scalestyle::catalog
