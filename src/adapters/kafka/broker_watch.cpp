#include "adapters/kafka/broker_watch.hpp"

#include <fmt/format.h>

#include <utility>

namespace scalestyle::adapters::kafka {

void BrokerWatch::changed(const std::string& broker, bool up) {
  const std::lock_guard lock(mutex_);
  if (up) {
    up_.insert(broker);
    was_up_ = true;
    complaint_.clear();
  } else if (up_.erase(broker) > 0 && up_.empty()) {
    none_since_ = clock_.steady_now();
  }
}

void BrokerWatch::complained(std::string text) {
  const std::lock_guard lock(mutex_);
  if (up_.empty()) complaint_ = std::move(text);
}

std::string BrokerWatch::trouble(std::chrono::milliseconds grace) const {
  const std::lock_guard lock(mutex_);
  if (!up_.empty()) return {};
  const auto away = clock_.steady_now() - none_since_;
  if (away < grace) return {};
  return fmt::format("kafka: no broker {} for {} s{}{}", was_up_ ? "has been reachable" : "could be reached",
                     std::chrono::duration_cast<std::chrono::seconds>(away).count(), complaint_.empty() ? "" : ": ", complaint_);
}

}  // namespace scalestyle::adapters::kafka
