#pragma once
// FeatureKeys: the names of all keys of the feature store (docs/formats/redis.md). All begin with the prefix, so that an ACL can
// name them by one pattern; hash tags put what one script changes into one slot.
//
// Thread safety: immutable.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "events/subject.hpp"

namespace scalestyle::adapters::redis {

class FeatureKeys {
 public:
  FeatureKeys(std::string prefix, std::size_t shards) : prefix_(std::move(prefix)), shards_(shards) {}

  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] std::size_t shards() const { return shards_; }

  // FNV-1a (64 bits) of Subject::key() modulo the number of shards; the same on every machine and for ever.
  [[nodiscard]] std::size_t shard_of(const events::Subject& subject) const;
  [[nodiscard]] std::size_t shard_of_erased(std::string_view item_id) const;

  // In one slot a shard.
  [[nodiscard]] std::string subject(const events::Subject& subject) const;  // …{f17}:user:<id> or …{f17}:session:<id>
  [[nodiscard]] std::string erased(std::string_view item_id) const;         // …{f17}:erased:<item>
  [[nodiscard]] std::string merging(const events::Subject& session, std::uint64_t mark) const;  // …{f17}:merging:<mark>
  [[nodiscard]] std::string contributions(std::size_t shard) const { return in_shard(shard, "popularity"); }
  [[nodiscard]] std::string fence(std::size_t shard) const { return in_shard(shard, "fence"); }

  // In one slot.
  [[nodiscard]] std::string items() const { return prefix_ + "{pop}:items"; }
  [[nodiscard]] std::string changes() const { return prefix_ + "{pop}:changes"; }
  [[nodiscard]] std::string removed() const { return prefix_ + "{pop}:removed"; }
  [[nodiscard]] std::string state() const { return prefix_ + "{pop}:state"; }

  // Each by itself.
  [[nodiscard]] std::string lease() const { return prefix_ + "popularity:lease"; }
  [[nodiscard]] std::string global_popular() const { return prefix_ + "global:popular"; }
  [[nodiscard]] std::string meta() const { return prefix_ + "meta"; }
  [[nodiscard]] std::string positions() const { return prefix_ + "positions"; }
  [[nodiscard]] std::string probe(std::string_view name) const { return prefix_ + "{probe}:" + std::string(name); }

 private:
  [[nodiscard]] std::string in_shard(std::size_t shard, std::string_view name) const;

  std::string prefix_;
  std::size_t shards_;
};

}  // namespace scalestyle::adapters::redis
