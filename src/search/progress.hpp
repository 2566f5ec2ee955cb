#pragma once
// Progress: what one request has so far; lives in the frame of the coroutine that serves it.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/bitmap.hpp"
#include "catalog/filters.hpp"
#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/task.hpp"
#include "ranking/bound_rules.hpp"
#include "ranking/side_blend.hpp"
#include "recommend/rising_rows.hpp"
#include "retrieval/lexical_index.hpp"
#include "search/answer.hpp"
#include "search/base_list.hpp"
#include "search/brownout.hpp"
#include "search/made_look.hpp"
#include "search/picture_retriever.hpp"
#include "search/query_reading.hpp"
#include "search/recommended_list.hpp"
#include "search/ranked_list.hpp"
#include "search/reason_text.hpp"
#include "search/reranker.hpp"
#include "search/shopper_read.hpp"
#include "search/snapshot_holder.hpp"
#include "search/visual_request.hpp"

namespace scalestyle::search {

// What a leg found, best first, all of it eligible.
struct LegRows {
  std::vector<catalog::RowIndex> rows{};
  std::vector<float> scores{};
  bool is_cut = false;  // there may be more
};

struct Progress {
  explicit Progress(const core::Clock& time_source)
      : clock(time_source), started(time_source.steady_now()), stage_began(started) {
    stages.reserve(kStageCount);
  }

  // Ends the stage that began when the one before it ended.
  void report(Stage stage, StageOutcome outcome) {
    const core::SteadyTime now = clock.steady_now();
    stages.push_back({stage, outcome, now - stage_began, now});
    stage_began = now;
  }
  // Two stages one after the other, the second only where it was begun, that ended now, or `earlier`, beside others.
  void report_pair(StageReport first, std::optional<StageReport> second, std::optional<core::SteadyTime> earlier = {}) {
    stage_began = clock.steady_now();
    const core::SteadyTime end = earlier.value_or(stage_began);
    first.ended = second ? end - std::chrono::duration_cast<core::SteadyTime::duration>(second->took) : end;
    stages.push_back(first);
    if (second) stages.push_back({second->stage, second->outcome, second->took, end});
  }
  [[nodiscard]] SearchFailure failure(core::Error error, std::optional<DegradationReason> reason = {}) {
    SearchFailure failed{std::move(error), reason, std::move(stages)};
    failed.picture_refused = is_request_fault && failed.error.field == "image";
    return failed;
  }
  [[nodiscard]] const LegRows& found_by(ranking::Leg leg) const {
    switch (leg) {
      case ranking::Leg::kLexical: return words;
      case ranking::Leg::kDense: return meaning;
      case ranking::Leg::kImage: break;
    }
    return photos;
  }
  // The query is nothing but ids or product codes.
  [[nodiscard]] bool names_alone() const { return !named.empty() && plan->clauses.empty(); }
  void degrade(DegradationReason reason) {
    if (std::ranges::find(degradations, reason) == degradations.end()) degradations.push_back(reason);
  }
  [[nodiscard]] bool has_lost(DegradationReason reason) const { return std::ranges::find(degradations, reason) != degradations.end(); }
  [[nodiscard]] std::chrono::nanoseconds elapsed() const { return clock.steady_now() - started; }
  [[nodiscard]] events::EpochMs now_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock.wall_now().time_since_epoch()).count();
  }

  const core::Clock& clock;
  const core::SteadyTime started;
  core::SteadyTime stage_began;
  core::Deadline inner_deadline = core::Deadline::never();  // leaves time to answer otherwise
  std::shared_ptr<core::TaskContext> context;  // of the task that serves the request; null: none
  std::vector<StageReport> stages;
  BrownoutStep left_out_steps = BrownoutStep::kNone;  // of this request, since the server is under pressure
  std::shared_ptr<const ServingGeneration> generation;
  std::shared_ptr<const catalog::Filter> filter;    // what typed filters can say of `eligible`; null: nothing
  std::shared_ptr<const catalog::Bitmap> eligible;  // null: every row
  std::size_t eligible_count = 0;
  bool filtered = false;                            // the three above are known
  std::vector<catalog::RowIndex> left_out;          // of a list without a query: never part of it
  std::string fingerprint;                          // what list this is
  std::vector<std::uint32_t> shown;                 // numbers of the items that a cursor brought; rising
  bool is_sorted = false;                           // by a column: nothing bends the list
  bool personal = false;                            // a subject's features are to act
  bool is_blended = false;                          // they made the list itself: no boost acts on top
  ShopperReader::PendingRead pending;               // null: nothing was asked of the feature store
  ShopperView shopper;
  std::optional<DegradationReason> failure_reason;
  std::vector<DegradationReason> degradations;
  std::optional<FallbackSource> fallback_source;
  std::string query;                           // as it is looked up: normalized_query()
  std::string list_key;                        // of its list among those kept; empty: none is kept
  std::optional<ListSource> list_source;
  std::vector<Understood> understood;
  QueryReading reading;                        // of a query whose list is made for this request
  std::shared_ptr<const ReasonQuery> reason_query;      // null: no query, or nothing is known of it
  ReasonOrigin reason_origin = ReasonOrigin::kPlain;    // but for what `fallback_source` says
  ReasonPicture reason_picture = ReasonPicture::kNone;  // the same
  std::optional<retrieval::LexicalPlan> plan;  // of the query's words
  std::vector<retrieval::QueryNote> word_notes;  // what was done to them
  std::vector<catalog::RowIndex> named;        // eligible rows that the query names by id or product code
  std::string embedded_text;                   // what was looked up by meaning; empty: nothing was
  bool is_request_fault = false;               // what failed is not the server's
  bool ran_out_of_time = false;                // a leg did; others may have more
  PictureRetriever::PendingRetrieval picture;  // null: nothing is looked for in photos, or it is found
  PictureEncoder::Vector picture_vector;       // what was looked for there; null: nothing was
  LegRows words;
  LegRows meaning;
  LegRows photos;
  SidesOf sides_of;                            // the request, as it came
  std::vector<ranking::SideScores> sides;      // one a row of `list`, where there were two
  std::string judged_by;                       // what a cross-encoder reads; empty: it is not asked
  BaseList list;
  RerankOutcome reranked;
  std::shared_ptr<const RankedList> ranked;  // what is kept, or could be; null: none is
  ListVersion version;                       // of the list
  std::shared_ptr<const RecommendedList> recommended;  // how a list of several sources came about; null: it is none
  std::vector<SourceReport> sources;                   // of such a list
  std::shared_ptr<const MadeLook> look;                // how a look came about; null: it is none
  std::shared_ptr<const recommend::RisingRows> rising; // what rises; null: that was not asked for, or nothing does
  std::vector<ExploredRow> explored;                   // what is to be shown at which places; by place
  std::shared_ptr<const ranking::BoundRules> rules;  // null: none
  ranking::RuleEffects effects;                      // of those that act; of `rules`
};

// The part of a request's time that is kept for answering otherwise: a quarter of what is left, at most 25 ms.
[[nodiscard]] inline core::Deadline leave_reserve(core::Deadline deadline, const core::Clock& clock) {
  if (deadline.is_never()) return deadline;
  constexpr std::chrono::nanoseconds kMost = std::chrono::milliseconds(25);
  const auto reserve = std::min(kMost, deadline.remaining(clock) / 4);
  return core::Deadline::at(deadline.time() - std::chrono::duration_cast<core::SteadyTime::duration>(reserve));
}

}  // namespace scalestyle::search
