#pragma once
// ImageEncoder: pictures and texts to unit vectors of one space, where a text is near the pictures it describes (CLIP).
// Embedded: nn/ in process. Distributed: the inference role.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::ports {

// The bytes of a JPEG, PNG or WebP file; never null.
using EncodedImage = std::shared_ptr<const std::string>;

// Thread safety: every method may be called from any thread, concurrently.
class ImageEncoder {
 public:
  virtual ~ImageEncoder() = default;

  // `max_tokens` is of a text; longer ones are truncated.
  [[nodiscard]] virtual const EncoderInfo& info() const = 0;

  // Decodes and embeds each picture: one unit vector of info().dimension floats, or why there is none: kInvalidArgument
  // (damaged), kUnsupported (none of the formats), kResourceExhausted (larger than the limits on bytes, pixels and time
  // allow). A picture's result does not depend on the others. No pictures give no results. Completes on the compute pool
  // (embedded) or the I/O loop (distributed); never blocks the caller.
  // Errors, for the whole batch: kDeadlineExceeded, kCancelled, kResourceExhausted (queue full), kUnavailable.
  [[nodiscard]] virtual core::Task<core::Result<std::vector<core::Result<std::vector<float>>>>> encode_images(
      std::vector<EncodedImage> images, core::Deadline deadline) = 0;

  // As TextEncoder::encode, into the pictures' space.
  [[nodiscard]] virtual core::Task<core::Result<EmbeddingBatch>> encode_texts(std::vector<std::string> texts,
                                                                              core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
