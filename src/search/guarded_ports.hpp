#pragma once
// The ports that searches use, each behind the circuit breaker of its dependency (dependency_guard.hpp): for those that are
// reached over a network, or may hang. Errors besides the port's: kCircuitOpen, at once.
//
// Thread safety: as the port behind each, which it must not outlive, nor its guard.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ports/feature_store.hpp"
#include "ports/image_encoder.hpp"
#include "ports/pair_scorer.hpp"
#include "ports/text_encoder.hpp"
#include "ports/vector_index.hpp"
#include "search/dependency_guard.hpp"

namespace scalestyle::search {

class GuardedTextEncoder final : public ports::TextEncoder {
 public:
  GuardedTextEncoder(ports::TextEncoder& encoder, DependencyGuard& guard) : encoder_(encoder), guard_(guard) {}
  [[nodiscard]] const ports::EncoderInfo& info() const override { return encoder_.info(); }
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode(std::vector<std::string> texts, core::Deadline deadline) override {
    return guard_.run(encoder_.encode(std::move(texts), deadline), deadline);
  }

 private:
  ports::TextEncoder& encoder_;
  DependencyGuard& guard_;
};

class GuardedPairScorer final : public ports::PairScorer {
 public:
  GuardedPairScorer(ports::PairScorer& scorer, DependencyGuard& guard) : scorer_(scorer), guard_(guard) {}
  [[nodiscard]] const ports::ScorerInfo& info() const override { return scorer_.info(); }
  [[nodiscard]] double tokens_per_second() const override { return scorer_.tokens_per_second(); }
  [[nodiscard]] core::Task<core::Result<ports::PairScores>> score(std::string query, std::vector<std::string> texts,
                                                                  core::Deadline deadline) override {
    if (texts.empty()) return scorer_.score(std::move(query), std::move(texts), deadline);
    return guard_.run(scorer_.score(std::move(query), std::move(texts), deadline), deadline, &judge);
  }

 private:
  // A scorer whose time ended gives what it has, and that is no error.
  [[nodiscard]] static core::CallVerdict judge(const ports::PairScores& scores) {
    return scores.scores.empty() ? core::CallVerdict::kFailure : core::CallVerdict::kSuccess;
  }

  ports::PairScorer& scorer_;
  DependencyGuard& guard_;
};

class GuardedImageEncoder final : public ports::ImageEncoder {
 public:
  using Pictures = std::vector<core::Result<std::vector<float>>>;

  GuardedImageEncoder(ports::ImageEncoder& encoder, DependencyGuard& guard) : encoder_(encoder), guard_(guard) {}
  [[nodiscard]] const ports::EncoderInfo& info() const override { return encoder_.info(); }
  [[nodiscard]] core::Task<core::Result<Pictures>> encode_images(std::vector<ports::EncodedImage> images, core::Deadline deadline) override {
    return guard_.run(encoder_.encode_images(std::move(images), deadline), deadline);
  }
  [[nodiscard]] core::Task<core::Result<ports::EmbeddingBatch>> encode_texts(std::vector<std::string> texts,
                                                                             core::Deadline deadline) override {
    return guard_.run(encoder_.encode_texts(std::move(texts), deadline), deadline);
  }

 private:
  ports::ImageEncoder& encoder_;
  DependencyGuard& guard_;
};

// Opening and closing generations goes by: these are tried until they succeed (patient_vector_index.hpp).
class GuardedVectorIndex final : public ports::VectorIndex {
 public:
  GuardedVectorIndex(ports::VectorIndex& index, DependencyGuard& guard) : index_(index), guard_(guard) {}
  [[nodiscard]] core::Task<core::Status> open(core::GenerationId generation, core::Deadline deadline) override {
    core::Task<core::Status> opening = index_.open(generation, deadline);
    core::Status outcome = co_await std::move(opening);
    const std::lock_guard lock(mutex_);
    if (outcome) {
      std::erase(open_, generation);
      open_.push_back(std::move(generation));
    }
    co_return outcome;
  }
  void close(const core::GenerationId& generation) override {
    index_.close(generation);
    const std::lock_guard lock(mutex_);
    std::erase(open_, generation);
  }
  [[nodiscard]] core::Task<core::Result<std::vector<ports::VectorHits>>> search(core::GenerationId generation,
                                                                               std::vector<ports::VectorQuery> queries,
                                                                               core::Deadline deadline) override {
    return guard_.run(index_.search(std::move(generation), std::move(queries), deadline), deadline);
  }
  [[nodiscard]] core::Task<core::Result<std::vector<float>>> vector_of(core::GenerationId generation, catalog::ArticleId article,
                                                                       core::Deadline deadline) override {
    return guard_.run(index_.vector_of(std::move(generation), std::move(article), deadline), deadline);
  }

  // For DependencyGuard::probe_with(): looks for an article that there need not be, in the generation that was opened last.
  [[nodiscard]] core::Task<core::Status> probe(core::Deadline deadline) {
    std::optional<core::GenerationId> generation;
    {
      const std::lock_guard lock(mutex_);
      if (!open_.empty()) generation = open_.back();
    }
    if (!generation) co_return core::fail(core::ErrorCode::kFailedPrecondition, "no generation is open");
    auto looking = index_.vector_of(std::move(*generation), catalog::ArticleId::parse("0").value(), deadline);
    const core::Result<std::vector<float>> found = co_await std::move(looking);
    if (!found && found.error().code != core::ErrorCode::kNotFound) co_return std::unexpected(found.error());
    co_return core::Status();
  }

 private:
  ports::VectorIndex& index_;
  DependencyGuard& guard_;
  std::mutex mutex_;
  std::vector<core::GenerationId> open_;  // guarded by mutex_; the last one opened last
};

// Reads of shoppers' features, and waits for events. What writes goes by, and popularity, which stores follow by themselves.
class GuardedFeatureStore final : public ports::FeatureStore {
 public:
  using Positions = std::vector<events::EventPosition>;

  GuardedFeatureStore(ports::FeatureStore& store, DependencyGuard& guard) : store_(store), guard_(guard) {}
  [[nodiscard]] core::Task<core::Result<Positions>> committed(core::Deadline deadline) override { return store_.committed(deadline); }
  [[nodiscard]] core::Task<core::Result<ports::ApplyReport>> apply(std::shared_ptr<const std::vector<events::LoggedEvent>> batch,
                                                                   core::Deadline deadline) override {
    return store_.apply(std::move(batch), deadline);
  }
  [[nodiscard]] core::Task<core::Result<Positions>> checkpoint(core::Deadline deadline) override { return store_.checkpoint(deadline); }
  [[nodiscard]] core::Task<core::Result<ports::SubjectSnapshot>> read(events::Subject subject, core::Deadline deadline) override {
    return guard_.run(store_.read(std::move(subject), deadline), deadline);
  }
  [[nodiscard]] core::Task<core::Result<ports::AppliedState>> wait_applied(ports::WaitedEvent event, core::Deadline deadline) override {
    return guard_.run(store_.wait_applied(std::move(event), deadline), deadline, &judge);
  }
  [[nodiscard]] core::Task<core::Result<ports::PopularityChanges>> popularity(std::uint64_t since, events::EpochMs now_ms,
                                                                             core::Deadline deadline) override {
    return store_.popularity(since, now_ms, deadline);
  }

 private:
  // An event may not have come: that is not the store's doing.
  [[nodiscard]] static core::CallVerdict judge(const ports::AppliedState& state) {
    return state.reached ? core::CallVerdict::kSuccess : core::CallVerdict::kNone;
  }

  ports::FeatureStore& store_;
  DependencyGuard& guard_;
};

}  // namespace scalestyle::search
