#pragma once
// The parameters of the searches by picture, and the requests that they ask for. What they share with the search by words
// comes from its own table, so that a filter is never known to one and not to the other.

#include <cstddef>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "http/parameter_body.hpp"
#include "search/answer.hpp"

namespace scalestyle::http {

[[nodiscard]] const ParameterBody& image_search_body();   // mode, and what is to be found
[[nodiscard]] const ParameterBody& hybrid_search_body();  // a query and a picture

// A search by picture, whose picture may have to be fetched first.
struct VisualWish {
  search::SearchRequest request{};    // with `visual`
  std::string image_url{};            // to be fetched; empty: nothing is
  std::string configuration{};        // that gave what the body did not; empty: none
  std::string_view picture_field{};   // what gave the picture: "image", "image_base64", "image_url", "article_id"; or empty
};

// Of values that were read by these descriptions. `started`: its deadline counts from there. The request id is left to the
// caller. kInvalidArgument, as to_search_request(), and for a picture or query that is missing, twice there or of no use
// with this mode; kUnsupported (neither JPEG, PNG nor WebP) and kResourceExhausted (more than `max_image_bytes`) of a
// picture, with what gave it as field.
[[nodiscard]] core::Result<VisualWish> to_image_search(ParameterValues values, core::SteadyTime started, std::size_t max_image_bytes);
[[nodiscard]] core::Result<VisualWish> to_hybrid_search(ParameterValues values, core::SteadyTime started, std::size_t max_image_bytes);

// The two last errors, of a picture's bytes.
[[nodiscard]] core::Status check_picture(std::string_view bytes, std::string_view field, std::size_t max_image_bytes);

}  // namespace scalestyle::http
