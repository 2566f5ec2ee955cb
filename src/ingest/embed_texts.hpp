#pragma once
// The long part of an ingest: every planned text through the encoder, several batches in flight so that no thread of
// the encoder waits, results appended in order, checkpoints every few seconds.

#include "catalog/catalog.hpp"
#include "core/result.hpp"
#include "ingest/embedding_plan.hpp"
#include "ingest/ingest.hpp"
#include "ingest/work_folder.hpp"

namespace scalestyle::ingest {

// Goes on where `work` is. Blocks; calls nothing but encoder.encode(), progress and the disk on this thread. Returns
// after a last checkpoint, also on a stop signal (kCancelled) and after an encoder's error.
[[nodiscard]] core::Status embed_texts(const catalog::Catalog& catalog, const EmbeddingPlan& plan,
                                       const IngestOptions& options, const IngestContext& context, WorkFolder& work,
                                       IngestSummary& summary);

}  // namespace scalestyle::ingest
