#pragma once
// ImageFetcher: a picture that a client only names by its URL, fetched from another server.
//
// The URL comes from outside, so an implementation may reach only what an operator allows: hosts of a list, at public
// addresses, the same after every redirect. Everything is bounded: size, time, redirects, fetches in progress.
// Thread safety: fetch() may be called from any thread.

#include <string>

#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scalestyle::ports {

class ImageFetcher {
 public:
  virtual ~ImageFetcher() = default;

  // The bytes that `url` leads to, whatever they are: not empty, at most the limit. Never blocks the caller; completes on
  // the I/O thread of the implementation.
  // Errors, all with field "image_url": kInvalidArgument (no URL), kPermissionDenied (scheme, host, port or address not
  // allowed, there or after a redirect), kNotFound (the other server does not give it: refused, broken or late connection,
  // a status other than 200, too many redirects), kResourceExhausted (larger than the limit). Without field: kUnavailable
  // (too many fetches in progress: try again), kDeadlineExceeded (of the request itself), kCancelled.
  [[nodiscard]] virtual core::Task<core::Result<std::string>> fetch(std::string url, core::Deadline deadline) = 0;
};

}  // namespace scalestyle::ports
