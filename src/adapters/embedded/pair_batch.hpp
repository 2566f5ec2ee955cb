#pragma once
// One query's texts on their way through LocalPairScorer: each distinct text once, in order, in groups of about equal
// tokens that threads claim one after another. Texts are cut to tokens as they are claimed, so that those beyond the
// deadline cost nothing.
//
// Thread safety: claim(), pause() and stop() from any thread; the rest while no thread claims.
//
// Invariant: texts are claimed in order, and whoever claims a group scores it. So once every claimer is done, the texts
// scored are a prefix.

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "nn/bert_batch.hpp"
#include "text/pair_tokenizer.hpp"

namespace scalestyle::adapters::embedded {

class PairBatch {
 public:
  struct Options {
    std::size_t threads = 1;        // that may claim
    std::size_t most_tokens = 256;  // of a group; a longer pair is a group of its own
    std::size_t least_tokens = 64;  // of the last groups, which are smaller so that threads end together
  };

  // Pairs to score together, and where their logits belong. A group's memory is reused.
  struct Group {
    std::size_t first = 0;  // distinct texts before it
    std::size_t size = 0;
    std::size_t tokens = 0;
    std::vector<text::EncodedPair> pairs;  // the first `size` count
    std::vector<nn::TokenInput> inputs;    // into pairs
  };

  // All three must outlive the batch.
  PairBatch(const text::PairTokenizer& tokenizer, const std::string& query, const std::vector<std::string>& texts,
            const Options& options);

  // Takes the next texts, at most `affordable_tokens` of them, into `group`. False when there are none, while the batch
  // pauses, or when the next text alone is not affordable: then the batch has ended.
  [[nodiscard]] bool claim(std::size_t affordable_tokens, Group& group);

  void pause();   // claims fail until resume()
  void resume();
  void stop();    // claims fail from now on

  [[nodiscard]] bool ended() const;  // nothing will be claimed any more
  [[nodiscard]] std::size_t distinct() const { return first_text_.size(); }
  [[nodiscard]] std::size_t claimed() const;         // distinct texts
  [[nodiscard]] std::size_t claimed_tokens() const;
  // Of which distinct text each text of the longest claimed prefix is.
  [[nodiscard]] std::vector<std::size_t> scored_prefix() const;

 private:
  void take_next();
  [[nodiscard]] std::size_t target_tokens() const;

  const text::PairTokenizer& tokenizer_;
  const std::vector<std::string>& texts_;
  Options options_;
  std::vector<text::TokenId> query_;
  std::vector<std::size_t> first_text_;   // of each distinct text, ascending
  std::vector<std::size_t> distinct_of_;  // of each text

  mutable std::mutex mutex_;
  text::PairTokenizer::Scratch scratch_;  // guarded by mutex_, as all below
  std::vector<text::TokenId> ids_;
  text::EncodedPair next_;  // the pair of distinct text claimed_, where has_next_
  bool has_next_ = false;
  bool paused_ = false;
  bool stopped_ = false;
  std::size_t claimed_ = 0;
  std::size_t claimed_tokens_ = 0;
};

}  // namespace scalestyle::adapters::embedded
