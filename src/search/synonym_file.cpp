#include "search/synonym_file.hpp"

#include <system_error>
#include <utility>

#include "core/files.hpp"

namespace scalestyle::search {

core::Result<std::unique_ptr<SynonymFile>> SynonymFile::open(std::filesystem::path path) {
  std::unique_ptr<SynonymFile> file(new SynonymFile(std::move(path)));
  CORE_CHECK(file->read());
  return file;
}

std::shared_ptr<const retrieval::SynonymTable> SynonymFile::current() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

core::Result<SynonymFile::Stamp> SynonymFile::stamp() const {
  std::error_code error;
  Stamp now;
  now.time = std::filesystem::last_write_time(path_, error);
  if (!error) now.bytes = std::filesystem::file_size(path_, error);
  if (error) return std::unexpected(core::system_error("look at", path_, error.value()));
  return now;
}

core::Status SynonymFile::read() {
  CORE_TRY(seen_, stamp());  // before reading: what is written meanwhile is read the next time
  CORE_TRY(auto table, retrieval::SynonymTable::read(path_));
  auto next = std::make_shared<const retrieval::SynonymTable>(std::move(table));
  const std::lock_guard lock(mutex_);
  table_.swap(next);
  version_.fetch_add(1, std::memory_order_acq_rel);
  return {};
}

core::Result<bool> SynonymFile::follow() {
  CORE_TRY(const Stamp now, stamp());
  if (now == seen_) return false;
  CORE_CHECK(read());
  return true;
}

}  // namespace scalestyle::search
