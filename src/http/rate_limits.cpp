#include "http/rate_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/hash.hpp"
#include "http/api_error.hpp"
#include "http/query_string.hpp"
#include "ranking/rerank_budget.hpp"
#include "search/answer.hpp"

namespace scalestyle::http {

namespace {

constexpr double kRounding = 1e-6;  // of what is left, which is told in whole units
constexpr std::size_t kMaxIdentityBytes = 512;  // longer ones are no user's id: the request is refused as wrong

const std::string* parameter(const QueryPairs& parameters, std::string_view name) {
  const auto found = std::ranges::find(parameters, name, &QueryPairs::value_type::first);
  return found == parameters.end() ? nullptr : &found->second;
}

bool is_identity(const std::string& user) { return !user.empty() && user.size() <= kMaxIdentityBytes; }

std::string user_of(const QueryPairs& parameters) {
  const std::string* user = parameter(parameters, "user_id");
  if (user == nullptr) user = parameter(parameters, "userId");
  return user != nullptr && is_identity(*user) ? *user : std::string();
}

// Behind what the list in this header has already.
void add_to_list(Response& response, std::string_view name, std::string items) {
  const auto there = std::ranges::find(response.headers, name, [](const auto& header) { return header.first; });
  if (there == response.headers.end()) {
    response.headers.emplace_back(name, std::move(items));
  } else {
    there->second += ", " + items;
  }
}

bool reranks(RouteId id) {
  return id == RouteId::kSearch || id == RouteId::kSearchImage || id == RouteId::kSearchHybrid || id == RouteId::kWhyNot;
}

// What may be judged for the request, by its parameter `rerank`.
std::size_t expected_judged(const QueryPairs& parameters) {
  const std::string* const wish = parameter(parameters, "rerank");
  if (wish == nullptr || *wish == "true") return kExpectedJudged;
  std::size_t depth = 0;
  std::from_chars(wish->data(), wish->data() + wish->size(), depth);
  return std::min(depth, ranking::kMaxRerankDepth);
}

int whole_seconds(double seconds) { return static_cast<int>(std::ceil(std::min(seconds, 1e9))); }

}  // namespace

double base_cost(RouteId id) {
  switch (id) {
    case RouteId::kSearch: return 1;
    case RouteId::kSearchImage:
    case RouteId::kSearchHybrid: return 5;
    case RouteId::kBrowse:
    case RouteId::kTrending: return 0.5;
    case RouteId::kForYou:
    case RouteId::kLook: return 2;
    case RouteId::kSimilar: return 1;
    case RouteId::kSuggest: return 0.1;
    case RouteId::kWhyNot: return 3;
    case RouteId::kReason: return 5;
    case RouteId::kClick:
    case RouteId::kEvents: return kEventCost;
    case RouteId::kExportUser: return 2;
    case RouteId::kForgetUser:
    case RouteId::kMergeSession: return 1;
    case RouteId::kPreferences:
    case RouteId::kUserFeatures:
    case RouteId::kConfigurations: return 0.1;
    case RouteId::kChangeArticles: return 5;
    case RouteId::kPutArticle:
    case RouteId::kPatchArticle:
    case RouteId::kDeleteArticle: return 0.5;
    case RouteId::kArticle:
    case RouteId::kImage:
    case RouteId::kOpenApi: return 0.1;
    case RouteId::kCacheStats:
    case RouteId::kLive:
    case RouteId::kReady:
    case RouteId::kMetrics: return 0;  // what watches the server must get through
  }
  return 1;
}

AnswerCost answer_cost(const search::SearchAnswer& answer) {
  const auto judged = [](const std::optional<search::RerankReport>& report) {
    return report ? report->scored - std::min(report->scored, report->cached_pairs) : 0;
  };
  using enum search::ListSource;
  const bool made = !answer.list_source || *answer.list_source == kMade;
  if (!made) return {.share = kKeptListShare};
  return {.more = kJudgedArticleCost * static_cast<double>(judged(answer.rerank) + judged(answer.first_rerank))};
}

bool RateLimits::Charge::applies() const { return std::ranges::any_of(decision.states, &RateState::applies); }

std::string sent_key_id(const Request& request) {
  constexpr std::string_view kScheme = "bearer ";
  std::string_view key = request.api_key;
  if (key.empty()) {
    const std::string_view sent = request.authorization;
    const auto same_letter = [](char wanted, char given) { return wanted == given || (given >= 'A' && given <= 'Z' && wanted == given + 32); };
    if (sent.size() <= kScheme.size() || !std::ranges::equal(kScheme, sent.substr(0, kScheme.size()), same_letter)) return {};
    key = sent.substr(std::min(sent.find_first_not_of(' ', kScheme.size()), sent.size()));
  }
  return key.empty() ? std::string() : core::sha256_hex(key);
}

RateLimits::RateLimits(const RateLimitOptions& options, TrustedProxies proxies, const core::Clock& clock, telemetry::Metrics& metrics)
    : limiter_(options, clock), proxies_(std::move(proxies)) {
  for (std::size_t at = 0; at < kRateScopeCount; ++at) {
    const auto scope = static_cast<RateScope>(at);
    policies_[at] = fmt::format("\"{}\";q={};w={}", to_string(scope), static_cast<std::int64_t>(options.burst(scope)),
                                whole_seconds(options.burst_seconds));
    refused_[at] = metrics.counter({"scalestyle_http_rate_limited_total", "Requests refused with 429, by the limit that refused.",
                                    {{"limit", std::string(to_string(scope))}}});
  }
}

RateLimits::Charge RateLimits::charge(const Request& request, RouteId route, const QueryPairs& parameters, const Caller& caller) {
  Charge charge;
  charge.route = route;
  const double base = base_cost(charge.route);
  if (base == 0) return charge;
  charge.key = caller.key;
  if (limiter_.options().rate(RateScope::kUser) > 0) charge.user = user_of(parameters);
  if (limiter_.options().rate(RateScope::kAddress) > 0 && !caller.speaks_for_many) {
    if (const auto client = proxies_.client(request.peer, request.forwarded_for)) charge.address = limited_address(*client);
  }
  charge.taken = base;
  if (reranks(charge.route)) charge.taken += kJudgedArticleCost * static_cast<double>(expected_judged(parameters));
  charge.decision = limiter_.take(charge.subject(), charge.taken);
  if (!charge.decision.allowed) refused_[static_cast<std::size_t>(charge.decision.refused_by)].add();
  return charge;
}

std::optional<Response> RateLimits::charge_users(const UserCosts& costs, std::string_view request_id) {
  if (!(limiter_.options().rate(RateScope::kUser) > 0)) return std::nullopt;
  for (auto one = costs.begin(); one != costs.end(); ++one) {
    if (!is_identity(one->first)) continue;
    Charge charge;
    charge.user = one->first;
    charge.decision = limiter_.take(charge.subject(), one->second);
    if (charge.decision.allowed) continue;
    give_back(UserCosts(costs.begin(), one));
    refused_[static_cast<std::size_t>(RateScope::kUser)].add();
    return refusal(charge, request_id);
  }
  return std::nullopt;
}

void RateLimits::give_back(const UserCosts& costs) {
  if (!(limiter_.options().rate(RateScope::kUser) > 0)) return;
  for (const auto& [user, units] : costs) {
    if (is_identity(user)) limiter_.settle({.key = {}, .user = user, .address = {}}, -units);
  }
}

Response RateLimits::refusal(const Charge& charge, std::string_view request_id) const {
  const RateScope scope = charge.decision.refused_by;
  const std::string_view whose = scope == RateScope::kKey ? "API key" : scope == RateScope::kUser ? "user" : "client address";
  const int wait = std::max(1, whole_seconds(charge.decision.wait_seconds));
  ApiError error = make_error("rate_limited", fmt::format("this {} asks for more than it may; try again after {} s", whose, wait));
  error.retry_after_seconds = wait;
  Response response = error_response(error, request_id);
  RateStates told = charge.decision.states;
  told[static_cast<std::size_t>(scope)].full_seconds = wait;  // the same point in time as Retry-After's
  tell(told, response);
  return response;
}

void RateLimits::finish(Call& call, Charge charge) {
  if (!charge.decision.allowed || !charge.applies()) return;
  if (auto* response = std::get_if<Response>(&call.work)) {
    correct(charge, *response);
    return;
  }
  call.work = watched(std::move(std::get<Work>(call.work)), std::move(charge));
}

Work RateLimits::watched(Work work, Charge charge) {
  core::Result<Response> result = co_await std::move(work);
  if (!result) {
    limiter_.settle(charge.subject(), base_cost(charge.route) - charge.taken);
    co_return result;
  }
  correct(charge, *result);
  co_return result;
}

void RateLimits::correct(const Charge& charge, Response& response) {
  const double cost = base_cost(charge.route) * response.cost.share + response.cost.more;
  tell(limiter_.settle(charge.subject(), cost - charge.taken), response);
}

void RateLimits::tell(const RateStates& states, Response& response) const {
  std::string policy;
  std::string state;
  for (std::size_t at = 0; at < kRateScopeCount; ++at) {
    const RateState& limit = states[at];
    if (!limit.applies) continue;
    const std::string_view comma = policy.empty() ? "" : ", ";
    policy += comma;
    policy += policies_[at];
    state += fmt::format("{}\"{}\";r={};t={}", comma, to_string(static_cast<RateScope>(at)),
                         static_cast<std::int64_t>(limit.left + kRounding), whole_seconds(limit.full_seconds));
  }
  if (policy.empty()) return;
  add_to_list(response, "RateLimit-Policy", std::move(policy));
  add_to_list(response, "RateLimit", std::move(state));
}

}  // namespace scalestyle::http
