#include "mixed_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <utility>

#include "core/files.hpp"

namespace scalestyle::load {
namespace {

constexpr std::size_t kMaxPictureBytes = std::size_t{16} << 20U;
constexpr std::string_view kJpegStart = "\xff\xd8";
constexpr std::string_view kPngStart = "\x89PNG\r\n\x1a\n";
constexpr std::size_t kPngHeaderEnd = 33;  // signature and IHDR, which is the first chunk
constexpr std::string_view kBoundary = "------scalestyle-load-7d1f0a3c";

// The digits behind `name` in `text`; nothing where it is not there.
std::optional<std::uint64_t> number_after(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data() + at + name.size(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

void add_field(std::string& body, std::string_view name, std::string_view value) {
  body += fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n", kBoundary, name, value);
}

bool is_jpeg(std::string_view file) { return file.starts_with(kJpegStart); }
bool is_png(std::string_view file) { return file.starts_with(kPngStart) && file.size() > kPngHeaderEnd; }

void add_big_endian(std::string& bytes, std::uint32_t number) {
  for (unsigned shift = 32; shift > 0; shift -= 8) bytes += static_cast<char>(number >> (shift - 8) & 0xffU);
}

// PNG, annex D: the CRC-32 of zip files. A bit at a time: a comment is short.
std::uint32_t png_crc(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1U ^ 0xedb88320U : crc >> 1U;
  }
  return ~crc;
}

core::Error missing(std::string what, const char* field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(what), field).error();
}

ClickOptions click_options(const MixOptions& options) {
  ClickOptions clicks{.host = options.host, .items = options.items, .seed = options.seed};
  if (clicks.items.empty()) clicks.items = {"none"};  // clicks have no share
  return clicks;
}

}  // namespace

core::Result<MixShares> parse_mix(std::string_view text) {
  const auto wrong = [text](std::string_view what) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("\"{}\": {}; such as text=70,image=15,hybrid=10,click=5", text, what), "mix");
  };
  MixShares shares{};
  double sum = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    const auto* const name = std::ranges::find(kMixNames, part.substr(0, equals));
    if (name == kMixNames.end()) return wrong(fmt::format("\"{}\" is not text, image, hybrid or click", part.substr(0, equals)));
    double share = -1;
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), share);
    if (error != std::errc{} || end != value.data() + value.size() || !(share >= 0 && share <= 1e6)) {
      return wrong(fmt::format("\"{}\" is no share", value));
    }
    shares[static_cast<std::size_t>(name - kMixNames.begin())] = share;
    sum += share;
  }
  if (sum <= 0) return wrong("nothing has a share");
  return shares;
}

core::Result<std::vector<std::string>> read_pictures(const std::string& folder, std::size_t most) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string extension = entry->path().extension().string();
    if (extension == ".jpg" || extension == ".jpeg" || extension == ".png") paths.push_back(entry->path());
  }
  if (error) return core::fail(core::ErrorCode::kNotFound, fmt::format("{}: {}", folder, error.message()));
  if (paths.empty()) return core::fail(core::ErrorCode::kNotFound, folder + ": has no .jpg or .png file");
  std::ranges::sort(paths);
  paths.resize(std::min(paths.size(), most));
  std::vector<std::string> pictures;
  for (const auto& path : paths) {
    CORE_TRY(pictures.emplace_back(), core::read_text_file(path.string(), kMaxPictureBytes));
    if (!is_jpeg(pictures.back()) && !is_png(pictures.back())) {
      return core::fail(core::ErrorCode::kInvalidArgument, path.string() + ": is neither a JPEG nor a PNG file");
    }
  }
  return pictures;
}

std::string with_comment(std::string_view file, std::string_view comment) {
  if (is_png(file)) {
    // PNG (ISO/IEC 15948) 5.3: length, type, data, CRC of type and data; 11.3.4.3: keyword, a zero byte, text.
    std::string chunk = "tEXtComment";
    chunk += '\0';
    chunk += comment;
    std::string with(file.substr(0, kPngHeaderEnd));
    add_big_endian(with, static_cast<std::uint32_t>(chunk.size() - 4));
    with += chunk;
    add_big_endian(with, png_crc(chunk));
    with += file.substr(kPngHeaderEnd);
    return with;
  }
  // ISO/IEC 10918-1, B.2.4.5: the length counts its own two bytes.
  const std::size_t length = comment.size() + 2;
  std::string with(file.substr(0, kJpegStart.size()));
  with += "\xff\xfe";
  with += static_cast<char>(length >> 8U & 0xffU);
  with += static_cast<char>(length & 0xffU);
  with += comment;
  with += file.substr(kJpegStart.size());
  return with;
}

core::Result<MixedExchange> MixedExchange::create(MixOptions options, QuerySource queries) {
  const auto share = [&options](MixKind kind) { return options.shares[static_cast<std::size_t>(kind)]; };
  if (share(MixKind::kImage) + share(MixKind::kHybrid) > 0 && options.pictures.empty()) {
    return std::unexpected(missing("searches by picture need --images FOLDER", "images"));
  }
  if (share(MixKind::kClick) > 0 && options.items.empty()) return std::unexpected(missing("clicks need articles", "items"));
  std::optional<ZipfDraw> draw;
  if (options.distinct_pictures > 0) {
    CORE_TRY(draw, ZipfDraw::create(options.distinct_pictures, options.exponent, options.seed));
  }
  return MixedExchange(std::move(options), std::move(queries), std::move(draw));
}

MixedExchange::MixedExchange(MixOptions options, QuerySource queries, std::optional<ZipfDraw> picture_draw)
    : options_(std::move(options)),
      queries_(std::move(queries)),
      clicks_(click_options(options_)),
      picture_draw_(std::move(picture_draw)),
      random_(options_.seed) {}

MixKind MixedExchange::next_kind() {
  double all = 0;
  for (const double share : options_.shares) all += share;
  double left = static_cast<double>(random_() >> 11U) * 0x1p-53 * all;
  std::size_t last = 0;
  for (std::size_t kind = 0; kind < kMixKinds; ++kind) {
    if (options_.shares[kind] <= 0) continue;
    if (left < options_.shares[kind]) return static_cast<MixKind>(kind);
    left -= options_.shares[kind];
    last = kind;
  }
  return static_cast<MixKind>(last);
}

std::optional<std::string> MixedExchange::next_request() {
  kind_ = next_kind();
  switch (kind_) {
    case MixKind::kText:
      return text_request();
    case MixKind::kImage:
      return picture_request(false);
    case MixKind::kHybrid:
      return picture_request(true);
    case MixKind::kClick:
      return clicks_.next_request();
  }
  return std::nullopt;
}

std::optional<std::string> MixedExchange::text_request() {
  const std::optional<std::string> query = queries_.next();
  if (!query) return std::nullopt;
  std::string path = options_.path_template;
  if (const std::size_t place = path.find("{query}"); place != std::string::npos) path.replace(place, 7, percent_encoded(*query));
  if (options_.rerank > 0) path += fmt::format("&rerank={}", options_.rerank);
  return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\n\r\n", path, options_.host);
}

std::string MixedExchange::next_picture() {
  const std::uint64_t number = picture_draw_ ? picture_draw_->next() : pictures_made_++;
  const std::string& file = options_.pictures[number % options_.pictures.size()];
  return with_comment(file, fmt::format("seed {} number {}", options_.seed, number));
}

std::optional<std::string> MixedExchange::picture_request(bool with_words) {
  std::string body;
  if (with_words) {
    const std::optional<std::string> query = queries_.next();
    if (!query) return std::nullopt;
    add_field(body, "query", *query);
  } else {
    add_field(body, "mode", "image_to_image");
  }
  add_field(body, "k", std::to_string(options_.k));
  if (with_words && options_.rerank > 0) add_field(body, "rerank", std::to_string(options_.rerank));
  const std::string picture = next_picture();
  body += fmt::format("--{}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"photo\"\r\nContent-Type: {}\r\n\r\n",
                      kBoundary, is_png(picture) ? "image/png" : "image/jpeg");
  body += picture;
  body += fmt::format("\r\n--{}--\r\n", kBoundary);
  return fmt::format("POST /api/recommendation/search/{} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nContent-Type: "
                     "multipart/form-data; boundary={}\r\nContent-Length: {}\r\n\r\n{}",
                     with_words ? "hybrid" : "image", options_.host, kBoundary, body.size(), body);
}

Exchange::Verdict MixedExchange::judge(const HttpAnswer& answer, std::size_t kind) {
  const bool is_refusal = answer.status == 429 || answer.status == 503;
  if (is_refusal && answer.has_retry_after) return {.is_refused = true};
  if (static_cast<MixKind>(kind) == MixKind::kClick) return clicks_.judge(answer, kind);
  if (answer.status != 200) return {.error = fmt::format("HTTP {}", answer.status)};
  const AnswerCheck check = check_answer(answer.body);
  if (!check.is_success) return {.error = "status is not success"};
  if (!check.has_data) return {.error = "empty data"};
  Verdict verdict{.is_degraded = check.is_degraded};
  if (check.is_degraded) verdict.reasons = degradation_reasons(answer.body);
  if (const auto rerank = rerank_counts(answer.body)) {
    verdict.reranked = rerank->scored;
    verdict.is_fully_reranked = rerank->scored > 0 && rerank->scored >= rerank->planned;
  }
  return verdict;
}

std::optional<RerankCounts> rerank_counts(std::string_view body) {
  const std::size_t at = body.find(R"("rerank":{)");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view record = body.substr(at, body.substr(at).find('}'));
  const auto scored = number_after(record, R"("scored":)");
  const auto planned = number_after(record, R"("planned":)");
  if (!scored || !planned) return std::nullopt;
  return RerankCounts{*scored, *planned};
}

std::vector<std::string> degradation_reasons(std::string_view body) {
  constexpr std::string_view kName = R"("degradations":[)";
  std::vector<std::string> reasons;
  const std::size_t at = body.find(kName);
  if (at == std::string_view::npos) return reasons;
  std::string_view list = body.substr(at + kName.size());
  list = list.substr(0, list.find(']'));
  while (true) {
    const std::size_t begin = list.find('"');
    const std::size_t end = begin == std::string_view::npos ? begin : list.find('"', begin + 1);
    if (end == std::string_view::npos) return reasons;
    reasons.emplace_back(list.substr(begin + 1, end - begin - 1));
    list.remove_prefix(end + 1);
  }
}

}  // namespace scalestyle::load
