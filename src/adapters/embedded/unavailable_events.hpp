#pragma once
// What a server has in the place of event log, features and impressions when their files cannot be used: searches go on,
// lists for a shopper say that they are not personalised, and events are refused, certainly not kept.
// Thread safety: immutable; any thread.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/event_log.hpp"
#include "ports/feature_store.hpp"
#include "ports/impression_log.hpp"

namespace scalestyle::adapters::embedded {

class UnavailableEventLog final : public ports::EventLog {
 public:
  explicit UnavailableEventLog(std::string cause) : cause_(std::move(cause)) {}

  [[nodiscard]] core::Task<ports::AppendResult> append(std::vector<events::Event> batch, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<events::LoggedEvent>>> history(events::Subject subject,
                                                                                  std::int64_t after_offset, std::size_t limit,
                                                                                  core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::ErasureState>> wait_erased(events::EventPosition position,
                                                                          core::Deadline deadline) override;
  [[nodiscard]] std::string refusal() const override { return cause_; }

 private:
  const std::string cause_;
};

class UnavailableFeatureStore final : public ports::FeatureStore {
 public:
  explicit UnavailableFeatureStore(std::string cause) : cause_(std::move(cause)) {}

  [[nodiscard]] core::Task<core::Result<std::vector<events::EventPosition>>> committed(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::ApplyReport>> apply(std::shared_ptr<const std::vector<events::LoggedEvent>> batch,
                                                                   core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<std::vector<events::EventPosition>>> checkpoint(core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::SubjectSnapshot>> read(events::Subject subject, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::AppliedState>> wait_applied(ports::WaitedEvent event, core::Deadline deadline) override;
  [[nodiscard]] core::Task<core::Result<ports::PopularityChanges>> popularity(std::uint64_t since, events::EpochMs now_ms,
                                                                              core::Deadline deadline) override;

 private:
  [[nodiscard]] std::unexpected<core::Error> refuse() const { return core::fail(core::ErrorCode::kUnavailable, cause_); }

  const std::string cause_;
};

class UnavailableImpressionLog final : public ports::ImpressionLog {
 public:
  explicit UnavailableImpressionLog(std::string cause) : cause_(std::move(cause)) {}

  bool note(events::Impression impression) override;
  [[nodiscard]] core::Task<core::Result<std::vector<events::Impression>>> history(events::Subject subject, std::size_t limit,
                                                                                 core::Deadline deadline) override;

 private:
  const std::string cause_;
};

}  // namespace scalestyle::adapters::embedded
