#pragma once
// Lists that nobody asked for by words: what one shopper is shown, and what is like one article. Requests and settings.

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "events/event.hpp"
#include "ranking/for_you.hpp"
#include "search/answer.hpp"

namespace scalestyle::search {

inline constexpr std::size_t kMaxExplorationPositions = 10;  // of one answer

// What the shopper's own doings, everybody's and the catalogue suggest, blended (ranking/for_you.hpp). The blend is the
// personalisation: no boost acts on top.
struct ForYouRequest : ListRequest {
  std::optional<bool> show_bought{};  // again what the shopper bought last; absent: the service's default
  std::optional<bool> show_seen{};    // the same of what they looked at or put into the basket
};

// Which sources may speak of an article that is like another; at least one.
struct SimilarSources {
  bool text = true;
  bool picture = true;
  bool bought = true;

  [[nodiscard]] bool empty() const { return !text && !picture && !bought; }
};

// Articles like one, the best first; never the article itself. The shopper's behaviour boosts as in a search.
struct SimilarRequest : ListRequest {
  std::string article_id{};
  bool variants = false;  // other articles of the same product too
  SimilarSources by{};
};

// How much each type of event says of an article, compared with the others.
struct EventWeights {
  double click = 1;
  double view = 0.3;
  double add_to_cart = 3;
  double purchase = 5;

  [[nodiscard]] double of(events::EventType type) const;
};

// A share of the answers that show a shopper something that nobody knows to be good yet: of so many answers, each of the
// positions has a new or rare article, drawn with equal chances.
struct ExplorationOptions {
  double rate = 0;                        // of first pages; 0: never; at most 1
  std::vector<std::size_t> positions{5};  // in the list, from 1, rising; at most kMaxExplorationPositions

  // kInvalidArgument with the setting as field: exploration_rate, exploration_positions.
  [[nodiscard]] core::Status validate() const;
};

struct RecommendationOptions {
  ranking::SourceScores for_you_weights = ranking::ForYouOptions::default_weights();
  ranking::SourceScores similar_weights = default_similar_weights();
  ranking::OwnItemRule own{};          // of requests that do not say
  double item_half_life_days = ranking::ForYouOptions().item_half_life_days;
  EventWeights event_weights{};
  ExplorationOptions exploration{};
  std::chrono::milliseconds near_budget{50};           // for both vectors of an article; 1 … 1,000
  std::size_t near_cache_bytes = std::size_t{16} << 20;  // lists of near articles that are kept; 0: none

  // Of a choice among equals: meaning before looks before what was bought together.
  [[nodiscard]] static ranking::SourceScores default_similar_weights();
  // kInvalidArgument with the setting as field: for_you_weights, similar_weights, for_you_item_half_life_days …
  [[nodiscard]] core::Status validate() const;
};

// "own=1,variant=0.5": the weights named, the others as in `defaults`. kInvalidArgument with `setting` as field: no such source
// (the nearest right one is told), named twice, no number from 0 to 1,000, or nothing above 0 is left.
[[nodiscard]] core::Result<ranking::SourceScores> parse_source_weights(std::string_view text, std::string_view setting,
                                                                       const ranking::SourceScores& defaults);
// "5,10". kInvalidArgument, field exploration_positions.
[[nodiscard]] core::Result<std::vector<std::size_t>> parse_exploration_positions(std::string_view text);

// kInvalidArgument with the parameter as field.
[[nodiscard]] core::Status validate(const ForYouRequest& request);
[[nodiscard]] core::Status validate(const SimilarRequest& request);

}  // namespace scalestyle::search
