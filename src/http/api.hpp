#pragma once
// Api: the product's routes. Routing, validation and suggestions happen at once, on the I/O thread; lists, events, pictures
// and metrics are works that complete elsewhere.

#include <atomic>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "http/access_control.hpp"
#include "http/application.hpp"
#include "http/article_routes.hpp"
#include "http/audit_log.hpp"
#include "http/dependency_state.hpp"
#include "http/event_routes.hpp"
#include "http/http_metrics.hpp"
#include "http/parameters.hpp"
#include "http/rate_limits.hpp"
#include "http/reason_routes.hpp"
#include "http/route_table.hpp"
#include "http/search_configurations.hpp"
#include "http/visual_requests.hpp"
#include "search/search_service.hpp"
#include "search/snapshot_holder.hpp"
#include "search/suggest_service.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::http {

class Api final : public Application {
 public:
  struct Options {
    std::string version = "0";                         // of the product, for the API's description
    std::size_t max_image_bytes = 20 * 1024 * 1024;    // a larger picture is not served
    std::size_t max_query_image_bytes = 10 * 1024 * 1024;  // a larger picture is not searched for
    bool log_queries = false;                              // what was searched for is logged, as it was typed
  };
  struct Dependencies {
    search::SearchService& search;
    search::EventService& events;
    const search::SnapshotHolder& generations;
    core::WorkerPool& pool;
    const core::Clock& clock;
    telemetry::Metrics& metrics;
    telemetry::Logger& log;
    const search::SuggestService& suggest;
    search::LiveCatalog* live = nullptr;  // null: articles cannot be changed
    ports::ImageFetcher* fetcher = nullptr;  // null: no picture is fetched for a client
    search::ReasonService* reasons = nullptr;  // a language model's; null: templates only
    core::TimerQueue* timers = nullptr;        // not null with `reasons`
    RateLimits* limits = nullptr;              // null: nobody is limited
    DependencyStates dependencies{};           // what /ready tells of other engines; empty: nothing
    const AccessControl* access = nullptr;     // null: everybody may do everything
    AuditLog* audit = nullptr;                 // null: calls of admins and about users are not told
    const ConfigurationFile* configurations = nullptr;  // null: no search can name one
  };

  // Must outlive the server, and every work: destroy it after the pool's, the timers' and the event log's threads have
  // ended.
  Api(Dependencies dependencies, Options options);

  // Until this is called /ready answers 503: models and catalogue are being loaded. Afterwards it answers 200 as long as
  // searches can be answered at all, and tells which of the engines that lists can do without are down. Any thread.
  void mark_warm() { warm_.store(true); }

  [[nodiscard]] Call begin(Request request) override;
  [[nodiscard]] std::optional<std::size_t> body_limit(Method method, std::string_view target) override;
  [[nodiscard]] Response refuse(const ApiError& error, std::string_view request_id) override;
  void finished(const FinishedCall& call) override;
  void begin_drain() override { draining_.store(true); }

 private:
  [[nodiscard]] Call route(Request request);
  // api_access.cpp: what the caller of a request may do, else the refusal; the call is given its cookie and its audit.
  [[nodiscard]] std::expected<Caller, Response> let_in(const Request& request, const RouteMatch& match, Call& call) const;
  // What the named configuration says that `pairs` do not. kPermissionDenied: configurations are the admins'.
  [[nodiscard]] core::Status configure(const Caller& caller, const Route& route, QueryPairs& pairs, Call& call) const;
  void audit_admin(const Caller& caller, const Route& route, std::string_view user, Call& call) const;
  // The same once the parameters are known: explanations are the admins'.
  [[nodiscard]] core::Status check_admin_parameters(const Caller& caller, const Route& route, const Parameters& parameters, Call& call) const;
  // Of an explanation, or a configuration, that was asked for in a body, which is known only once it is read.
  void audit_explanation(const RoutedRequest& request, int status) const;
  void log_query(std::string_view query, std::string_view user, std::string_view request_id) const;
  [[nodiscard]] Call perform(Request request, const RouteMatch& match, std::string request_id, RateLimits::Charge& charge);
  [[nodiscard]] core::Result<Work> list(const RoutedRequest& request, core::Deadline& deadline);
  [[nodiscard]] Work visual(RoutedRequest request);
  [[nodiscard]] Work answer(core::Task<search::SearchOutcome> search, std::string request_id, std::string configuration = {});
  [[nodiscard]] Work why_not(search::WhyNotRequest wanted, std::string configuration);
  [[nodiscard]] core::Result<Response> not_answered(const search::SearchFailure& failure, const std::string& request_id,
                                                   const core::TaskContext* context) const;
  [[nodiscard]] Work image(std::string article_id, std::string if_none_match, core::Deadline deadline);
  [[nodiscard]] Work render_metrics(core::Deadline deadline);
  [[nodiscard]] core::Result<Response> article(const std::string& id, const Request& request, std::string_view request_id) const;
  [[nodiscard]] core::Result<Response> suggest(const RoutedRequest& request) const;
  [[nodiscard]] core::Result<Response> ready() const;

  Dependencies use_;
  Options options_;
  EventRoutes events_;
  ArticleRoutes articles_;
  ReasonRoutes reasons_;
  VisualRequests visual_;
  HttpMetrics http_metrics_;
  search::GenerationMetrics generation_metrics_;
  search::CacheMetrics cache_metrics_;
  std::shared_ptr<const std::string> openapi_;
  std::atomic<bool> warm_{false};
  std::atomic<bool> draining_{false};
};

}  // namespace scalestyle::http
