// Checkpoints of MemoryFeatureStore: freeze (O(1), under the writer lock), write what was frozen while events go on being
// applied, thaw.

#include <chrono>
#include <utility>

#include "adapters/embedded/memory_feature_store_impl.hpp"

namespace scalestyle::adapters::embedded {

namespace {

using Positions = core::Result<std::vector<events::EventPosition>>;

// Put back under one hold of the writer lock.
constexpr std::size_t kPutBackSlice = 2'048;

}  // namespace

MemoryFeatureStore::Impl::Frozen MemoryFeatureStore::Impl::freeze() {
  const std::lock_guard lock(writer);
  Frozen frozen;
  frozen.header.positions = positions.all();
  frozen.header.watermark_ms = state.watermark_ms();
  frozen.header.subjects = state.subjects().size();
  frozen.header.items = state.items().size();
  frozen.header.item_names = state.item_names().size();
  frozen.header.categories = state.categories().size();
  frozen.item_names = state.item_names().take_changes();
  frozen.categories = state.categories().take_changes();
  state.item_names().hold_retired(true);
  state.categories().hold_retired(true);
  frozen.items = state.items().freeze();
  frozen.subjects = state.subjects().freeze();
  return frozen;
}

core::Status MemoryFeatureStore::Impl::write(const Frozen& frozen) {
  CORE_CHECK(file.begin());
  CORE_CHECK(file.write_item_names(frozen.item_names, state.item_names()));
  CORE_CHECK(file.write_categories(frozen.categories, state.categories()));
  CORE_CHECK(file.write_items(frozen.items, state.items()));
  CORE_CHECK(file.write_subjects(frozen.subjects, state.subjects()));
  return file.commit(frozen.header);
}

void MemoryFeatureStore::Impl::thaw() {
  const std::lock_guard lock(writer);
  state.item_names().hold_retired(false);
  state.categories().hold_retired(false);
  state.items().thaw();
  state.subjects().thaw();
}

void MemoryFeatureStore::Impl::put_back(Frozen frozen) {
  {
    const std::lock_guard lock(writer);
    state.item_names().put_back_changes(std::move(frozen.item_names));
    state.categories().put_back_changes(std::move(frozen.categories));
    state.subjects().put_back(std::move(frozen.subjects.removed));
  }
  const auto in_slices = [this](auto all, const auto& put) {
    for (std::size_t begin = 0; begin < all.size(); begin += kPutBackSlice) {
      const std::lock_guard lock(writer);
      put(all.subspan(begin, std::min(kPutBackSlice, all.size() - begin)));
    }
  };
  in_slices(std::span<const events::NameCode>(frozen.items), [this](auto some) { state.items().put_back(some); });
  in_slices(std::span<const SubjectTable::Ref>(frozen.subjects.changed), [this](auto some) { state.subjects().put_back(some); });
}

core::Status MemoryFeatureStore::Impl::empty_journal() {
  CORE_CHECK(file.empty_journal());
  journal_used = false;
  return {};
}

// With `checkpointing` held.
Positions MemoryFeatureStore::Impl::checkpoint() {
  const auto begun = environment.clock.steady_now();
  Frozen frozen = freeze();
  const bool unchanged = frozen.header.positions == committed() && frozen.item_names.empty() && frozen.categories.empty() &&
                         frozen.items.empty() && frozen.subjects.changed.empty() && frozen.subjects.removed.empty();
  core::Status written;
  if (!unchanged) written = write(frozen);
  if (!written) file.rollback();
  thaw();
  if (!written) {
    put_back(std::move(frozen));
    metrics.checkpoint_failures.add();
    return std::unexpected(std::move(written).error());
  }
  if (!unchanged) {
    journal_used = true;
    const std::lock_guard lock(committed_mutex);
    committed_positions = std::move(frozen.header.positions);
  }
  if (journal_used) CORE_CHECK(empty_journal());
  if (!unchanged) metrics.checkpoint_seconds.observe(std::chrono::duration<double>(environment.clock.steady_now() - begun).count());
  return committed();
}

Positions MemoryFeatureStore::checkpoint_now() {
  const std::lock_guard lock(impl_->checkpointing);
  return impl_->checkpoint();
}

core::Status MemoryFeatureStore::scrub_now() {
  const std::lock_guard lock(impl_->checkpointing);
  CORE_CHECK(impl_->checkpoint());
  CORE_CHECK(impl_->file.compact());
  return impl_->empty_journal();
}

Positions MemoryFeatureStore::copy_to(const std::filesystem::path& path) {
  const std::lock_guard lock(impl_->checkpointing);
  CORE_CHECK(impl_->file.copy_to(path));
  return impl_->committed();
}

core::Task<Positions> MemoryFeatureStore::checkpoint(core::Deadline deadline) {
  if (deadline.expired(impl_->environment.clock)) {
    co_return core::fail(core::ErrorCode::kDeadlineExceeded, "the deadline passed before the checkpoint began");
  }
  if (!impl_->environment.run_blocking) co_return checkpoint_now();
  auto done = std::make_shared<core::OneShot<Positions>>();
  impl_->environment.run_blocking([this, done] { done->set(checkpoint_now()); });
  co_return co_await *done;
}

}  // namespace scalestyle::adapters::embedded
