#include "adapters/redis/slot_map.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace scalestyle::adapters::redis {
namespace {

using Kind = RedisValue::Kind;

core::Result<SlotMap> wrong(const char* what) {
  return core::fail(core::ErrorCode::kDataLoss, std::string("the answer to CLUSTER SLOTS is not understood: ") + what);
}

// [host, port, id, …]. None for a node whose host is not known to the one that answered.
core::Result<std::optional<Endpoint>> node_of(const RedisValue& value, const Endpoint& asked) {
  if (value.kind != Kind::kArray || value.elements.size() < 2 || value.elements[1].kind != Kind::kInteger ||
      (value.elements[0].kind != Kind::kText && !value.elements[0].is_null())) {
    return core::fail(core::ErrorCode::kDataLoss, "the answer to CLUSTER SLOTS is not understood: a node");
  }
  const std::int64_t port = value.elements[1].integer;
  if (port < 1 || port > 65'535) return core::fail(core::ErrorCode::kDataLoss, "CLUSTER SLOTS names a port that is none");
  const std::string& host = value.elements[0].text;
  if (host == "?") return std::nullopt;
  return Endpoint{host.empty() ? asked.host : host, static_cast<std::uint16_t>(port)};
}

}  // namespace

core::Result<SlotMap> SlotMap::parse(const RedisValue& answer, const Endpoint& asked) {
  if (answer.kind != Kind::kArray) return wrong("no array");
  SlotMap map;
  for (const auto& range : answer.elements) {
    const auto& parts = range.elements;
    if (range.kind != Kind::kArray || parts.size() < 3 || parts[0].kind != Kind::kInteger || parts[1].kind != Kind::kInteger) {
      return wrong("a range");
    }
    const std::int64_t first = parts[0].integer;
    const std::int64_t last = parts[1].integer;
    if (first < 0 || last < first || last >= static_cast<std::int64_t>(kSlots)) return wrong("slots out of range");
    if (map.masters_.size() + map.replicas_.size() + parts.size() > kMaxNodes) return wrong("too many nodes");
    CORE_TRY(const auto master, node_of(parts[2], asked));
    if (master) {
      const auto number = map.number_of(*master);
      std::fill(map.owners_.begin() + first, map.owners_.begin() + last + 1, number);
    }
    for (std::size_t i = 3; i < parts.size(); ++i) {
      CORE_TRY(const auto replica, node_of(parts[i], asked));
      if (replica && std::ranges::find(map.replicas_, *replica) == map.replicas_.end()) map.replicas_.push_back(*replica);
    }
  }
  return map;
}

const Endpoint* SlotMap::master_of(std::uint16_t slot) const {
  const auto owner = slot < kSlots ? owners_[slot] : kNobody;
  return owner == kNobody ? nullptr : &masters_[owner];
}

std::uint16_t SlotMap::number_of(const Endpoint& master) {
  const auto found = std::ranges::find(masters_, master);
  if (found != masters_.end()) return static_cast<std::uint16_t>(found - masters_.begin());
  masters_.push_back(master);
  return static_cast<std::uint16_t>(masters_.size() - 1);
}

void SlotMap::move(std::uint16_t slot, const Endpoint& master) {
  if (slot >= kSlots || masters_.size() >= kMaxNodes) return;
  owners_[slot] = number_of(master);
}

std::vector<Endpoint> SlotMap::masters() const {
  std::vector<bool> seen(masters_.size(), false);
  std::vector<Endpoint> found;
  for (const auto owner : owners_) {
    if (owner == kNobody || seen[owner]) continue;
    seen[owner] = true;
    found.push_back(masters_[owner]);
  }
  return found;
}

std::size_t SlotMap::uncovered() const { return static_cast<std::size_t>(std::ranges::count(owners_, kNobody)); }

}  // namespace scalestyle::adapters::redis
