#include "adapters/embedded/feature_state.hpp"

#include <algorithm>
#include <cassert>

#include "events/effect.hpp"

namespace scalestyle::adapters::embedded {

namespace {

constexpr events::EpochMs kMsPerSecond = 1'000;

bool is_session(std::string_view key) { return key.starts_with("s:"); }

}  // namespace

FeatureState::FeatureState(const events::FeatureOptions& options) : options_(options), item_ttl_ms_(events::item_ttl_ms(options)) {}

FeatureState::Queue FeatureState::queue_of(std::string_view key, const events::SubjectRecord& record) {
  if (is_session(key)) return kSessions;
  return !record.personalize && !record.has_features() ? kWishes : kUsers;
}

events::EpochMs FeatureState::ttl_ms(Queue queue) const {
  return (queue == kSessions ? options_.session_ttl_seconds : options_.user_ttl_seconds) * kMsPerSecond;
}

bool FeatureState::expired(Queue queue, events::EpochMs activity_ms) const {
  return queue != kWishes && activity_ms < watermark_ms() - ttl_ms(queue);
}

std::size_t FeatureState::memory_bytes() const {
  return subject_bytes_ + items_.size() * ItemTable::kItemBytes + item_names_.memory_bytes() + categories_.memory_bytes();
}

void FeatureState::apply(const events::Event& event) {
  using events::EventType;
  watermark_ms_.store(events::effective_received_ms(event), std::memory_order_release);
  expire();
  if (events::concerns_item(event.type)) {
    if (events::has_subject(event)) apply_to_subject(event);
    apply_to_item(event);
  } else if (events::has_subject(event)) {
    switch (event.type) {
      case EventType::kMerge: merge(event); break;
      case EventType::kForget: forget(event.subject().key()); break;
      case EventType::kPreferences: apply_to_subject(event); break;
      default: break;
    }
  }
  evict();
  publish_counts();
}

FeatureState::Held FeatureState::hold(Ref ref, events::SubjectRecord& record) {
  const bool decoded = events::decode(subjects_.record(ref), record);
  assert(decoded);
  static_cast<void>(decoded);
  const std::string_view key = subjects_.key(ref);
  return {ref, queue_of(key, record), events::memory_bytes(record, key.size())};
}

FeatureState::Held FeatureState::hold(std::string_view key, events::SubjectRecord& record) {
  const std::optional<Ref> ref = subjects_.find(key);
  if (!ref) {
    record = events::SubjectRecord();
    return {};
  }
  Held held = hold(*ref, record);
  if (expired(held.queue, record.activity_ms())) {
    let_go(held, record);
    counts_.expired_subjects.fetch_add(1, std::memory_order_relaxed);
  }
  return held;
}

void FeatureState::save(std::string_view key, Held& held, const events::SubjectRecord& record) {
  if (record.empty()) {
    if (held.ref) erase(held);
    return;
  }
  bytes_.clear();
  events::encode(record, bytes_);
  const Queue queue = queue_of(key, record);
  const bool queued = held.ref && queue == held.queue;
  if (held.ref && !queued) queues_[held.queue].remove(subjects_.place(*held.ref));
  if (held.ref) {
    subjects_.replace(*held.ref, bytes_, record.activity_ms());
  } else {
    held.ref = subjects_.insert(key, bytes_, record.activity_ms());
  }
  if (!queued) queues_[queue].push(*held.ref);
  held.queue = queue;
  subject_bytes_ -= held.bytes;
  held.bytes = events::memory_bytes(record, key.size());
  subject_bytes_ += held.bytes;
}

// References are the caller's to release.
void FeatureState::erase(Held& held) {
  queues_[held.queue].remove(subjects_.place(*held.ref));
  subjects_.erase(*held.ref);
  subject_bytes_ -= held.bytes;
  held = Held();
}

void FeatureState::let_go(Held& held, events::SubjectRecord& record) {
  const bool keeps_wish = held.queue == kUsers && !record.personalize;
  events::drop_features(record, context());
  if (keeps_wish) {
    const std::string key(subjects_.key(*held.ref));
    save(key, held, record);
    return;
  }
  record = events::SubjectRecord();
  erase(held);
}

void FeatureState::apply_to_subject(const events::Event& event) {
  const std::string key = event.subject().key();
  Held held = hold(key, record_);
  if (events::concerns_item(event.type)) {
    events::apply_item_event(record_, event, context());
  } else {
    events::apply_preference(record_, event);
  }
  save(key, held, record_);
}

void FeatureState::apply_to_item(const events::Event& event) {
  const events::NameCode code = item_names_.acquire(event.item_id);
  if (items_.has(code)) {
    // One of the two references goes: that of an expired record, or the one just acquired.
    if (items_.time(code) < watermark_ms() - item_ttl_ms_) {
      remove_item(code);
    } else {
      item_names_.release(code);
    }
  }
  const bool made = !items_.has(code);
  items_.apply(code, event, options_.global_half_life_seconds);
  if (made) item_queue_.push(code);
}

void FeatureState::merge(const events::Event& event) {
  if (!event.user_id || !event.session_id) return;
  const std::string session_key = events::Subject::session(*event.session_id).key();
  Held session = hold(session_key, other_);
  if (!session.ref) return;
  const std::string user_key = events::Subject::user(*event.user_id).key();
  Held user = hold(user_key, record_);
  events::merge_session(record_, other_, context());
  save(user_key, user, record_);
  erase(session);
}

void FeatureState::forget(std::string_view key) {
  const std::optional<Ref> ref = subjects_.find(key);
  if (!ref) return;
  Held held = hold(*ref, record_);
  events::drop_features(record_, context());
  erase(held);
}

void FeatureState::remove_item(events::NameCode code) {
  item_queue_.remove(items_.place(code));
  items_.erase(code);
  item_names_.release(code);
}

void FeatureState::expire() {
  int left = kExpiriesPerEvent;
  for (const Queue queue : {kSessions, kUsers}) {
    const events::EpochMs limit = watermark_ms() - ttl_ms(queue);
    while (left > 0 && queues_[queue].may_precede(limit)) {
      const Ref ref = *queues_[queue].least();
      if (subjects_.time(ref) >= limit) break;
      Held held = hold(ref, record_);
      let_go(held, record_);
      counts_.expired_subjects.fetch_add(1, std::memory_order_relaxed);
      --left;
    }
  }
  const events::EpochMs limit = watermark_ms() - item_ttl_ms_;
  while (left > 0 && item_queue_.may_precede(limit)) {
    const events::NameCode code = *item_queue_.least();
    if (items_.time(code) >= limit) break;
    remove_item(code);
    --left;
  }
}

void FeatureState::evict() {
  while (memory_bytes() > options_.max_memory_bytes) {
    const std::size_t item_bytes = items_.size() * ItemTable::kItemBytes;
    const auto session = queues_[kSessions].least();
    const auto user = queues_[kUsers].least();
    const bool no_subject = !session && !user;
    if (!item_queue_.empty() && (item_bytes > options_.max_memory_bytes / 2 || no_subject)) {
      remove_item(*item_queue_.least());
      counts_.evicted_items.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    const auto order = [this](Ref ref) { return std::pair(subjects_.time(ref), subjects_.key(ref)); };
    const auto first = no_subject ? queues_[kWishes].least() : !user || (session && order(*session) < order(*user)) ? session : user;
    if (!first) return;
    Held held = hold(*first, record_);
    let_go(held, record_);
    counts_.evicted_subjects.fetch_add(1, std::memory_order_relaxed);
  }
}

bool FeatureState::restore_item(events::NameCode code, std::string_view record) {
  events::ItemRecord decoded;
  if (!item_names_.known(code) || items_.has(code) || !decoded.decode(record)) return false;
  item_names_.add_reference(code);
  items_.restore(code, decoded);
  item_queue_.push(code);
  return true;
}

bool FeatureState::restore_subject(std::string_view key, std::string_view record) {
  if (!events::decode(record, record_) || record_.empty() || subjects_.find(key)) return false;
  const auto item_known = [this](const events::RecentEntry& entry) { return item_names_.known(entry.item); };
  const auto category_known = [this](const events::AffinityEntry& entry) { return categories_.known(entry.category); };
  if (!std::ranges::all_of(record_.recent, item_known) || !std::ranges::all_of(record_.affinities, category_known)) return false;
  for (const auto& entry : record_.recent) item_names_.add_reference(entry.item);
  for (const auto& entry : record_.affinities) categories_.add_reference(entry.category);
  queues_[queue_of(key, record_)].push(subjects_.insert(key, record, record_.activity_ms(), false));
  subject_bytes_ += events::memory_bytes(record_, key.size());
  return true;
}

void FeatureState::finish_restore() {
  item_names_.finish_restore();
  categories_.finish_restore();
  publish_counts();
}

events::SubjectFeatures FeatureState::features(const events::SubjectRecord& record, events::SubjectKind kind,
                                               events::EpochMs now_ms) const {
  const bool session = kind == events::SubjectKind::kSession;
  if (record.activity_ms() < now_ms - ttl_ms(session ? kSessions : kUsers)) {
    events::SubjectFeatures left;
    left.personalize = session || record.personalize;
    return left;
  }
  return events::to_features(record, item_names_, categories_, now_ms, options_.affinity_half_life_seconds);
}

void FeatureState::publish_counts() {
  counts_.memory_bytes.store(memory_bytes(), std::memory_order_relaxed);
  counts_.subjects.store(subjects_.size(), std::memory_order_relaxed);
  counts_.items.store(items_.size(), std::memory_order_relaxed);
}

}  // namespace scalestyle::adapters::embedded
