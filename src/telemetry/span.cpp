#include "telemetry/span.hpp"

#include <algorithm>

namespace scalestyle::telemetry {

void Span::add(SpanAttribute attribute) {
  const auto known = std::ranges::find(attributes, attribute.key, &SpanAttribute::key);
  if (known != attributes.end()) {
    known->value = std::move(attribute.value);
  } else if (attributes.size() < kMaxSpanAttributes) {
    attributes.push_back(std::move(attribute));
  } else {
    ++dropped_attributes;
  }
}

void Span::set(std::string_view key, std::string_view text) { add({key, std::string(text.substr(0, kMaxSpanTextBytes))}); }

void Span::link(SpanLink other) {
  if (links.size() < kMaxSpanLinks) {
    links.push_back(other);
  } else {
    ++dropped_links;
  }
}

void Span::fail(std::string_view message) {
  failed = true;
  error = message.substr(0, kMaxSpanTextBytes);
}

}  // namespace scalestyle::telemetry
