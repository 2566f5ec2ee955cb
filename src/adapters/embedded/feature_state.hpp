#pragma once
// FeatureState: all that is known of subjects and items, and the effect of one event on it. A pure function of the events
// applied: expiry and eviction go by event times and by the watermark, the receipt of the event applied last.
//
// What goes, and when:
//  * A session or user without events for its time to live; a user's wish not to be personalised stays.
//  * An item that had no event for so long that its windows are empty and its global score is below 1e-9 of what it was.
//  * Above max_memory_bytes: while items take more than half, the item with the smallest (last event time, id); else the
//    subject with the smallest (last event time, key), of which a wish not to be personalised stays; wishes go last.
// At most kExpiriesPerEvent of what has expired goes with each event, so that no event pays for an idle night; a subject
// or item that has expired is treated as gone when it is touched.
//
// Thread safety: the writer is one at a time (`writer` lock of the store); subjects(), items() and names are read by
// others as their own headers say.

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "adapters/embedded/item_table.hpp"
#include "adapters/embedded/lazy_heap.hpp"
#include "adapters/embedded/subject_table.hpp"
#include "events/subject_record.hpp"

namespace scalestyle::adapters::embedded {

class FeatureState {
 public:
  static constexpr int kExpiriesPerEvent = 16;

  explicit FeatureState(const events::FeatureOptions& options);
  FeatureState(const FeatureState&) = delete;
  FeatureState& operator=(const FeatureState&) = delete;

  // For the writer.
  void apply(const events::Event& event);
  void set_watermark(events::EpochMs watermark_ms) { watermark_ms_.store(watermark_ms, std::memory_order_release); }
  // Loading: names first, then records, then finish_restore(). False for what cannot be.
  [[nodiscard]] bool restore_item_name(events::NameCode code, std::string_view name) { return item_names_.restore(code, name); }
  [[nodiscard]] bool restore_category(events::NameCode code, std::string_view name) { return categories_.restore(code, name); }
  [[nodiscard]] bool restore_item(events::NameCode code, std::string_view record);
  [[nodiscard]] bool restore_subject(std::string_view key, std::string_view record);
  void finish_restore();

  [[nodiscard]] SubjectTable& subjects() { return subjects_; }
  [[nodiscard]] ItemTable& items() { return items_; }
  [[nodiscard]] events::NameTable& item_names() { return item_names_; }
  [[nodiscard]] events::NameTable& categories() { return categories_; }

  // For any thread.
  [[nodiscard]] const SubjectTable& subjects() const { return subjects_; }
  [[nodiscard]] const ItemTable& items() const { return items_; }
  [[nodiscard]] const events::NameTable& item_names() const { return item_names_; }
  [[nodiscard]] const events::FeatureOptions& options() const { return options_; }
  [[nodiscard]] events::EpochMs watermark_ms() const { return watermark_ms_.load(std::memory_order_acquire); }
  // What is left of a subject at `now`: nothing of a session, of a user the wish.
  [[nodiscard]] events::SubjectFeatures features(const events::SubjectRecord& record, events::SubjectKind kind,
                                                 events::EpochMs now_ms) const;
  [[nodiscard]] events::EpochMs item_ttl_ms() const { return item_ttl_ms_; }

  struct Counts {
    std::atomic<std::size_t> memory_bytes{0};
    std::atomic<std::size_t> subjects{0};
    std::atomic<std::size_t> items{0};
    std::atomic<std::uint64_t> evicted_subjects{0};
    std::atomic<std::uint64_t> evicted_items{0};
    std::atomic<std::uint64_t> expired_subjects{0};
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  enum Queue : std::size_t { kSessions, kUsers, kWishes, kQueues };
  using Ref = SubjectTable::Ref;
  using SubjectQueue = LazyHeap<SubjectTable>;

  // A subject taken out for a change: where it is, if it is in the table, and what it weighed.
  struct Held {
    std::optional<Ref> ref{};
    Queue queue = kUsers;
    std::size_t bytes = 0;
  };

  void expire();
  void apply_to_subject(const events::Event& event);
  void apply_to_item(const events::Event& event);
  void merge(const events::Event& event);
  void forget(std::string_view key);
  void evict();
  void remove_item(events::NameCode code);
  // The subject goes, but for a wish not to be personalised. `record` is what it has, and afterwards what is left.
  void let_go(Held& held, events::SubjectRecord& record);
  [[nodiscard]] Held hold(Ref ref, events::SubjectRecord& record);
  // Finds the subject for a change; what has expired is let go first.
  [[nodiscard]] Held hold(std::string_view key, events::SubjectRecord& record);
  void save(std::string_view key, Held& held, const events::SubjectRecord& record);
  void erase(Held& held);
  [[nodiscard]] static Queue queue_of(std::string_view key, const events::SubjectRecord& record);
  [[nodiscard]] events::EpochMs ttl_ms(Queue queue) const;
  [[nodiscard]] bool expired(Queue queue, events::EpochMs activity_ms) const;
  [[nodiscard]] std::size_t memory_bytes() const;
  [[nodiscard]] events::RecordContext context() { return {item_names_, categories_, options_}; }
  void publish_counts();

  const events::FeatureOptions options_;
  const events::EpochMs item_ttl_ms_;
  events::NameTable item_names_;
  events::NameTable categories_;
  SubjectTable subjects_;
  ItemTable items_{item_names_};
  std::array<SubjectQueue, kQueues> queues_{SubjectQueue(subjects_), SubjectQueue(subjects_), SubjectQueue(subjects_)};
  LazyHeap<ItemTable> item_queue_{items_};
  std::atomic<events::EpochMs> watermark_ms_{0};
  std::size_t subject_bytes_ = 0;
  Counts counts_;
  events::SubjectRecord record_;  // of the event in progress; kept for its capacity
  events::SubjectRecord other_;
  std::string bytes_;
};

}  // namespace scalestyle::adapters::embedded
