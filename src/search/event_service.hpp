#pragma once
// EventService: what shoppers did, and what they ask of their own data, on its way into the event log.
//
// admission → validate → enrich (category of the serving generation, weight, id, time of receipt) → append → answer.
// All events of a request are durable when it succeeds, or none of them is kept; impressions that clients send take the
// light path (ImpressionLog) once the others are durable.
//
// Repeating is safe everywhere. An event_id counts once while the log keeps it. Without a key of the client's, merging
// again moves only what came since, forgetting again sets a later barrier, and preferences are set to the same value;
// with one, the request takes effect once and answers as the first time.
//
// Thread safety: every method may be called from any thread. Must outlive every call.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "events/event.hpp"
#include "events/features.hpp"
#include "events/impression.hpp"
#include "events/validation.hpp"
#include "ports/event_log.hpp"
#include "ports/feature_store.hpp"
#include "ports/impression_log.hpp"
#include "search/admission.hpp"
#include "search/event_metrics.hpp"
#include "search/snapshot_holder.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

class FrequentQueries;

struct EventOptions {
  double click_weight = 1;
  double view_weight = 0.3;
  double add_to_cart_weight = 3;
  double purchase_weight = 5;
  events::ReceiptOptions receipt{};
  std::chrono::milliseconds deadline{2'000};  // of one request; what the caller's deadline leaves, if that is less
  std::size_t max_in_progress = 1'024;        // requests; more are refused
  std::size_t max_readers_in_progress = 8;    // of them, those that read a whole history: forget and export_user
  std::size_t max_merged_sessions = 100;      // of a user, that forgetting and exporting follow: the newest
  std::size_t max_history_scan = 50'000;      // events of a user read to find them
  std::size_t max_export_impressions = 1'000; // of one export: the newest

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

// No effect, or an unknown one.
struct EventFailure {
  core::Error error{};  // kInvalidArgument: the request is wrong (field); everything else: not now
  std::optional<ports::AppendOutcome> outcome{};  // whether events were kept all the same; absent where the request is
                                                  // wrong or nothing was to be kept
  std::chrono::seconds retry_after{0};            // 0: do not retry as it is
};

template <class T>
using EventOutcome = std::expected<T, EventFailure>;

enum class TrackStatus : std::uint8_t {
  kStored,    // durable, now or before (duplicate)
  kAccepted,  // an impression, to be written soon
  kDropped,   // an impression, left out: too many wait
};
[[nodiscard]] std::string_view to_string(TrackStatus status);  // "stored", "accepted", "dropped"

struct TrackedEvent {
  TrackStatus status = TrackStatus::kStored;
  std::string event_id{};  // the client's, or one made here; of an impression: the client's or empty
  std::string token{};     // for `after`; empty of an impression
  bool duplicate = false;  // was kept before; the token is the first one's
};

struct TrackRequest {
  std::vector<events::EventInput> events{};  // 1 … 500
  bool single = false;                       // fields are named "item_id" instead of "events[0].item_id"
  core::Deadline deadline = core::Deadline::never();
  ports::TraceContext trace{};               // of the request that brought them
};

// Of a request about a subject. client_event_id: its idempotency key, if it gave one.
struct MergeRequest {
  std::string user_id{};
  std::string session_id{};
  std::optional<std::string> client_event_id{};
  core::Deadline deadline = core::Deadline::never();
};
struct PreferencesRequest {
  std::string user_id{};
  bool personalize = true;
  std::optional<std::string> client_event_id{};
  core::Deadline deadline = core::Deadline::never();
};
struct ForgetRequest {
  std::string user_id{};
  std::optional<std::string> client_event_id{};
  core::Deadline deadline = core::Deadline::never();
};

struct ForgetAnswer {
  TrackedEvent event{};
  bool applied = false;                                      // the features are gone; false: not within the deadline
  ports::ErasureState erasure = ports::ErasureState::kPending;
  std::vector<std::string> sessions{};                       // merged into this user, forgotten with it
  bool sessions_complete = true;                             // false: more were merged than are followed
};

struct ExportRequest {
  std::string user_id{};
  std::string cursor{};      // empty: from the beginning
  std::size_t limit = 1'000; // events of a page, 1 … 1,000
  core::Deadline deadline = core::Deadline::never();
};

struct ExportedAffinity {
  std::string category{};
  double score = 0;  // as of KnownFeatures::as_of_ms
};

// What lists for a user are personalised by.
struct KnownFeatures {
  std::string user_id{};
  events::EpochMs as_of_ms = 0;
  bool personalize = true;
  std::vector<events::RecentItem> recent_items{};
  std::vector<ExportedAffinity> affinities{};
};
struct FeaturesRequest {
  std::string user_id{};
  core::Deadline deadline = core::Deadline::never();
};
struct FeaturesAnswer : KnownFeatures {
  events::EpochMs last_event_ms = 0;  // 0: nothing is known
};

struct ExportAnswer : KnownFeatures {
  std::vector<events::LoggedEvent> events{};  // oldest first; those of merged sessions, up to their merge, among them
  std::string next_cursor{};                  // empty: this was the last page
  std::vector<std::string> sessions{};
  bool sessions_complete = true;
  std::vector<events::Impression> impressions{};  // newest first; on the first page alone
  bool events_available = true;       // false: this engine cannot look events up by subject
  bool impressions_available = true;
};

class EventService {
 public:
  struct Dependencies {
    const SnapshotHolder& generations;
    ports::EventLog& log;
    ports::FeatureStore& features;
    ports::ImpressionLog& impressions;
    core::TimerQueue& timers;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    double affinity_half_life_seconds = events::FeatureOptions().affinity_half_life_seconds;
    FrequentQueries* queries = nullptr;  // is told to forget too; null: none
  };

  // `options` must be valid.
  EventService(Dependencies dependencies, EventOptions options);

  // One result an event, in order. Failures: kInvalidArgument with the field (an item must be an article of the serving
  // generation), kResourceExhausted (too many requests in progress; the log's queue or disk is full), kUnavailable (no
  // catalogue yet; the log refuses), kDeadlineExceeded, kCancelled.
  [[nodiscard]] core::Task<EventOutcome<std::vector<TrackedEvent>>> track(TrackRequest request);

  // The session's features become the user's. Failures as of track().
  [[nodiscard]] core::Task<EventOutcome<TrackedEvent>> merge(MergeRequest request);

  [[nodiscard]] core::Task<EventOutcome<TrackedEvent>> set_preferences(PreferencesRequest request);

  // A barrier in the log for the user and every session merged into them: nothing before it counts or can be read.
  // Then waits, as long as the deadline lets it, until the features are gone and the bytes too. Failures as of track();
  // once the barrier is durable the call succeeds and the answer tells how far it got.
  [[nodiscard]] core::Task<EventOutcome<ForgetAnswer>> forget(ForgetRequest request);

  // Everything kept of a user, as of now, its events by pages. Failures: kInvalidArgument, kResourceExhausted,
  // kUnavailable, kDeadlineExceeded, kCancelled; never a part of it unmarked.
  [[nodiscard]] core::Task<EventOutcome<ExportAnswer>> export_user(ExportRequest request);

  // What is known of a user now. Failures as of export_user().
  [[nodiscard]] core::Task<EventOutcome<FeaturesAnswer>> features_of(FeaturesRequest request);

  [[nodiscard]] const EventOptions& options() const { return options_; }

 private:
  struct Prepared;
  struct MergedSession;
  struct MergedSessions;

  // event_service.cpp
  [[nodiscard]] core::Task<EventOutcome<std::vector<TrackedEvent>>> run_track(TrackRequest request, core::Deadline deadline);
  [[nodiscard]] core::Result<Prepared> prepare(const TrackRequest& request) const;
  [[nodiscard]] core::Status take(const events::EventInput& input, std::size_t index, Prepared& prepared) const;
  [[nodiscard]] core::Status enrich(events::Event& event, const ServingGeneration& generation, const std::string& prefix) const;
  [[nodiscard]] core::Task<EventOutcome<std::vector<ports::AppendedEvent>>> append(std::vector<events::Event> batch,
                                                                                   ports::TraceContext trace,
                                                                                   core::Deadline deadline);
  [[nodiscard]] core::Task<EventOutcome<TrackedEvent>> append_one(events::Event event, std::string shown_id,
                                                                  core::Deadline deadline);
  void note_impressions(Prepared& prepared) const;
  [[nodiscard]] double weight_of(events::EventType type) const;
  [[nodiscard]] events::Event subject_event(events::EventType type, const events::Subject& subject, const std::string& name) const;
  [[nodiscard]] events::EpochMs now_ms() const;
  [[nodiscard]] core::Deadline own_deadline(core::Deadline deadline) const { return deadline.within(options_.deadline, use_.clock); }
  [[nodiscard]] core::Deadline early(core::Deadline deadline) const;
  [[nodiscard]] EventFailure refuse(core::Error error, std::size_t events) const;
  [[nodiscard]] EventFailure refuse_full(const AdmissionLimit& limit, std::size_t events) const;

  // user_data.cpp
  [[nodiscard]] core::Task<EventOutcome<ForgetAnswer>> run_forget(ForgetRequest request, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> finish_forget(std::vector<ports::WaitedEvent> barriers, ForgetAnswer& answer,
                                                       core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<ExportAnswer>> run_export(ExportRequest request, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<events::EpochMs>> read_features(KnownFeatures& known, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<FeaturesAnswer>> run_features(FeaturesRequest request, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> export_events(const ExportRequest& request, const MergedSessions& merged,
                                                       ExportAnswer& answer, core::Deadline deadline);
  [[nodiscard]] core::Task<core::Status> export_impressions(const MergedSessions& merged, ExportAnswer& answer,
                                                            core::Deadline deadline);
  [[nodiscard]] core::Task<core::Result<MergedSessions>> merged_sessions(events::Subject user, core::Deadline deadline);

  Dependencies use_;
  EventOptions options_;
  AdmissionLimit admission_;
  AdmissionLimit readers_;
  EventMetrics metrics_;
};

}  // namespace scalestyle::search
