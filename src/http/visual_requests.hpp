#pragma once
// VisualRequests: reads the body of a search by picture and gets its picture.
//
// A small body is read at once on the calling thread, a large one on the compute pool; a picture that is elsewhere is fetched
// by the fetcher, which parks no worker.
// Thread safety: read() may be called from any thread. Must outlive every task.

#include <cstddef>
#include <expected>
#include <optional>

#include "core/task.hpp"
#include "core/worker_pool.hpp"
#include "http/api_error.hpp"
#include "http/event_routes.hpp"
#include "http/search_configurations.hpp"
#include "http/visual_parameters.hpp"
#include "ports/image_fetcher.hpp"

namespace scalestyle::http {

class VisualRequests {
 public:
  struct Dependencies {
    core::WorkerPool& pool;
    ports::ImageFetcher* fetcher = nullptr;  // null: image_url is refused
    bool has_vision = false;                 // false: nothing is fetched for a search that cannot be answered
    const ConfigurationFile* configurations = nullptr;  // null: there are none
  };
  using Outcome = std::expected<VisualWish, ApiError>;

  VisualRequests(Dependencies dependencies, std::size_t max_image_bytes) : use_(dependencies), max_image_bytes_(max_image_bytes) {}

  [[nodiscard]] static bool handles(RouteId id) { return id == RouteId::kSearchImage || id == RouteId::kSearchHybrid; }

  // A picture of the largest size in Base64, and all other fields.
  [[nodiscard]] std::size_t max_body_bytes() const;

  // Something about the headers of the body that we cannot read: as body_header_fault(), but a form is welcome.
  [[nodiscard]] static std::optional<ApiError> header_fault(const Request& request);

  // The route must be one that this handles(). An error is the client's answer: 400, 403 (what only admins may), 413 or 415 with the
  // field at fault; 503 when there is no room or no time.
  [[nodiscard]] core::Task<Outcome> read(RoutedRequest request) const;

  // Gets the picture that is elsewhere, if the wish has one; `wish` must outlive the task. An error is the client's answer, as those
  // of read(), or 403 (the URL's host).
  [[nodiscard]] core::Task<std::optional<ApiError>> fetch(VisualWish& wish) const;

 private:
  [[nodiscard]] core::Task<core::Result<VisualWish>> read_body(RoutedRequest request) const;
  [[nodiscard]] core::Task<core::Status> fetch_picture(VisualWish& wish) const;

  Dependencies use_;
  std::size_t max_image_bytes_;
};

}  // namespace scalestyle::http
