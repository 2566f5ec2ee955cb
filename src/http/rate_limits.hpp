#pragma once
// RateLimits: what each request of the public API costs, whom it is charged to, and what the answer says of it.
//
// A request is charged before its work begins, with what such a request may cost; when its answer is there, the charge is
// corrected to what it did cost (Response::cost): a list from the cache gives back, a long rerank and
// a large batch of events pay the rest. A client that leaves before its answer is not given anything back.
// Answers carry RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10): one item a limit that applied,
// `q` units within `w` seconds, `r` of them left and full again after `t` seconds; a refusal's `t` is its Retry-After.
//
// Users whom only a body names are charged once it was read: charge_users().
//
// Thread safety: charge() on the I/O thread, charge_users() on any; a work that finish() made ends on any thread. Must outlive every
// work.

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "http/application.hpp"
#include "http/client_address.hpp"
#include "http/rate_limiter.hpp"
#include "http/route_table.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {
struct SearchAnswer;
}

namespace scalestyle::http {

// Units; a plain search costs one. docs/limits.md shows the same table.
[[nodiscard]] double base_cost(RouteId id);

// Of each article that a cross-encoder judged now, of each event; share of the base cost of an answer whose list was kept.
inline constexpr double kJudgedArticleCost = 0.1;
inline constexpr double kEventCost = 0.1;
inline constexpr double kKeptListShare = 0.25;
// A search that does not say how many articles are to be judged is charged for so many, until its answer tells.
inline constexpr std::size_t kExpectedJudged = 20;

[[nodiscard]] AnswerCost answer_cost(const search::SearchAnswer& answer);
[[nodiscard]] inline AnswerCost events_cost(std::size_t events) { return {.share = static_cast<double>(events)}; }

// Identifies the API key of a request, X-API-Key or the Bearer token of Authorization, without being it; empty without one.
[[nodiscard]] std::string sent_key_id(const Request& request);

class RateLimits {
 public:
  RateLimits(const RateLimitOptions& options, TrustedProxies proxies, const core::Clock& clock, telemetry::Metrics& metrics);

  // A request's charge: to whom, how much, and what is to be told.
  struct Charge {
    std::string key{};
    std::string user{};
    std::string address{};
    RouteId route{};
    double taken = 0;
    RateDecision decision{};

    [[nodiscard]] RateSubject subject() const { return {key, user, address}; }
    [[nodiscard]] bool applies() const;
  };

  struct Caller {
    std::string_view key{};         // identifies who sent the API key, without being it; empty: nobody
    bool speaks_for_many = false;   // the key was verified, of a server whose address is not a client's: none is limited by it
  };

  // Charges a request of this route, to whom it is from; `parameters` are those of its query and its path, decoded.
  [[nodiscard]] Charge charge(const Request& request, RouteId route, const QueryPairs& parameters, const Caller& caller);

  // Units, by user.
  using UserCosts = std::map<std::string, double>;

  // Charges users, besides what charge() took of others. Where one of them asks for too much: the answer that says so, and none
  // is charged.
  [[nodiscard]] std::optional<Response> charge_users(const UserCosts& costs, std::string_view request_id);

  // What charge_users() took for what was then not done: others must not be able to use up a user's limit with wrong requests.
  void give_back(const UserCosts& costs);

  // The answer to a charge that was not granted.
  [[nodiscard]] Response refusal(const Charge& charge, std::string_view request_id) const;

  // Has the call's answer correct the charge, and tell of the limits; nothing where the charge was not granted.
  void finish(Call& call, Charge charge);

 private:
  [[nodiscard]] Work watched(Work work, Charge charge);
  void correct(const Charge& charge, Response& response);
  void tell(const RateStates& states, Response& response) const;

  RateLimiter limiter_;
  TrustedProxies proxies_;
  std::array<std::string, kRateScopeCount> policies_;  // each limit's item of RateLimit-Policy
  std::array<telemetry::Counter, kRateScopeCount> refused_;
};

}  // namespace scalestyle::http
