#pragma once
// FaultVfs: SQLite's file layer with faults: syncs that fail or wait, a disk that fills up, and a power cut after which
// each file holds what was synced and any part of what was not, sector by sector.
//
// Open databases with name() as their VFS. Thread-safe. Destroy it after every connection that uses it.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace scalestyle::support {

class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  [[nodiscard]] const std::string& name() const;

  // The n-th sync from now (1: the next) of a file whose name ends with `suffix` fails, once.
  void fail_sync(int nth, std::string suffix);
  // Called before each sync with the file's name, on the thread that syncs; may block. Empty: none.
  void on_sync(std::function<void(const std::string& path)> hook);
  // After this many bytes more, writes fail with "disk full"; what fits of the failing write is written.
  void set_space(std::int64_t bytes);
  void set_space_unlimited();
  [[nodiscard]] std::uint64_t syncs() const;

  // From now on every operation fails. After that all connections are to be closed, then restore() called.
  void cut_power();
  // Gives each file what a disk may hold after the cut, chosen by `seed`, removes the shared-memory files, and lets
  // operations pass again.
  void restore(std::uint64_t seed);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::support
