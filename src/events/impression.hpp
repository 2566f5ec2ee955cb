#pragma once
// Impression: which items an answer showed, and where, so that a click can be joined with what was on the page.
// Light by design: written without waiting for the disk, and dropped (counted) rather than ever delaying a request.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "events/event.hpp"

namespace scalestyle::events {

struct ShownItem {
  std::string item_id;
  std::uint32_t position = 0;  // from 1, over all pages
  std::optional<double> probability{};  // of an article drawn to be shown there: its chance before the draw, in (0, 1]
  friend bool operator==(const ShownItem&, const ShownItem&) = default;
};

struct ExperimentArm {
  std::string experiment;
  std::string arm;
  friend bool operator==(const ExperimentArm&, const ExperimentArm&) = default;
};

struct Impression {
  std::string request_id{};
  std::optional<core::UserId> user_id{};
  std::optional<core::SessionId> session_id{};
  EpochMs time_ms = 0;
  EventSource source = EventSource::kSearch;
  std::string query{};
  std::string generation{};  // of the catalogue
  bool personalized = false;
  bool degraded = false;
  std::vector<ExperimentArm> arms{};
  std::vector<ShownItem> items{};
  friend bool operator==(const Impression&, const Impression&) = default;
};

}  // namespace scalestyle::events
