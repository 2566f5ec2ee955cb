#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "adapters/redis/error_reply.hpp"
#include "adapters/redis/topology_impl.hpp"

namespace scalestyle::adapters::redis {
namespace {

using boost::system::error_code;
using core::ErrorCode;
using namespace std::chrono_literals;

constexpr auto kSlowClock = 30s;
constexpr auto kWhileOneIsAway = 1s;
constexpr auto kBetweenReadings = 100ms;
constexpr auto kBetweenFirstContacts = 500ms;

}  // namespace

Topology::Topology(const ConnectionSettings& settings, std::vector<Endpoint> seeds, Refreshed refreshed)
    : settings_(settings),
      seeds_(std::move(seeds)),
      refreshed_(std::move(refreshed)),
      timer_(settings.io),
      impatience_(settings.io) {}

Node* Topology::known(const std::string& name) {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : found->second.get();
}

Node* Topology::node(const Endpoint& endpoint) {
  std::string name = endpoint.text();
  if (Node* const there = known(name)) return there;
  if (nodes_.size() >= SlotMap::kMaxNodes) return nullptr;
  return nodes_.emplace(std::move(name), std::make_shared<Node>(settings_, endpoint)).first->second.get();
}

Node* Topology::master_of(std::uint16_t slot) {
  if (mode_ == Mode::kStandalone) return masters_.front().get();
  const Endpoint* const master = slots_.master_of(slot);
  return master == nullptr ? nullptr : node(*master);
}

// In turn, those that stand first.
Node* Topology::any_master() {
  for (std::size_t i = 0; i < masters_.size(); ++i) {
    Node* const master = masters_[turn_++ % masters_.size()].get();
    if (master->stands()) return master;
  }
  return masters_.empty() ? nullptr : masters_[turn_++ % masters_.size()].get();
}

std::vector<std::string> Topology::masters() const {
  std::vector<std::string> names;
  for (const auto& master : masters_) names.push_back(master->name());
  return names;
}

void Topology::refresh() {
  if (closed_ || mode_ == Mode::kStandalone) return;
  if (attempt_) {
    wanted_ = true;
    return;
  }
  const auto next = begun_ == core::SteadyTime::min() ? core::SteadyTime::duration::zero()
                                                       : begun_ + kBetweenReadings - settings_.clock.steady_now();
  if (next <= core::SteadyTime::duration::zero()) return begin();
  if (!std::exchange(soon_, true)) schedule(next);
}

void Topology::connection_ready(const std::string& node) {
  if (Node* const there = known(node)) there->open_soon();
  if (mode_ == Mode::kUnknown && !attempt_) refresh();
}

void Topology::schedule(core::SteadyTime::duration delay) {
  if (closed_) return;
  timer_.expires_after(delay);
  timer_.async_wait([this](const error_code& cancelled) {
    if (!cancelled && !closed_ && !attempt_) begin();
  });
}

// Nodes with a connection first; what broke last is asked last.
std::vector<Endpoint> Topology::candidates() const {
  std::vector<Endpoint> found;
  const auto add = [&found](const Endpoint& endpoint) {
    if (std::ranges::find(found, endpoint) == found.end()) found.push_back(endpoint);
  };
  const std::size_t first = masters_.empty() ? 0 : attempts_ % masters_.size();
  for (const bool stands : {true, false}) {
    for (std::size_t i = 0; i < masters_.size(); ++i) {
      const auto& master = masters_[(first + i) % masters_.size()];
      if (master->stands() == stands) add(master->endpoint());
    }
    if (stands) {
      for (const auto& replica : slots_.replicas()) add(replica);
      for (const auto& seed : seeds_) add(seed);
    }
  }
  std::ranges::reverse(found);
  return found;
}

void Topology::begin() {
  begun_ = settings_.clock.steady_now();
  wanted_ = false;
  soon_ = false;
  failure_.reset();
  attempt_ = Attempt{.candidates = candidates(), .number = ++attempts_};
  ask_next();
}

void Topology::ask_next() {
  while (!attempt_->candidates.empty()) {
    const Endpoint asked = attempt_->candidates.back();
    attempt_->candidates.pop_back();
    Node* const candidate = node(asked);
    if (candidate == nullptr) continue;
    Connection& connection = candidate->least_loaded();
    if (!connection.accepts()) {
      attempt_->failure = connection.trouble();
      continue;
    }
    auto control = std::make_shared<Control>();
    control->arguments = {"CLUSTER", "SLOTS"};
    const auto is_current = [this, number = attempt_->number, left = attempt_->candidates.size()] {
      return !closed_ && attempt_ && attempt_->number == number && attempt_->candidates.size() == left;
    };
    control->done = [this, asked, is_current](const core::Result<RespReply>& reply) {
      if (is_current()) answered(asked, reply);
    };
    impatience_.expires_after(settings_.options.connect_timeout + 500ms);
    impatience_.async_wait([this, asked, is_current](const error_code& cancelled) {
      if (cancelled || !is_current()) return;
      answered(asked, std::unexpected(error_of(asked.text(), "no answer to CLUSTER SLOTS", ErrorCode::kUnavailable)));
    });
    return connection.enqueue({.control = std::move(control)});
  }
  auto failure = attempt_->failure.value_or(error_of("cluster", "no node can be asked", ErrorCode::kUnavailable));
  end(std::unexpected(std::move(failure)));
}

void Topology::answered(const Endpoint& asked, const core::Result<RespReply>& reply) {
  impatience_.cancel();
  const core::Status understood = reply ? understand(asked, *reply) : core::Status(std::unexpected(reply.error()));
  if (understood) return end({});
  attempt_->failure = understood.error();
  ask_next();
}

core::Status Topology::understand(const Endpoint& asked, const RespReply& reply) {
  const std::string& text = reply.value.text;
  if (reply.is_error) {
    const bool no_cluster =
        text.starts_with("ERR This instance has cluster support disabled") || text.starts_with("ERR unknown command");
    if (!no_cluster || mode_ == Mode::kCluster) {
      return std::unexpected(error_of(asked.text(), "CLUSTER SLOTS: " + text, parse_error_reply(text).code));
    }
    mode_ = Mode::kStandalone;
    adopt_masters({asked});
    return {};
  }
  auto map = SlotMap::parse(reply.value, asked);
  if (!map) return std::unexpected(error_of(asked.text(), map.error().message, map.error().code));
  const auto masters = map->masters();
  if (masters.empty()) {
    return std::unexpected(error_of(asked.text(), "CLUSTERDOWN the node knows no master of any slot", ErrorCode::kUnavailable));
  }
  mode_ = Mode::kCluster;
  slots_ = std::move(*map);
  adopt_masters(masters);
  return {};
}

// Opens the masters' connections, and lets go of every node that is none (any more).
void Topology::adopt_masters(const std::vector<Endpoint>& masters) {
  masters_.clear();
  for (const auto& endpoint : masters) {
    Node* const master = node(endpoint);
    if (master == nullptr) continue;
    master->open_all();
    masters_.push_back(nodes_.at(master->name()));
  }
  std::erase_if(nodes_, [this](const auto& entry) {
    if (std::ranges::find(masters_, entry.second) != masters_.end()) return false;
    entry.second->retire();
    return true;
  });
}

void Topology::end(const core::Status& status) {
  attempt_.reset();
  if (!status && mode_ == Mode::kUnknown) failure_ = status.error();
  if (mode_ == Mode::kUnknown) {
    schedule(kBetweenFirstContacts);
  } else if (mode_ == Mode::kCluster) {
    soon_ = wanted_;
    // A master that is away will be another one soon, also where no command asks for it.
    const bool all_stand = status && std::ranges::all_of(masters_, [](const auto& master) { return master->stands(); });
    const core::SteadyTime::duration later = all_stand ? kSlowClock : kWhileOneIsAway;
    schedule(wanted_ ? core::SteadyTime::duration(kBetweenReadings) : later);
  }
  refreshed_(status);
}

void Topology::close() {
  closed_ = true;
  attempt_.reset();
  timer_.cancel();
  impatience_.cancel();
  for (const auto& [name, node] : nodes_) node->close();
}

std::string Topology::trouble() const {
  if (mode_ == Mode::kUnknown) return failure_ ? failure_->message : "redis: not connected yet";
  for (const auto& master : masters_) {
    if (!master->stands()) return master->trouble().message;
  }
  const std::size_t uncovered = mode_ == Mode::kCluster ? slots_.uncovered() : 0;
  return uncovered == 0 ? std::string() : fmt::format("redis: {} of the cluster's slots have no master", uncovered);
}

std::size_t Topology::ready_connections() const {
  std::size_t count = 0;
  for (const auto& [name, node] : nodes_) count += node->ready();
  return count;
}

}  // namespace scalestyle::adapters::redis
