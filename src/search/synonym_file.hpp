#pragma once
// SynonymFile: the synonyms of a file, followed while the server runs (followed_file.hpp).

#include <filesystem>
#include <memory>

#include "core/result.hpp"
#include "retrieval/synonyms.hpp"
#include "search/followed_file.hpp"

namespace scalestyle::search {

class SynonymFile final : public FollowedFile<retrieval::SynonymTable> {
 public:
  // Reads the file. Errors: those of SynonymTable::read.
  [[nodiscard]] static core::Result<std::unique_ptr<SynonymFile>> open(std::filesystem::path path);

 private:
  explicit SynonymFile(std::filesystem::path path) : FollowedFile(std::move(path), &retrieval::SynonymTable::read) {}
};

}  // namespace scalestyle::search
