#include "search/visual_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "search/request_words.hpp"

namespace scalestyle::search {

namespace {

core::Status wrong(std::string message, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

bool has_weights(VisualMode mode) { return mode == VisualMode::kMultimodal || mode == VisualMode::kHybrid; }

core::Status check_weights(const VisualQuery& visual) {
  const auto check = [](double weight, const char* field) -> core::Status {
    if (std::isfinite(weight) && weight >= 0) return {};
    return wrong(fmt::format("{} must be at least 0, not {}", field, weight), field);
  };
  CORE_CHECK(check(visual.text_weight, "text_weight"));
  CORE_CHECK(check(visual.image_weight, "image_weight"));
  if (has_weights(visual.mode) && visual.text_weight == 0 && visual.image_weight == 0) {
    return wrong("text_weight and image_weight must not both be 0", "text_weight");
  }
  return {};
}

core::Status check_less_like(const VisualQuery& visual) {
  if (visual.less_like.empty()) return {};
  if (visual.mode == VisualMode::kHybrid) return wrong("less_like does not go together with mode hybrid", "less_like");
  CORE_CHECK(check_text(visual.less_like, "less_like", kMaxLessLikeCharacters));
  if (is_blank(visual.less_like)) return wrong("less_like must not be blank", "less_like");
  return {};
}

core::Status check_picture(const VisualQuery& visual) {
  if (visual.image != nullptr && visual.article) {
    return wrong("image and article are both given: one picture is looked for", "article");
  }
  if (visual.image != nullptr && visual.image->empty()) return wrong("image must not be empty", "image");
  const bool has_picture = visual.image != nullptr || visual.article;
  const std::string_view mode = to_string(visual.mode);
  if (visual.mode == VisualMode::kTextToImage && has_picture) {
    return wrong(fmt::format("mode {} looks for the query alone: leave the picture out, or ask for multimodal or hybrid", mode),
                 visual.article ? "article" : "image");
  }
  const bool needs_picture = has_weights(visual.mode) ? visual.image_weight > 0 : visual.mode == VisualMode::kImageToImage;
  if (needs_picture && !has_picture) return wrong(fmt::format("mode {} needs a picture: image or article", mode), "image");
  return {};
}

// The greater one is made 1 first: no sum overflows.
void scale_to_sum_one(double& a, double& b) {
  const double greatest = std::max(a, b);
  a /= greatest;
  b /= greatest;
  const double sum = a + b;
  a /= sum;
  b /= sum;
}

void leave_out_picture(VisualQuery& visual) {
  visual.image.reset();
  visual.image_hash.clear();
  visual.article.reset();
}

void skip_sides(SearchRequest& request) {
  VisualQuery& visual = *request.visual;
  if (visual.text_weight == 0) {
    visual.mode = VisualMode::kImageToImage;
    request.query.clear();
  } else if (visual.image_weight == 0 && visual.mode == VisualMode::kHybrid) {
    request.visual.reset();
  } else if (visual.image_weight == 0) {
    visual.mode = VisualMode::kTextToImage;
    leave_out_picture(visual);
  }
}

}  // namespace

bool has_text_side(const SearchRequest& request) { return !request.visual || request.visual->mode == VisualMode::kHybrid; }

SidesOf sides_of(const SearchRequest& request) {
  if (!request.visual) return {};
  if (request.visual->mode != VisualMode::kHybrid) return {.text = false, .image = true};
  return {.text = request.visual->text_weight > 0, .image = request.visual->image_weight > 0};
}

core::Status validate_visual(const SearchRequest& request, bool is_query_blank) {
  const VisualQuery& visual = *request.visual;
  CORE_CHECK(check_weights(visual));
  CORE_CHECK(check_picture(visual));
  CORE_CHECK(check_less_like(visual));
  const bool needs_query = has_weights(visual.mode) ? visual.text_weight > 0 : visual.mode == VisualMode::kTextToImage;
  if (needs_query && is_query_blank) {
    return wrong(fmt::format("query must not be blank: mode {} looks for its words", to_string(visual.mode)), "query");
  }
  if (visual.mode == VisualMode::kHybrid && !request.legs.lexical && !request.legs.dense) {
    return wrong("legs must name lexical or dense: the picture is the other side of a hybrid search", "legs");
  }
  return {};
}

void simplify(SearchRequest& request) {
  if (!request.visual) return;
  if (is_blank(request.query)) request.query.clear();
  if (has_weights(request.visual->mode)) {
    scale_to_sum_one(request.visual->text_weight, request.visual->image_weight);
    skip_sides(request);
  }
  if (!request.visual) return;
  if (!has_weights(request.visual->mode)) {
    request.visual->text_weight = VisualQuery{}.text_weight;
    request.visual->image_weight = VisualQuery{}.image_weight;
  }
  if (!has_text_side(request)) request.legs = {.lexical = false, .dense = false};
  request.legs.image = false;  // photos are looked into anyway
}

}  // namespace scalestyle::search
