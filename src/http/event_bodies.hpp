#pragma once
// The bodies of the routes that take events and wishes of shoppers, and the events that they mean.

#include <vector>

#include "events/validation.hpp"
#include "http/json_body.hpp"

namespace scalestyle::http {

[[nodiscard]] const BodySpec& click_body();        // {item_id, source, …}
[[nodiscard]] const BodySpec& events_body();       // {events: [{type, item_id, …}]}
[[nodiscard]] const BodySpec& merge_body();        // {session_id}
[[nodiscard]] const BodySpec& preferences_body();  // {personalize}

// Of bodies that were read by these descriptions.
[[nodiscard]] events::EventInput to_click(const Body& body);
[[nodiscard]] std::vector<events::EventInput> to_events(const Body& body);

}  // namespace scalestyle::http
