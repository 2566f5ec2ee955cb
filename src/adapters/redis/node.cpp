#include <algorithm>
#include <utility>

#include "adapters/redis/node_impl.hpp"

namespace scalestyle::adapters::redis {

Node::Node(const ConnectionSettings& settings, Endpoint endpoint)
    : settings_(settings), endpoint_(std::move(endpoint)), name_(endpoint_.text()) {
  for (std::size_t i = 0; i < settings.options.connections_per_node; ++i) {
    connections_.push_back(std::make_shared<Connection>(settings, endpoint_));
  }
}

Connection& Node::of_slot(std::uint16_t slot) { return *connections_[slot % connections_.size()]; }

Connection& Node::least_loaded() {
  const auto better = [](const auto& a, const auto& b) {
    if (a->ready() != b->ready()) return a->ready();
    if (a->accepts() != b->accepts()) return a->accepts();
    return a->outstanding() < b->outstanding();
  };
  return **std::ranges::min_element(connections_, better);
}

Connection& Node::replicated() {
  if (!replicated_) replicated_ = std::make_shared<Connection>(settings_, endpoint_);
  return *replicated_;
}

void Node::open_all() {
  for (const auto& connection : connections_) connection->open_if_new();
}

void Node::open_soon() {
  for (const auto& connection : connections_) connection->open_soon();
  if (replicated_) replicated_->open_soon();
}

void Node::retire() {
  for (const auto& connection : connections_) connection->retire();
  if (replicated_) replicated_->retire();
}

void Node::close() {
  for (const auto& connection : connections_) connection->close();
  if (replicated_) replicated_->close();
}

std::size_t Node::ready() const {
  const auto count = std::ranges::count_if(connections_, [](const auto& connection) { return connection->ready(); });
  return static_cast<std::size_t>(count) + (replicated_ && replicated_->ready() ? 1u : 0u);
}

bool Node::stands() const {
  return std::ranges::any_of(connections_, [](const auto& connection) { return connection->ready(); });
}

const core::Error& Node::trouble() const { return connections_.front()->trouble(); }

}  // namespace scalestyle::adapters::redis
