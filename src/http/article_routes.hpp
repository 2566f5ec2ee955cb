#pragma once
// ArticleRoutes: the routes that change articles, as works. All have effects: such a work should not be cancelled
// (Call::has_effects), and every 5xx that it gives tells whether anything was kept.
//
// A small body is read at once on the calling thread, a large one on the compute pool. Answers are written where the work
// ends, which may be the live catalogue's thread.
// Thread safety: perform() may be called from any thread. Must outlive every work.

#include "core/clock.hpp"
#include "core/worker_pool.hpp"
#include "http/application.hpp"
#include "http/event_routes.hpp"
#include "search/live_catalog.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::http {

class ArticleRoutes {
 public:
  struct Dependencies {
    search::LiveCatalog* live = nullptr;  // null: articles cannot be changed, which every answer says
    core::WorkerPool& pool;
    const core::Clock& clock;
    telemetry::Logger& log;
  };

  explicit ArticleRoutes(Dependencies dependencies) : use_(dependencies) {}

  [[nodiscard]] static bool handles(RouteId id) { return id >= RouteId::kChangeArticles && id <= RouteId::kDeleteArticle; }

  [[nodiscard]] core::Deadline deadline(core::SteadyTime received) const {
    const auto allowed = use_.live != nullptr ? use_.live->options().deadline : search::LiveCatalogOptions().deadline;
    return core::Deadline::at(received + allowed);
  }

  // The route must be one that this handles().
  [[nodiscard]] Work perform(RoutedRequest request);

 private:
  [[nodiscard]] core::Task<core::Result<std::vector<catalog::ArticleChange>>> read(const RoutedRequest& request);
  [[nodiscard]] Response refuse(const RoutedRequest& request, const search::ChangeFailure& failure) const;

  Dependencies use_;
};

}  // namespace scalestyle::http
