#include "events/item_record.hpp"

#include <cmath>

#include "events/byte_codec.hpp"
#include "events/effect.hpp"
#include "events/validation.hpp"

namespace scalestyle::events {

namespace {

constexpr std::uint8_t kVersion = 1;
static_assert(kWindows[0].buckets == 12 && kWindows[1].buckets == 24 && kWindows[2].buckets == 7);

bool is_sum(double value) { return std::isfinite(value) && value >= 0; }

}  // namespace

// Buckets that hold nothing are left out: most items are quiet most of the time.
template <std::size_t kBuckets>
void WindowRing<kBuckets>::encode(std::string& bytes) const {
  put_varint(bytes, static_cast<std::uint64_t>(newest_ + 1));
  if (newest_ == kNone) return;
  std::uint64_t used = 0;
  for (const double sum : sums_) used += sum != 0;
  put_varint(bytes, used);
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (sums_[i] == 0) continue;
    put_varint(bytes, i);
    put_double(bytes, sums_[i]);
  }
}

template <std::size_t kBuckets>
bool WindowRing<kBuckets>::decode(ByteReader& reader) {
  sums_.fill(0);
  const std::uint64_t newest = reader.varint();
  if (!reader.ok() || newest > static_cast<std::uint64_t>(kMaxEpochMs)) return false;
  newest_ = static_cast<std::int64_t>(newest) - 1;
  if (newest_ == kNone) return true;
  const std::uint64_t used = reader.varint();
  if (!reader.ok() || used > kSlots) return false;
  for (std::uint64_t i = 0; i < used; ++i) {
    const std::uint64_t at = reader.varint();
    const double sum = reader.number();
    if (!reader.ok() || at >= kSlots || !is_sum(sum)) return false;
    sums_[at] = sum;
  }
  return true;
}

void ItemRecord::apply(const Event& event, double global_half_life_seconds) {
  if (!concerns_item(event.type)) return;
  const EpochMs time_ms = effective_time_ms(event);
  const double weight = effective_weight(event);
  last_event_ms_ = std::max(last_event_ms_, time_ms);
  global_.add(weight, time_ms, global_half_life_seconds);
  hour_.add(bucket_of(time_ms, shape(Window::k1h)), weight);
  day_.add(bucket_of(time_ms, shape(Window::k24h)), weight);
  week_.add(bucket_of(time_ms, shape(Window::k7d)), weight);
}

std::array<double, kWindowCount> ItemRecord::windows(EpochMs now_ms) const {
  return {hour_.sum(bucket_of(now_ms, shape(Window::k1h))), day_.sum(bucket_of(now_ms, shape(Window::k24h))),
          week_.sum(bucket_of(now_ms, shape(Window::k7d)))};
}

void ItemRecord::encode(std::string& bytes) const {
  bytes.push_back(static_cast<char>(kVersion));
  put_varint(bytes, static_cast<std::uint64_t>(last_event_ms_));
  put_double(bytes, global_.value);
  put_varint(bytes, static_cast<std::uint64_t>(global_.time_ms));
  hour_.encode(bytes);
  day_.encode(bytes);
  week_.encode(bytes);
}

bool ItemRecord::decode(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.byte() != kVersion) return false;
  const std::uint64_t last_event_ms = reader.varint();
  global_.value = reader.number();
  const std::uint64_t global_ms = reader.varint();
  constexpr auto kMost = static_cast<std::uint64_t>(kMaxEpochMs);
  if (!reader.ok() || last_event_ms == 0 || last_event_ms > kMost || global_ms > kMost || !is_sum(global_.value)) return false;
  last_event_ms_ = static_cast<EpochMs>(last_event_ms);
  global_.time_ms = static_cast<EpochMs>(global_ms);
  return hour_.decode(reader) && day_.decode(reader) && week_.decode(reader) && reader.at_end();
}

}  // namespace scalestyle::events
