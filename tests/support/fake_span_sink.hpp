#pragma once
// Keeps the spans that it is given. Thread-safe.

#include <algorithm>
#include <iterator>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/span.hpp"

namespace scalestyle::support {

class FakeSpanSink final : public telemetry::SpanSink {
 public:
  void take(std::vector<telemetry::Span> spans) override {
    const std::lock_guard lock(mutex_);
    std::move(spans.begin(), spans.end(), std::back_inserter(spans_));
  }
  [[nodiscard]] std::vector<telemetry::Span> spans() const {
    const std::lock_guard lock(mutex_);
    return spans_;
  }
  // The first of that name; one without a name when there is none.
  [[nodiscard]] telemetry::Span named(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(spans_, name, &telemetry::Span::name);
    return found == spans_.end() ? telemetry::Span{} : *found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<telemetry::Span> spans_;
};

}  // namespace scalestyle::support
