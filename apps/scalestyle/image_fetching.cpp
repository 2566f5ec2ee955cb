#include "image_fetching.hpp"

#include <array>
#include <chrono>
#include <stop_token>
#include <utility>

namespace scalestyle::app {

core::Result<std::unique_ptr<ImageFetching>> ImageFetching::create(const core::Settings& settings, const core::Clock& clock) {
  std::unique_ptr<ImageFetching> made(new ImageFetching);
  adapters::ImageFetcherCurl::Options options;
  CORE_TRY(options.hosts, adapters::AllowedHosts::parse(settings.text("image_url_hosts")));
  if (options.hosts.empty()) return made;
  options.timeout = std::chrono::milliseconds(settings.integer("image_url_timeout_ms"));
  options.max_bytes = max_query_image_bytes(settings);
  CORE_TRY(made->fetcher_, adapters::ImageFetcherCurl::create(std::move(options), clock));
  made->thread_ = std::jthread([fetcher = made->fetcher_.get()](const std::stop_token& stop) { fetcher->run(stop); });
  return made;
}

std::size_t max_query_image_bytes(const core::Settings& settings) {
  return static_cast<std::size_t>(settings.integer("image_max_mb")) * 1024 * 1024;
}

std::vector<std::string> with_query_image_settings(std::vector<std::string> names) {
  constexpr std::array kNames{"image_url_hosts", "image_url_timeout_ms", "image_max_mb"};
  names.insert(names.end(), kNames.begin(), kNames.end());
  return names;
}

}  // namespace scalestyle::app
