#include "search/synonym_file.hpp"

#include <utility>

namespace scalestyle::search {

core::Result<std::unique_ptr<SynonymFile>> SynonymFile::open(std::filesystem::path path) {
  std::unique_ptr<SynonymFile> file(new SynonymFile(std::move(path)));
  CORE_CHECK(file->read_now());
  return file;
}

}  // namespace scalestyle::search
