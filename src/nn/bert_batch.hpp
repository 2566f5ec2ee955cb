#pragma once
// What goes into a model of the BERT family, and the memory it computes in.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

namespace scalestyle::nn {

using TokenSequence = std::span<const std::int32_t>;

// The token ids of one text, or of two behind each other: those from `second_segment` on have token type 1.
struct TokenInput {
  TokenSequence ids;
  std::size_t second_segment = std::numeric_limits<std::size_t>::max();
};

// Grows to the work seen and is reused; serves any number of models, one after another. One thread at a time.
class BertWorkspace {
 public:
  BertWorkspace();
  ~BertWorkspace();
  BertWorkspace(BertWorkspace&&) noexcept;
  BertWorkspace& operator=(BertWorkspace&&) noexcept;
  [[nodiscard]] std::size_t size_bytes() const;

 private:
  friend class BertEncoder;
  friend class CrossEncoder;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace scalestyle::nn
