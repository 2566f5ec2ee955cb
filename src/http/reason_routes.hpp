#pragma once
// ReasonRoutes: POST /api/recommendation/reason, why one article is for one shopper: one sentence, from what is known or worded by
// a language model, as server-sent events (reason_stream.hpp) or, where the client accepts JSON alone, as one answer.
//
// Thread safety: perform() may be called from any thread. Must outlive every work and every stream.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/deadline.hpp"
#include "core/timer_queue.hpp"
#include "http/application.hpp"
#include "http/event_routes.hpp"
#include "http/json_body.hpp"
#include "search/reason_request.hpp"
#include "search/reason_service.hpp"
#include "search/search_service.hpp"

namespace scalestyle::http {

[[nodiscard]] const BodySpec& reason_body();

// Whether a client with this Accept header is sent events: not where it names JSON and no events.
[[nodiscard]] bool accepts_events(std::string_view accept);

class ReasonRoutes {
 public:
  struct Dependencies {
    search::SearchService& search;
    search::ReasonService* reasons = nullptr;  // null: templates only
    core::TimerQueue* timers = nullptr;        // not null with `reasons`
    const core::Clock& clock;
  };
  static constexpr std::chrono::milliseconds kMaxDeadline{60'000};
  static constexpr std::chrono::milliseconds kDefaultDeadline{30'000};

  explicit ReasonRoutes(Dependencies dependencies) : use_(dependencies) {}

  // The body says a nearer one.
  [[nodiscard]] static core::Deadline deadline(core::SteadyTime received) { return core::Deadline::at(received + kMaxDeadline); }

  [[nodiscard]] Work perform(RoutedRequest request, bool as_events);

 private:
  struct Wish {
    search::ReasonRequest request{};
    bool by_model = false;
    std::size_t max_tokens = 0;
    core::Deadline deadline = core::Deadline::never();  // of the whole
  };
  [[nodiscard]] core::Result<Wish> read(const RoutedRequest& request) const;
  [[nodiscard]] Work answer(RoutedRequest request, search::ArticleReason reason, Wish wish);
  [[nodiscard]] Response stream(const RoutedRequest& request, search::ArticleReason reason, const Wish& wish);

  Dependencies use_;
};

}  // namespace scalestyle::http
