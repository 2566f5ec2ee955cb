#pragma once
// Certificates for tests, each its own authority, on a new elliptic key.

#include <filesystem>
#include <string>

namespace scalestyle::support {

struct TlsFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

// Writes a certificate whose common name is `name`, and its key to `folder`, as NAME.crt and NAME.key.
[[nodiscard]] TlsFiles write_tls_files(const std::filesystem::path& folder, const std::string& name);

}  // namespace scalestyle::support
