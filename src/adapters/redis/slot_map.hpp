#pragma once
// SlotMap: which node of a Redis Cluster is the master of which of the 16,384 slots, as CLUSTER SLOTS tells it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "adapters/redis/endpoint.hpp"
#include "adapters/redis/redis_client.hpp"
#include "core/result.hpp"

namespace scalestyle::adapters::redis {

class SlotMap {
 public:
  static constexpr std::size_t kSlots = 16'384;
  static constexpr std::size_t kMaxNodes = 1'024;

  SlotMap() { owners_.fill(kNobody); }

  // `asked`: who answered; a node without a name of its own has that host. kDataLoss for another shape or too many nodes.
  [[nodiscard]] static core::Result<SlotMap> parse(const RedisValue& answer, const Endpoint& asked);

  // Null for a slot without a master.
  [[nodiscard]] const Endpoint* master_of(std::uint16_t slot) const;
  // After MOVED. Ignored where kMaxNodes are known already.
  void move(std::uint16_t slot, const Endpoint& master);

  [[nodiscard]] std::vector<Endpoint> masters() const;  // of one slot at least, in order of their first slot
  [[nodiscard]] const std::vector<Endpoint>& replicas() const { return replicas_; }
  [[nodiscard]] std::size_t uncovered() const;  // slots without a master

 private:
  static constexpr std::uint16_t kNobody = 0xFFFF;
  [[nodiscard]] std::uint16_t number_of(const Endpoint& master);

  std::vector<Endpoint> masters_;
  std::vector<Endpoint> replicas_;
  std::array<std::uint16_t, kSlots> owners_;  // index in masters_
};

}  // namespace scalestyle::adapters::redis
