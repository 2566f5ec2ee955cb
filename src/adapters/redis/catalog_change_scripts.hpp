#pragma once
// The scripts that write changes of articles. All keys lie in one slot; each script checks their types before it writes.
// Both may be repeated.

#include <memory>

#include "adapters/redis/redis_client.hpp"

namespace scalestyle::adapters::redis {

// KEYS: sequence, log, articles, vectors, vector_sequences, and one of the batch's own.
// ARGV: most changes kept, sequence after which there must be none ("-1": any may), time in ms, lifetime of the batch's key in
// ms, number of changes, each as article id, kind, columns and what it sets, then article id and value of each vector.
// Returns {0, first sequence} (of the next change for a batch without), {1, changes kept} where there is no room, or {2, later
// changes}.
[[nodiscard]] const std::shared_ptr<const RedisScript>& append_changes_script();

// KEYS: sequence, log, articles, vectors, vector_sequences.
// ARGV: sequence up to which, time in ms up to which, sequence from which to look on, most of each kind to look at.
// Returns {where to look on, changes looked at, vectors removed}.
[[nodiscard]] const std::shared_ptr<const RedisScript>& settle_changes_script();

}  // namespace scalestyle::adapters::redis
