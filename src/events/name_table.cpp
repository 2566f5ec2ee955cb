#include "events/name_table.hpp"

#include <cassert>
#include <iterator>
#include <utility>

namespace scalestyle::events {

namespace {

constexpr std::size_t kMaxPages = NameTable::kMaxNames / NameTable::kPageNames;

// Entry, node of the index with its bucket, and the text where it does not fit into the string itself.
std::size_t bytes_of(std::string_view name) {
  constexpr std::size_t kEntryAndNode = 40 + 56;
  constexpr std::size_t kInline = 15;
  return kEntryAndNode + (name.size() > kInline ? (name.size() + 1 + 8 + 15) / 16 * 16 : 0);
}

}  // namespace

NameTable::NameTable() : pages_(std::make_unique<std::atomic<Entry*>[]>(kMaxPages)) {}

NameTable::~NameTable() {
  for (std::size_t page = 0; page < kMaxPages; ++page) delete[] pages_[page].load(std::memory_order_relaxed);
}

void NameTable::ensure_page(NameCode code) {
  auto& page = pages_[code / kPageNames];
  if (page.load(std::memory_order_relaxed) == nullptr) page.store(new Entry[kPageNames], std::memory_order_release);
}

NameCode NameTable::acquire(std::string_view name) {
  if (const auto found = index_.find(name); found != index_.end()) {
    ++entry(found->second).references;
    return found->second;
  }
  if (free_.empty() && !hold_retired_) recycle();
  NameCode code = next_;
  if (free_.empty()) {
    assert(next_ < kMaxNames);
    ensure_page(code);
    ++next_;
  } else {
    code = free_.back();
    free_.pop_back();
  }
  Entry& created = entry(code);
  created.name.assign(name);
  created.references = 1;
  created.in_use = true;
  index_.emplace(created.name, code);
  memory_bytes_ += bytes_of(name);
  changes_.push_back({code, true});
  return code;
}

void NameTable::release(NameCode code) {
  Entry& released = entry(code);
  assert(released.references > 0);
  if (--released.references == 0) retire(code);
}

// The text stays until the code is used again: a copy being made may still need it.
void NameTable::retire(NameCode code) {
  Entry& retired = entry(code);
  memory_bytes_ -= bytes_of(retired.name);
  index_.erase(retired.name);
  retired.in_use = false;
  retired_.push_back(code);
  changes_.push_back({code, false});
}

void NameTable::recycle() {
  free_.insert(free_.end(), retired_.begin(), retired_.end());
  retired_.clear();
}

std::vector<NameChange> NameTable::take_changes() { return std::exchange(changes_, {}); }

void NameTable::put_back_changes(std::vector<NameChange> changes) {
  changes.insert(changes.end(), changes_.begin(), changes_.end());
  changes_ = std::move(changes);
}

void NameTable::hold_retired(bool hold) { hold_retired_ = hold; }

bool NameTable::known(NameCode code) const { return code < next_ && entry(code).in_use; }

bool NameTable::restore(NameCode code, std::string_view name) {
  if (code >= kMaxNames || index_.contains(name)) return false;
  ensure_page(code);
  if (entry(code).in_use) return false;
  // Codes between are free; their pages must exist.
  for (; next_ <= code; ++next_) ensure_page(next_);
  Entry& restored = entry(code);
  restored.name.assign(name);
  restored.in_use = true;
  index_.emplace(restored.name, code);
  memory_bytes_ += bytes_of(name);
  return true;
}

void NameTable::finish_restore() {
  for (NameCode code = next_; code-- > 0;) {
    const Entry& restored = entry(code);
    if (!restored.in_use) {
      free_.push_back(code);
    } else if (restored.references == 0) {
      retire(code);
    }
  }
}

}  // namespace scalestyle::events
