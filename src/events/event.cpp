#include "events/event.hpp"

#include <array>
#include <utility>

namespace scalestyle::events {

namespace {

template <class Value, std::size_t kCount>
using Names = std::array<std::pair<Value, std::string_view>, kCount>;

constexpr Names<EventType, 7> kTypeNames{{{EventType::kClick, "click"},
                                          {EventType::kView, "view"},
                                          {EventType::kAddToCart, "add_to_cart"},
                                          {EventType::kPurchase, "purchase"},
                                          {EventType::kMerge, "merge"},
                                          {EventType::kForget, "forget"},
                                          {EventType::kPreferences, "preferences"}}};
constexpr Names<EventSource, 5> kSourceNames{{{EventSource::kUnknown, "unknown"},
                                              {EventSource::kSearch, "search"},
                                              {EventSource::kBrowse, "browse"},
                                              {EventSource::kRecommendation, "recommendation"},
                                              {EventSource::kImageSearch, "image_search"}}};
constexpr Names<Device, 3> kDeviceNames{{{Device::kApi, "api"}, {Device::kWeb, "web"}, {Device::kMobile, "mobile"}}};

template <class Value, std::size_t kCount>
std::string_view name_of(const Names<Value, kCount>& names, Value wanted) {
  for (const auto& [value, name] : names) {
    if (value == wanted) return name;
  }
  return "unknown";
}

template <class Value, std::size_t kCount>
std::optional<Value> value_of(const Names<Value, kCount>& names, std::string_view wanted) {
  for (const auto& [value, name] : names) {
    if (name == wanted) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(EventType type) { return name_of(kTypeNames, type); }
std::optional<EventType> event_type(std::string_view name) { return value_of(kTypeNames, name); }

std::string_view to_string(EventSource source) { return name_of(kSourceNames, source); }
std::optional<EventSource> event_source(std::string_view name) { return value_of(kSourceNames, name); }

std::string_view to_string(Device device) { return name_of(kDeviceNames, device); }
std::optional<Device> device(std::string_view name) { return value_of(kDeviceNames, name); }

Subject Event::subject() const {
  if (user_id) return Subject::user(*user_id);
  return session_id ? Subject::session(*session_id) : Subject{SubjectKind::kSession, {}};
}

}  // namespace scalestyle::events
