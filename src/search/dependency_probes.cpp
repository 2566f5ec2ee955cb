#include "search/dependency_probes.hpp"

#include <string>
#include <utility>
#include <vector>

namespace scalestyle::search {

namespace {

constexpr const char* kLetter = "a";

template <class T>
core::Task<core::Status> without_value(core::Task<core::Result<T>> call) {
  const core::Result<T> answer = co_await std::move(call);
  if (!answer) co_return std::unexpected(answer.error());
  co_return core::Status();
}

// A scorer whose time ended gives what it has.
core::Task<core::Status> with_scores(core::Task<core::Result<ports::PairScores>> call) {
  const core::Result<ports::PairScores> answer = co_await std::move(call);
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->scores.empty()) co_return core::fail(core::ErrorCode::kDeadlineExceeded, "a pair was not scored in time");
  co_return core::Status();
}

}  // namespace

DependencyGuard::Probe probe_of(ports::TextEncoder& encoder) {
  return [&encoder](core::Deadline deadline) { return without_value(encoder.encode({kLetter}, deadline)); };
}

DependencyGuard::Probe probe_of(ports::PairScorer& scorer) {
  return [&scorer](core::Deadline deadline) { return with_scores(scorer.score(kLetter, {kLetter}, deadline)); };
}

DependencyGuard::Probe probe_of(ports::ImageEncoder& encoder) {
  return [&encoder](core::Deadline deadline) { return without_value(encoder.encode_texts({kLetter}, deadline)); };
}

DependencyGuard::Probe probe_of(ports::FeatureStore& store) {
  return [&store](core::Deadline deadline) {
    return without_value(store.read({.kind = events::SubjectKind::kSession, .id = "probe"}, deadline));
  };
}

}  // namespace scalestyle::search
