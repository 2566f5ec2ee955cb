#pragma once
// The long part of an ingest: everything planned through an encoder, several batches in flight so that no thread of the
// encoder waits, results appended in order, checkpoints every few seconds.

#include <cstdint>

#include "core/result.hpp"
#include "ingest/embedding_plan.hpp"
#include "ingest/embedding_source.hpp"
#include "ingest/ingest.hpp"
#include "ingest/work_folder.hpp"

namespace scalestyle::ingest {

struct EmbeddingJob {
  EmbeddingSource& source;
  const EmbeddingPlan& plan;
  WorkFolder& work;
};

struct EmbeddingWork {
  std::uint64_t embedded = 0;  // by this run, rejected ones included
  std::uint64_t tokens = 0;
};

// Goes on where the job's work is; fills `done` also when it fails. Blocks; calls nothing but the source, progress and the disk
// on this thread. Returns after a last checkpoint, also on a stop signal (kCancelled) and after an encoder's error.
[[nodiscard]] core::Status embed_all(const EmbeddingJob& job, const IngestOptions& options, const IngestContext& context,
                                     EmbeddingWork& done);

}  // namespace scalestyle::ingest
