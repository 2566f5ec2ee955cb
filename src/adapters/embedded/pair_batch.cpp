#include "adapters/embedded/pair_batch.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace scalestyle::adapters::embedded {

PairBatch::PairBatch(const text::PairTokenizer& tokenizer, const std::string& query, const std::vector<std::string>& texts,
                     const Options& options)
    : tokenizer_(tokenizer), texts_(texts), options_(options) {
  tokenizer_.cut(query, query_, scratch_);
  std::unordered_map<std::string_view, std::size_t> seen;
  distinct_of_.reserve(texts.size());
  for (std::size_t index = 0; index < texts.size(); ++index) {
    const auto [known, added] = seen.emplace(texts[index], first_text_.size());
    if (added) first_text_.push_back(index);
    distinct_of_.push_back(known->second);
  }
}

void PairBatch::take_next() {
  if (has_next_) return;
  tokenizer_.cut(texts_[first_text_[claimed_]], ids_, scratch_);
  tokenizer_.join(query_, ids_, next_);
  has_next_ = true;
}

// What is left, by the mean so far, in two turns of every thread.
std::size_t PairBatch::target_tokens() const {
  const std::size_t pairs = claimed_ + 1;
  const std::size_t mean = (claimed_tokens_ + next_.ids.size()) / pairs;
  const std::size_t left = (first_text_.size() - claimed_) * mean;
  return std::clamp(left / (2 * options_.threads), options_.least_tokens, options_.most_tokens);
}

bool PairBatch::claim(std::size_t affordable_tokens, Group& group) {
  const std::lock_guard lock(mutex_);
  group.first = claimed_;
  group.size = 0;
  group.tokens = 0;
  if (stopped_ || paused_ || claimed_ == first_text_.size()) return false;
  take_next();
  const std::size_t limit = std::min(affordable_tokens, std::max(target_tokens(), next_.ids.size()));
  while (claimed_ < first_text_.size()) {
    take_next();
    if (group.tokens + next_.ids.size() > limit) break;
    if (group.pairs.size() == group.size) group.pairs.emplace_back();
    std::swap(group.pairs[group.size++], next_);
    group.tokens += group.pairs[group.size - 1].ids.size();
    has_next_ = false;
    ++claimed_;
  }
  claimed_tokens_ += group.tokens;
  if (group.size == 0) {
    stopped_ = true;
    return false;
  }
  group.inputs.clear();
  for (std::size_t index = 0; index < group.size; ++index) {
    group.inputs.push_back({.ids = group.pairs[index].ids, .second_segment = group.pairs[index].second_segment});
  }
  return true;
}

void PairBatch::pause() {
  const std::lock_guard lock(mutex_);
  paused_ = true;
}

void PairBatch::resume() {
  const std::lock_guard lock(mutex_);
  paused_ = false;
}

void PairBatch::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

bool PairBatch::ended() const {
  const std::lock_guard lock(mutex_);
  return stopped_ || claimed_ == first_text_.size();
}

std::size_t PairBatch::claimed() const {
  const std::lock_guard lock(mutex_);
  return claimed_;
}

std::size_t PairBatch::claimed_tokens() const {
  const std::lock_guard lock(mutex_);
  return claimed_tokens_;
}

std::vector<std::size_t> PairBatch::scored_prefix() const {
  const std::lock_guard lock(mutex_);
  const auto beyond = [this](std::size_t distinct) { return distinct >= claimed_; };
  return {distinct_of_.begin(), std::ranges::find_if(distinct_of_, beyond)};
}

}  // namespace scalestyle::adapters::embedded
