#include "adapters/redis/feature_keys.hpp"

#include <fmt/format.h>

namespace scalestyle::adapters::redis {

namespace {

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 1'099'511'628'211U;
  return hash;
}

}  // namespace

std::size_t FeatureKeys::shard_of(const events::Subject& subject) const { return fnv1a(subject.key()) % shards_; }

std::size_t FeatureKeys::shard_of_erased(std::string_view item_id) const { return fnv1a("i:" + std::string(item_id)) % shards_; }

std::string FeatureKeys::in_shard(std::size_t shard, std::string_view name) const {
  return fmt::format("{}{{f{:02}}}:{}", prefix_, shard, name);
}

std::string FeatureKeys::subject(const events::Subject& subject) const {
  const std::string_view kind = subject.kind == events::SubjectKind::kUser ? "user:" : "session:";
  return in_shard(shard_of(subject), kind) + subject.id;
}

std::string FeatureKeys::erased(std::string_view item_id) const {
  return in_shard(shard_of_erased(item_id), "erased:") + std::string(item_id);
}

std::string FeatureKeys::merging(const events::Subject& session, std::uint64_t mark) const {
  return in_shard(shard_of(session), fmt::format("merging:{:016x}", mark));
}

}  // namespace scalestyle::adapters::redis
