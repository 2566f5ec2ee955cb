#include "http/visual_parameters.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "catalog/article_id.hpp"
#include "http/base64.hpp"
#include "http/image_file.hpp"
#include "http/list_parameters.hpp"

namespace scalestyle::http {

namespace {

using search::VisualMode;

constexpr double kMaxBase64Characters = 64.0 * 1024 * 1024;  // the limit on the body is below
constexpr double kMaxUrlCharacters = 2048;
constexpr double kMaxWeight = 1000;
constexpr double kEvenWeight = 0.5;
constexpr std::string_view kFile = "image";
constexpr std::string_view kAlias = "image";  // of image_to_image

constexpr std::array<std::string_view, 4> kModes{"image_to_image", "text_to_image", "multimodal", kAlias};

constexpr ParameterSpec kMode{
    .name = "mode",
    .kind = ParameterKind::kChoice,
    .description = "image_to_image (or image): photos like the picture. text_to_image: photos that the query describes. "
                   "multimodal: like the picture, moved towards the query: \"like this, but red\".",
    .required = true,
    .choices = kModes};
constexpr ParameterSpec kLessLike{.name = "less_like",
                                  .description = "Words that what is found should have less of.",
                                  .minimum = 1,
                                  .maximum = static_cast<double>(search::kMaxLessLikeCharacters)};
constexpr std::array kPictureParameters{
    ParameterSpec{.name = "image_base64",
                  .kind = ParameterKind::kBase64,
                  .description = "The picture, a JPEG, PNG or WebP file in Base64 (RFC 4648, padded, without line ends), or a data: URL "
                                 "of it. One picture: this, image_url, article_id, or the file of a form.",
                  .minimum = 4,
                  .maximum = kMaxBase64Characters},
    ParameterSpec{.name = "image_url",
                  .description = "Where the picture is: an https URL at a host that the server's setting image_url_hosts names. Fetching it "
                                 "takes from deadline_ms.",
                  .minimum = 1,
                  .maximum = kMaxUrlCharacters},
    ParameterSpec{.name = "article_id",
                  .description = "The article whose photo is the picture.",
                  .minimum = 1,
                  .maximum = static_cast<double>(catalog::ArticleId::kMaxBytes)},
    ParameterSpec{.name = "text_weight",
                  .kind = ParameterKind::kNumber,
                  .description = "How much the query counts beside image_weight: only their ratio matters. 0: not at all, and then it need "
                                 "not be there. 0.5 when absent.",
                  .maximum = kMaxWeight},
    ParameterSpec{.name = "image_weight",
                  .kind = ParameterKind::kNumber,
                  .description = "How much the picture counts. Not 0 together with text_weight. 0.5 when absent.",
                  .maximum = kMaxWeight}};

// What a search by words takes, but for its query, which need not be there, and for the legs where there is no choice of them.
std::vector<ParameterSpec> search_parameters_with(std::vector<ParameterSpec> own, bool with_legs) {
  own.insert(own.end(), kPictureParameters.begin(), kPictureParameters.end());
  for (ParameterSpec spec : search_parameters()) {
    if (spec.name == "legs" && !with_legs) continue;
    if (spec.name == "query") {
      spec.required = false;
      spec.description = "What the shopper is looking for, in words. Required, but where its weight is 0; image_to_image takes from it only "
                         "what it says that articles must be.";
    }
    if (spec.name == "legs") {
      spec.description = "What looks for articles by the query, separated by commas: lexical (its words), dense (its meaning). Not given: "
                         "both.";
    }
    own.push_back(spec);
  }
  return own;
}

core::Error fault(core::ErrorCode code, std::string message, std::string_view field) { return {code, std::move(message), std::string(field)}; }

std::unexpected<core::Error> refuse(std::string message, std::string_view field) {
  return std::unexpected(fault(core::ErrorCode::kInvalidArgument, std::move(message), field));
}

// What gave the picture; empty when nothing did.
core::Result<std::string_view> picture_field(const ParameterValues& values) {
  std::string_view field;
  const auto take = [&](std::string_view name) -> core::Status {
    if (!field.empty()) return refuse(fmt::format("there must be one picture, not both {} and {}", field, name), name);
    field = name;
    return {};
  };
  if (values.file) CORE_CHECK(take(kFile));
  for (const std::string_view name : {"image_base64", "image_url", "article_id"}) {
    if (values.parameters.text(name)) CORE_CHECK(take(name));
  }
  return field;
}

core::Result<std::string> decode(std::string text) {
  auto bytes = [&]() -> core::Result<std::string> {
    CORE_TRY(const std::string_view digits, without_data_url(text));
    return base64_decode(digits);
  }();
  if (!bytes) return refuse("image_base64 " + bytes.error().message, "image_base64");
  return bytes;
}

core::Status take_picture(ParameterValues& values, VisualWish& wish, std::size_t max_image_bytes) {
  search::VisualQuery& visual = *wish.request.visual;
  const auto keep = [&](std::string bytes) -> core::Status {
    CORE_CHECK(check_picture(bytes, wish.picture_field, max_image_bytes));
    visual.image = std::make_shared<const std::string>(std::move(bytes));
    return {};
  };
  if (wish.picture_field == kFile) return keep(std::move(*values.file));
  if (auto base64 = values.parameters.take_text("image_base64")) {
    CORE_TRY(std::string bytes, decode(std::move(*base64)));
    return keep(std::move(bytes));
  }
  if (auto url = values.parameters.take_text("image_url")) wish.image_url = std::move(*url);
  if (const auto id = values.parameters.text("article_id")) {
    auto parsed = catalog::ArticleId::parse(*id);
    if (!parsed) return refuse(parsed.error().message, "article_id");
    visual.article = std::move(*parsed);
  }
  return {};
}

core::Status take_weights(const Parameters& parameters, search::VisualQuery& visual) {
  const auto text = parameters.number("text_weight");
  const auto image = parameters.number("image_weight");
  const bool weighed = visual.mode == VisualMode::kMultimodal || visual.mode == VisualMode::kHybrid;
  if (!weighed && (text || image)) {
    return refuse(fmt::format("{} has nothing to weigh: {} is of multimodal and of the hybrid search", to_string(visual.mode),
                              text ? "text_weight" : "image_weight"),
                  text ? "text_weight" : "image_weight");
  }
  visual.text_weight = text.value_or(kEvenWeight);
  visual.image_weight = image.value_or(kEvenWeight);
  if (visual.text_weight == 0 && visual.image_weight == 0) return refuse("text_weight and image_weight must not both be 0", "text_weight");
  return {};
}

// Whether the mode has what it needs, and nothing that it has no use for.
core::Status check_sides(const VisualWish& wish) {
  const search::VisualQuery& visual = *wish.request.visual;
  const bool weighed = visual.mode == VisualMode::kMultimodal || visual.mode == VisualMode::kHybrid;
  const bool needs_picture = visual.mode == VisualMode::kImageToImage || (weighed && visual.image_weight > 0);
  const bool needs_query = visual.mode == VisualMode::kTextToImage || (weighed && visual.text_weight > 0);
  if (needs_picture && wish.picture_field.empty()) {
    return refuse(fmt::format("{} needs a picture: image_base64, image_url, article_id, or the file image of a form", to_string(visual.mode)), kFile);
  }
  if (needs_query && wish.request.query.empty()) return refuse(fmt::format("{} needs a query", to_string(visual.mode)), "query");
  if (visual.mode == VisualMode::kTextToImage && !wish.picture_field.empty()) {
    return refuse("text_to_image has no use for a picture; multimodal has", wish.picture_field);
  }
  return {};
}

core::Result<VisualWish> to_visual(ParameterValues values, VisualMode mode, core::SteadyTime started, std::size_t max_image_bytes) {
  VisualWish wish;
  CORE_TRY(wish.request, to_search_request(values.parameters, started));
  wish.configuration = values.parameters.text("config").value_or("");
  const bool has_others = wish.request.legs.lexical || wish.request.legs.dense;
  if (wish.request.legs.image && (wish.configuration.empty() || !has_others)) {
    return refuse("legs is of the query here: the picture has a side of its own", "legs");
  }
  wish.request.legs.image = false;  // of a configuration, which is for searches by words too
  wish.request.visual.emplace();
  wish.request.visual->mode = mode;
  wish.request.visual->less_like = values.parameters.text("less_like").value_or("");
  CORE_CHECK(take_weights(values.parameters, *wish.request.visual));
  CORE_TRY(wish.picture_field, picture_field(values));
  CORE_CHECK(check_sides(wish));
  CORE_CHECK(take_picture(values, wish, max_image_bytes));
  return wish;
}

}  // namespace

const ParameterBody& image_search_body() {
  static const std::vector<ParameterSpec> parameters = search_parameters_with({kMode, kLessLike}, false);
  static const ParameterBody body{.schema = "ImageSearchBody",
                                  .form_schema = "ImageSearchForm",
                                  .description = "A picture, words or both, and everything else that a search takes.",
                                  .example = R"({"mode":"multimodal","article_id":"0108775015","query":"in red","less_like":"stripes","k":5})",
                                  .file_part = kFile,
                                  .file_description = "The picture: a JPEG, PNG or WebP file.",
                                  .parameters = parameters};
  return body;
}

const ParameterBody& hybrid_search_body() {
  static const std::vector<ParameterSpec> parameters = search_parameters_with({}, true);
  static const ParameterBody body{
      .schema = "HybridSearchBody",
      .form_schema = "HybridSearchForm",
      .description = "A query and a picture, and everything else that a search takes.",
      .example = R"({"query":"light summer dress","article_id":"0108775015","text_weight":0.7,"image_weight":0.3,"colour":["Red","Pink"]})",
      .file_part = kFile,
      .file_description = "The picture: a JPEG, PNG or WebP file.",
      .parameters = parameters};
  return body;
}

core::Result<VisualWish> to_image_search(ParameterValues values, core::SteadyTime started, std::size_t max_image_bytes) {
  const std::string name = values.parameters.choice("mode");
  const VisualMode mode = search::visual_mode(name).value_or(VisualMode::kImageToImage);  // the alias
  return to_visual(std::move(values), mode, started, max_image_bytes);
}

core::Result<VisualWish> to_hybrid_search(ParameterValues values, core::SteadyTime started, std::size_t max_image_bytes) {
  return to_visual(std::move(values), VisualMode::kHybrid, started, max_image_bytes);
}

core::Status check_picture(std::string_view bytes, std::string_view field, std::size_t max_image_bytes) {
  if (bytes.size() > max_image_bytes) {
    return std::unexpected(fault(core::ErrorCode::kResourceExhausted,
                                 fmt::format("the picture in {} has {} bytes, more than {}", field, bytes.size(), max_image_bytes), field));
  }
  const std::string_view type = image_type(bytes);
  if (type == "image/jpeg" || type == "image/png" || type == "image/webp") return {};
  return std::unexpected(fault(core::ErrorCode::kUnsupported, fmt::format("{} is no JPEG, PNG or WebP file", field), field));
}

}  // namespace scalestyle::http
