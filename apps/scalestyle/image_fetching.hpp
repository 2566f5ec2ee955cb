#pragma once
// Fetching of the pictures that clients name by URL, and its thread.

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/embedded/image_fetcher_curl.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"

namespace scalestyle::app {

class ImageFetching {
 public:
  // Without a host in `image_url_hosts` there is no fetcher, and no thread. The clock must outlive it.
  [[nodiscard]] static core::Result<std::unique_ptr<ImageFetching>> create(const core::Settings& settings, const core::Clock& clock);

  [[nodiscard]] ports::ImageFetcher* fetcher() { return fetcher_.get(); }

  // Ends the thread; fetches in progress and later ones fail.
  void stop() { thread_ = {}; }

 private:
  ImageFetching() = default;

  std::unique_ptr<adapters::ImageFetcherCurl> fetcher_;
  std::jthread thread_;  // ends before the fetcher
};

// The most bytes that a picture to search for may have.
[[nodiscard]] std::size_t max_query_image_bytes(const core::Settings& settings);

// `names` and the settings of pictures to search for.
[[nodiscard]] std::vector<std::string> with_query_image_settings(std::vector<std::string> names);

}  // namespace scalestyle::app
