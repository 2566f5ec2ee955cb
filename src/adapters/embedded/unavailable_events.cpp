#include "adapters/embedded/unavailable_events.hpp"

namespace scalestyle::adapters::embedded {

core::Task<ports::AppendResult> UnavailableEventLog::append(std::vector<events::Event> /*batch*/, core::Deadline /*deadline*/) {
  co_return std::unexpected(
      ports::AppendFailure{ports::AppendOutcome::kNotKept, core::fail(core::ErrorCode::kUnavailable, cause_).error()});
}

core::Task<core::Result<std::vector<events::LoggedEvent>>> UnavailableEventLog::history(events::Subject /*subject*/,
                                                                                       std::int64_t /*after_offset*/,
                                                                                       std::size_t /*limit*/,
                                                                                       core::Deadline /*deadline*/) {
  co_return core::fail(core::ErrorCode::kUnavailable, cause_);
}

core::Task<core::Result<ports::ErasureState>> UnavailableEventLog::wait_erased(events::EventPosition /*position*/,
                                                                               core::Deadline /*deadline*/) {
  co_return core::fail(core::ErrorCode::kUnavailable, cause_);
}

core::Task<core::Result<std::vector<events::EventPosition>>> UnavailableFeatureStore::committed(core::Deadline /*deadline*/) {
  co_return refuse();
}

core::Task<core::Result<ports::ApplyReport>> UnavailableFeatureStore::apply(
    std::shared_ptr<const std::vector<events::LoggedEvent>> /*batch*/, core::Deadline /*deadline*/) {
  co_return refuse();
}

core::Task<core::Result<std::vector<events::EventPosition>>> UnavailableFeatureStore::checkpoint(core::Deadline /*deadline*/) {
  co_return refuse();
}

core::Task<core::Result<ports::SubjectSnapshot>> UnavailableFeatureStore::read(events::Subject /*subject*/,
                                                                               core::Deadline /*deadline*/) {
  co_return refuse();
}

core::Task<core::Result<ports::AppliedState>> UnavailableFeatureStore::wait_applied(ports::WaitedEvent /*event*/,
                                                                                    core::Deadline /*deadline*/) {
  co_return refuse();
}

core::Task<core::Result<ports::PopularityChanges>> UnavailableFeatureStore::popularity(std::uint64_t /*since*/,
                                                                                       events::EpochMs /*now_ms*/,
                                                                                       core::Deadline /*deadline*/) {
  co_return refuse();
}

bool UnavailableImpressionLog::note(events::Impression /*impression*/) { return false; }

core::Task<core::Result<std::vector<events::Impression>>> UnavailableImpressionLog::history(events::Subject /*subject*/,
                                                                                           std::size_t /*limit*/,
                                                                                           core::Deadline /*deadline*/) {
  co_return core::fail(core::ErrorCode::kUnavailable, cause_);
}

}  // namespace scalestyle::adapters::embedded
