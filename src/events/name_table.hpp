#pragma once
// NameTable: texts (item ids, categories) as 32-bit codes, so that a million subjects can refer to them in a few bytes.
// Codes are counted references: a name without any is retired and its code given to another name later.
//
// Thread safety: everything by one thread, except name(), which any thread may call for a code that it knows to be
// referred to (it read the reference under a lock that its writer takes too): names never move.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace scalestyle::events {

using NameCode = std::uint32_t;

struct NameChange {
  NameCode code = 0;
  bool created = false;  // else retired
};

class NameTable {
 public:
  static constexpr std::size_t kPageNames = 4'096;
  static constexpr std::size_t kMaxNames = std::size_t{1} << 28;

  NameTable();
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;
  ~NameTable();

  // The code of `name`, with one more reference. The table must hold fewer than kMaxNames.
  [[nodiscard]] NameCode acquire(std::string_view name);
  void add_reference(NameCode code) { ++entry(code).references; }
  void release(NameCode code);

  [[nodiscard]] std::string_view name(NameCode code) const { return entry(code).name; }
  [[nodiscard]] std::size_t size() const { return index_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const { return memory_bytes_; }  // of names in use: of their texts alone
  [[nodiscard]] NameCode code_limit() const { return next_; }               // every code is below

  // What was created and retired since the last call, in order: for keeping a copy elsewhere.
  [[nodiscard]] std::vector<NameChange> take_changes();
  // Puts back what could not be copied, before everything that changed since.
  void put_back_changes(std::vector<NameChange> changes);
  // While held, retired names keep their text and their codes are not given to others.
  void hold_retired(bool hold);

  // Loading: restore() each name (false when code or name is taken, or the code is out of range), add the references, then
  // finish_restore() retires what nothing refers to.
  [[nodiscard]] bool restore(NameCode code, std::string_view name);
  [[nodiscard]] bool known(NameCode code) const;  // holds a name
  void finish_restore();

 private:
  struct Entry {
    std::string name{};
    std::uint32_t references = 0;
    bool in_use = false;
  };
  using Page = std::unique_ptr<Entry[]>;

  [[nodiscard]] Entry& entry(NameCode code) const {
    return pages_[code / kPageNames].load(std::memory_order_acquire)[code % kPageNames];
  }
  void ensure_page(NameCode code);
  void retire(NameCode code);
  void recycle();

  std::unique_ptr<std::atomic<Entry*>[]> pages_;  // fixed in size: readers need no lock to find an entry
  std::unordered_map<std::string_view, NameCode> index_;
  std::vector<NameCode> free_;
  std::vector<NameCode> retired_;
  std::vector<NameChange> changes_;
  NameCode next_ = 0;
  std::size_t memory_bytes_ = 0;
  bool hold_retired_ = false;
};

}  // namespace scalestyle::events
