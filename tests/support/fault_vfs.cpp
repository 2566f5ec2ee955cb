#include "support/fault_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

namespace scalestyle::support {

namespace {

constexpr std::size_t kSector = 512;
constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

struct Change {
  bool truncates = false;
  std::size_t offset = 0;  // of a truncation: the new size
  std::vector<char> bytes{};
};

struct Shadow {
  std::string path{};
  std::vector<char> durable{};
  std::vector<Change> pending{};  // since the last sync, in order
  bool unlinked = false;          // and the folder not synced since: a cut may bring it back
  bool fresh = false;             // made, and not synced since: SQLite syncs the folder with its first sync
};

void apply(std::vector<char>& content, const Change& change) {
  if (change.truncates) return content.resize(change.offset);
  if (content.size() < change.offset + change.bytes.size()) content.resize(change.offset + change.bytes.size());
  std::copy(change.bytes.begin(), change.bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

std::vector<char> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

struct State {
  sqlite3_vfs* base = nullptr;
  std::mutex mutex;
  bool dead = false;  // guarded by mutex, as all below
  int fail_in = 0;
  std::string fail_suffix;
  std::int64_t space = kUnlimited;
  std::uint64_t syncs = 0;
  std::function<void(const std::string&)> hook;
  std::map<std::string, Shadow> shadows;  // of files since they were first opened

  bool is_dead() {
    const std::lock_guard lock(mutex);
    return dead;
  }
};

// SQLite allocates szOsFile bytes: this, then the base's own file.
struct FaultFile {
  sqlite3_file file;
  State* state;
  Shadow* shadow;  // none: a temporary file
};

FaultFile* own(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file); }
sqlite3_file* base(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(own(file) + 1); }

int close_file(sqlite3_file* file) { return base(file)->pMethods->xClose(base(file)); }

int read_file(sqlite3_file* file, void* buffer, int bytes, sqlite3_int64 offset) {
  if (own(file)->state->is_dead()) return SQLITE_IOERR_READ;
  return base(file)->pMethods->xRead(base(file), buffer, bytes, offset);
}

int write_file(sqlite3_file* file, const void* buffer, int bytes, sqlite3_int64 offset) {
  State& state = *own(file)->state;
  const std::lock_guard lock(state.mutex);
  if (state.dead) return SQLITE_IOERR_WRITE;
  const int fits = static_cast<int>(std::min<std::int64_t>(bytes, state.space));
  if (state.space != kUnlimited) state.space -= fits;
  if (fits > 0) {
    const int code = base(file)->pMethods->xWrite(base(file), buffer, fits, offset);
    if (code != SQLITE_OK) return code;
    const char* begin = static_cast<const char*>(buffer);
    if (own(file)->shadow != nullptr) {
      own(file)->shadow->pending.push_back({false, static_cast<std::size_t>(offset), std::vector<char>(begin, begin + fits)});
    }
  }
  return fits == bytes ? SQLITE_OK : SQLITE_FULL;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  State& state = *own(file)->state;
  const std::lock_guard lock(state.mutex);
  if (state.dead) return SQLITE_IOERR_TRUNCATE;
  if (own(file)->shadow != nullptr) own(file)->shadow->pending.push_back({true, static_cast<std::size_t>(size), {}});
  return base(file)->pMethods->xTruncate(base(file), size);
}

int sync_file(sqlite3_file* file, int flags) {
  State& state = *own(file)->state;
  Shadow* const shadow = own(file)->shadow;
  std::function<void(const std::string&)> hook;
  {
    const std::lock_guard lock(state.mutex);
    hook = state.hook;
  }
  if (hook && shadow != nullptr) hook(shadow->path);
  const std::lock_guard lock(state.mutex);
  if (state.dead) return SQLITE_IOERR_FSYNC;
  ++state.syncs;
  if (shadow != nullptr && state.fail_in > 0 && shadow->path.ends_with(state.fail_suffix) && --state.fail_in == 0) {
    return SQLITE_IOERR_FSYNC;
  }
  if (shadow != nullptr) {
    for (const Change& change : shadow->pending) apply(shadow->durable, change);
    shadow->pending.clear();
    if (std::exchange(shadow->fresh, false)) {
      for (auto& [path, other] : state.shadows) {
        if (std::exchange(other.unlinked, false)) other = {.path = path};
      }
    }
  }
  return base(file)->pMethods->xSync(base(file), flags);
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) { return base(file)->pMethods->xFileSize(base(file), size); }
int lock_file(sqlite3_file* file, int level) { return base(file)->pMethods->xLock(base(file), level); }
int unlock_file(sqlite3_file* file, int level) { return base(file)->pMethods->xUnlock(base(file), level); }
int reserved(sqlite3_file* file, int* out) { return base(file)->pMethods->xCheckReservedLock(base(file), out); }
int control(sqlite3_file* file, int operation, void* argument) {
  return base(file)->pMethods->xFileControl(base(file), operation, argument);
}
int sector_size(sqlite3_file* file) { return base(file)->pMethods->xSectorSize(base(file)); }
int characteristics(sqlite3_file* file) { return base(file)->pMethods->xDeviceCharacteristics(base(file)); }
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return base(file)->pMethods->xShmMap(base(file), page, size, extend, out);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return base(file)->pMethods->xShmLock(base(file), offset, count, flags);
}
void barrier_shared(sqlite3_file* file) { base(file)->pMethods->xShmBarrier(base(file)); }
int unmap_shared(sqlite3_file* file, int remove) { return base(file)->pMethods->xShmUnmap(base(file), remove); }

constexpr sqlite3_io_methods kMethods = {
    2, close_file, read_file, write_file, truncate_file, sync_file, size_of_file, lock_file, unlock_file, reserved,
    control, sector_size, characteristics, map_shared, lock_shared, barrier_shared, unmap_shared, nullptr, nullptr};

State& state_of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  State& state = state_of(vfs);
  file->pMethods = nullptr;
  const std::lock_guard lock(state.mutex);
  if (state.dead) return SQLITE_CANTOPEN;
  own(file)->state = &state;
  own(file)->shadow = nullptr;
  const bool existed = name != nullptr && std::filesystem::exists(name);
  const int code = state.base->xOpen(state.base, name, base(file), flags, out_flags);
  if (code != SQLITE_OK) return code;
  if (name != nullptr) {
    auto [entry, unknown] = state.shadows.try_emplace(name);
    Shadow& shadow = entry->second;
    if (unknown || !existed) shadow = {.path = name, .durable = read_whole(name)};
    if (!existed && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0) shadow.fresh = true;
    own(file)->shadow = &shadow;
  }
  file->pMethods = &kMethods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  State& state = state_of(vfs);
  const std::lock_guard lock(state.mutex);
  if (state.dead) return SQLITE_IOERR_DELETE;
  if (const auto found = state.shadows.find(name); found != state.shadows.end()) {
    found->second.unlinked = sync_folder == 0;
    if (sync_folder != 0) found->second = {.path = name};
  }
  return state.base->xDelete(state.base, name, sync_folder);
}

int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  return state_of(vfs).base->xAccess(state_of(vfs).base, name, flags, out);
}
int full_name(sqlite3_vfs* vfs, const char* name, int bytes, char* out) {
  return state_of(vfs).base->xFullPathname(state_of(vfs).base, name, bytes, out);
}
int random_bytes(sqlite3_vfs* vfs, int bytes, char* out) { return state_of(vfs).base->xRandomness(state_of(vfs).base, bytes, out); }
int pause(sqlite3_vfs* vfs, int microseconds) { return state_of(vfs).base->xSleep(state_of(vfs).base, microseconds); }
int last_error(sqlite3_vfs* vfs, int bytes, char* out) { return state_of(vfs).base->xGetLastError(state_of(vfs).base, bytes, out); }
int current_time(sqlite3_vfs* vfs, sqlite3_int64* out) { return state_of(vfs).base->xCurrentTimeInt64(state_of(vfs).base, out); }

// What was synced, and of each later change any of its sectors.
std::vector<char> after_cut(const Shadow& shadow, std::mt19937_64& random) {
  std::vector<char> content = shadow.durable;
  const unsigned keep_percent = static_cast<unsigned>(random() % 101);  // from none to all, so that both ends are met
  const auto kept = [&] { return random() % 100 < keep_percent; };
  for (const Change& change : shadow.pending) {
    if (change.truncates) {
      if (kept()) apply(content, change);
      continue;
    }
    for (std::size_t at = 0; at < change.bytes.size();) {
      const std::size_t sector_end = ((change.offset + at) / kSector + 1) * kSector - change.offset;
      const std::size_t end = std::min(change.bytes.size(), sector_end);
      const auto begin = change.bytes.begin();
      if (kept()) apply(content, {false, change.offset + at, {begin + static_cast<std::ptrdiff_t>(at), begin + static_cast<std::ptrdiff_t>(end)}});
      at = end;
    }
  }
  return content;
}

std::atomic<int> next_name{0};

}  // namespace

struct FaultVfs::Impl {
  std::string name;
  sqlite3_vfs vfs{};
  State state;
};

FaultVfs::FaultVfs() : impl_(std::make_unique<Impl>()) {
  impl_->name = "fault-" + std::to_string(next_name.fetch_add(1));
  impl_->state.base = sqlite3_vfs_find(nullptr);
  sqlite3_vfs& vfs = impl_->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(sizeof(FaultFile)) + impl_->state.base->szOsFile;
  vfs.mxPathname = impl_->state.base->mxPathname;
  vfs.zName = impl_->name.c_str();
  vfs.pAppData = &impl_->state;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_name;
  vfs.xRandomness = random_bytes;
  vfs.xSleep = pause;
  vfs.xGetLastError = last_error;
  vfs.xCurrentTimeInt64 = current_time;
  sqlite3_vfs_register(&vfs, 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&impl_->vfs); }

const std::string& FaultVfs::name() const { return impl_->name; }

void FaultVfs::fail_sync(int nth, std::string suffix) {
  const std::lock_guard lock(impl_->state.mutex);
  impl_->state.fail_in = nth;
  impl_->state.fail_suffix = std::move(suffix);
}

void FaultVfs::on_sync(std::function<void(const std::string&)> hook) {
  const std::lock_guard lock(impl_->state.mutex);
  impl_->state.hook = std::move(hook);
}

void FaultVfs::set_space(std::int64_t bytes) {
  const std::lock_guard lock(impl_->state.mutex);
  impl_->state.space = bytes;
}
void FaultVfs::set_space_unlimited() { set_space(kUnlimited); }

std::uint64_t FaultVfs::syncs() const {
  const std::lock_guard lock(impl_->state.mutex);
  return impl_->state.syncs;
}

void FaultVfs::cut_power() {
  const std::lock_guard lock(impl_->state.mutex);
  impl_->state.dead = true;
}

void FaultVfs::restore(std::uint64_t seed) {
  const std::lock_guard lock(impl_->state.mutex);
  std::mt19937_64 random(seed);
  for (auto& [path, shadow] : impl_->state.shadows) {
    const bool comes_back = !shadow.unlinked || random() % 2 == 0;
    const std::vector<char> content = comes_back ? after_cut(shadow, random) : std::vector<char>{};
    if (content.empty() && !path.ends_with(".db")) {
      std::filesystem::remove(path);
      continue;
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc).write(content.data(), static_cast<std::streamsize>(content.size()));
    std::filesystem::remove(path + "-shm");
  }
  impl_->state.shadows.clear();
  impl_->state.dead = false;
}

}  // namespace scalestyle::support
