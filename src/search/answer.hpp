#pragma once
// What a search takes and gives, independent of HTTP.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "catalog/filters.hpp"
#include "core/deadline.hpp"
#include "core/ids.hpp"
#include "core/result.hpp"
#include "search/degradation.hpp"
#include "search/snapshot_holder.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxQueryCharacters = 500;  // code points
inline constexpr std::size_t kMaxK = 100;
inline constexpr std::size_t kDefaultK = 10;
inline constexpr std::size_t kMaxOffset = 10'000;
inline constexpr std::size_t kMaxSubjectCharacters = 100;
inline constexpr std::size_t kMaxFilterValues = 50;  // of one filter
inline constexpr std::chrono::milliseconds kMinDeadline{10};
inline constexpr std::chrono::milliseconds kMaxDeadline{10'000};
inline constexpr std::chrono::milliseconds kDefaultDeadline{600};

struct SearchRequest {
  core::RequestId request_id{};
  std::string query{};  // UTF-8
  catalog::Filter filter{};
  std::size_t k = kDefaultK;
  std::size_t offset = 0;
  core::Deadline deadline = core::Deadline::never();
  std::optional<core::UserId> user_id{};        // accepted; acts once answers are personalised
  std::optional<core::SessionId> session_id{};
};

enum class StageOutcome : std::uint8_t { kOk, kSkipped, kLate, kFailed, kRefused, kCancelled };
[[nodiscard]] std::string_view to_string(StageOutcome outcome);

enum class Stage : std::uint8_t { kAdmission, kValidate, kFilter, kEmbed, kRetrieve, kOrder };
inline constexpr std::size_t kStageCount = 6;
[[nodiscard]] std::string_view to_string(Stage stage);

struct StageReport {
  Stage stage = Stage::kAdmission;
  StageOutcome outcome = StageOutcome::kOk;
  std::chrono::nanoseconds took{0};  // waiting included
};

// Whether `total` is the whole pool or the pool was cut.
enum class TotalRelation : std::uint8_t { kEqual, kAtLeast };

// Where the items of a degraded answer came from.
enum class FallbackSource : std::uint8_t { kCached, kPopular24h, kPopular7d, kGlobalPopular };

// Something that was read out of the query or is in force for it.
struct Understood {
  std::string field;   // "colour", "price_max" …
  std::string value;
  std::string origin;  // "query" or "filter"
};

struct AnswerItem {
  catalog::ArticleView article;  // valid while the answer's generation is held
  double score = 0;              // (0, 1] before any boost; orders the page
  std::optional<double> behavior_score{};
  std::size_t rank = 0;          // from 1, over all pages
};

struct SearchAnswer {
  core::RequestId request_id{};
  std::chrono::nanoseconds took{0};
  std::vector<DegradationReason> degradations{};  // empty: not degraded
  std::optional<FallbackSource> fallback_source{};
  std::vector<StageReport> stages{};
  std::vector<Understood> understood{};
  std::size_t total = 0;
  TotalRelation total_relation = TotalRelation::kEqual;
  std::vector<AnswerItem> items{};
  std::shared_ptr<const ServingGeneration> generation{};  // what `items` point into
};

// No answer at all. `reason` is set unless the request itself was wrong.
struct SearchFailure {
  core::Error error{};
  std::optional<DegradationReason> reason{};
  std::vector<StageReport> stages{};
};

using SearchOutcome = std::expected<SearchAnswer, SearchFailure>;

}  // namespace scalestyle::search
