#include "http/address_connections.hpp"

namespace scalestyle::http {

void AddressConnections::limit_to(std::size_t limit, TrustedProxies proxies) {
  limit_ = limit;
  proxies_ = std::move(proxies);
}

bool AddressConnections::is_full(std::string_view peer) const {
  const std::string address = counted_address(peer);
  if (address.empty()) return false;
  const auto held = held_.find(address);
  return held != held_.end() && held->second >= limit_;
}

AddressConnections::Place::Place(AddressConnections& counts, std::string_view peer)
    : counts_(counts), address_(counts.counted_address(peer)) {
  if (!address_.empty()) ++counts_.held_[address_];
}

AddressConnections::Place::~Place() {
  if (address_.empty()) return;
  const auto held = counts_.held_.find(address_);
  if (--held->second == 0) counts_.held_.erase(held);
}

std::string AddressConnections::counted_address(std::string_view peer) const {
  if (limit_ == 0) return {};
  const auto address = parse_address(peer);
  if (!address || proxies_.contains(*address)) return {};
  return limited_address(*address);
}

}  // namespace scalestyle::http
