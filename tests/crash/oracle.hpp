#pragma once
// Features by their definition, straight from a list of events: sums over all contributions, no running state. What the
// product computes step by step, with checkpoints, rings and replays, must come to the same.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "events/event.hpp"
#include "events/features.hpp"

namespace scalestyle::crash {

class Oracle {
 public:
  explicit Oracle(events::FeatureOptions options) : options_(options) {}

  // In the order of the log.
  void add(const events::Event& event);

  [[nodiscard]] std::vector<events::Subject> subjects() const;
  [[nodiscard]] std::vector<std::string> items() const;

  // Empty where `actual` is right as of `now_ms` (not before any event's time); else what is not.
  [[nodiscard]] std::string compare(const events::Subject& subject, const events::SubjectFeatures& actual,
                                    events::EpochMs now_ms) const;
  // `actual`: the item has none when null.
  [[nodiscard]] std::string compare(const std::string& item, const events::ItemPopularity* actual,
                                    events::EpochMs now_ms) const;

 private:
  struct Contribution {
    double weight = 0;
    events::EpochMs time_ms = 0;
  };
  struct Known {
    bool personalize = true;
    std::map<std::pair<std::string, events::EventType>, events::EpochMs> recent{};
    std::map<std::string, std::vector<Contribution>> categories{};
  };

  static double decayed_sum(const std::vector<Contribution>& all, events::EpochMs now_ms, double half_life_seconds);

  events::FeatureOptions options_;
  std::map<events::Subject, Known> subjects_;
  std::map<std::string, std::vector<Contribution>> items_;
};

}  // namespace scalestyle::crash
