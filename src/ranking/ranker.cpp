#include "ranking/ranker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/hash.hpp"

namespace scalestyle::ranking {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian and read as it is");

constexpr std::string_view kMagic = "SSRANKER";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kMaxIdBytes = 64;

struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t features_version;
  char id[kMaxIdBytes];  // zeros behind it
  float weights[kSourceCount];
  double item_half_life_days;
  double difference;
  double low;
  double high;
};
static_assert(sizeof(Header) == 16 + kMaxIdBytes + 4 * kSourceCount + 32);

std::unexpected<core::Error> damaged(std::string message) {
  return core::fail(core::ErrorCode::kDataLoss, "the ranker is damaged, train it again: " + std::move(message));
}

std::string digest_of(std::string_view bytes) {
  const core::Sha256Digest digest = core::sha256(bytes);
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

core::Status check_numbers(const Ranker& ranker) {
  for (const float weight : ranker.weights) {
    if (!(weight >= 0) || !std::isfinite(weight)) return damaged("a weight of the blend is negative or not finite");
  }
  if (std::accumulate(ranker.weights.begin(), ranker.weights.end(), 0.0F) <= 0) return damaged("all weights of the blend are 0");
  if (!(ranker.item_half_life_days > 0) || !std::isfinite(ranker.item_half_life_days)) return damaged("the half-life is not above 0");
  const RankerVerdict& verdict = ranker.verdict;
  const bool is_interval = std::isfinite(verdict.difference) && std::isfinite(verdict.low) && std::isfinite(verdict.high) &&
                           verdict.low <= verdict.high;
  if (!is_interval) return damaged("the verdict is no interval");
  return {};
}

}  // namespace

core::Status check_ranker_id(std::string_view id) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  if (!id.empty() && id.size() <= kMaxIdBytes && id.front() != '.' && std::ranges::all_of(id, is_allowed)) return {};
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("\"{}\" names no ranker: 1 to {} letters, digits, '-', '_' or '.', the first no '.'", id, kMaxIdBytes),
                    "ranker");
}

std::vector<std::uint32_t> judged_candidates(const Candidates& candidates, const SourceScores& weights) {
  const std::vector<double> blended = blend(candidates.scores, weights);
  std::vector<std::uint32_t> order(candidates.rows.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(kMaxLearned, order.size()));
  std::ranges::partial_sort(order, end, [&](std::uint32_t a, std::uint32_t b) {
    return blended[a] != blended[b] ? blended[a] > blended[b] : candidates.rows[a] < candidates.rows[b];
  });
  order.erase(end, order.end());
  return order;
}

std::vector<double> Ranker::score(const Candidates& candidates, RankerContext context) const {
  if (context.items.empty()) return blend(candidates.scores, weights);
  context.item_half_life_days = item_half_life_days;
  const std::vector<float> features = ranker_features(candidates, context, weights);
  const std::vector<std::uint32_t> judged = judged_candidates(candidates, weights);
  std::vector<float> rows;
  rows.reserve(judged.size() * kRankerFeatureCount);
  for (const std::uint32_t i : judged) {
    const auto row = std::span(features).subspan(i * kRankerFeatureCount, kRankerFeatureCount);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  const std::vector<double> learned = rank_candidates(trees, rows);
  std::vector<double> scores = blend(candidates.scores, weights);
  for (double& score : scores) score = std::max(score / 2, std::numeric_limits<double>::min());
  for (std::size_t i = 0; i < judged.size(); ++i) scores[judged[i]] = 0.5 + learned[i] / 2;
  return scores;
}

std::string encode_ranker(const Ranker& ranker) {
  Header header{};
  std::memcpy(header.magic, kMagic.data(), sizeof header.magic);
  header.version = kFormatVersion;
  header.features_version = kRankerFeaturesVersion;
  std::memcpy(header.id, ranker.id.data(), std::min(ranker.id.size(), kMaxIdBytes));
  std::ranges::copy(ranker.weights, header.weights);
  header.item_half_life_days = ranker.item_half_life_days;
  header.difference = ranker.verdict.difference;
  header.low = ranker.verdict.low;
  header.high = ranker.verdict.high;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += ranker.trees.encode();
  return bytes + digest_of(bytes);
}

core::Result<Ranker> parse_ranker(std::string_view bytes) {
  Header header{};
  if (bytes.size() > kMaxRankerBytes) return damaged(fmt::format("{} bytes are more than {}", bytes.size(), kMaxRankerBytes));
  if (bytes.size() < sizeof header + kDigestBytes) return damaged("it is shorter than its header");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::string_view(header.magic, sizeof header.magic) != kMagic) return damaged("it does not begin with SSRANKER");
  if (header.version != kFormatVersion) {
    return core::fail(core::ErrorCode::kUnsupported, fmt::format("the ranker's format has version {}, this program reads version {}",
                                                                 header.version, kFormatVersion));
  }
  const std::string_view content = bytes.substr(0, bytes.size() - kDigestBytes);
  if (bytes.substr(content.size()) != digest_of(content)) return damaged("its checksum is wrong");
  if (header.features_version != kRankerFeaturesVersion) {
    return core::fail(core::ErrorCode::kUnsupported,
                      fmt::format("the ranker was trained with version {} of the features, this program has version {}: train it again",
                                  header.features_version, kRankerFeaturesVersion));
  }
  Ranker ranker;
  const std::string_view id(header.id, kMaxIdBytes);
  ranker.id = id.substr(0, id.find('\0'));
  if (const auto checked = check_ranker_id(ranker.id); !checked) return damaged(checked.error().message);
  std::ranges::copy(header.weights, ranker.weights.begin());
  ranker.item_half_life_days = header.item_half_life_days;
  ranker.verdict = {header.difference, header.low, header.high};
  CORE_CHECK(check_numbers(ranker));
  CORE_TRY(ranker.trees, TreeEnsemble::parse(content.substr(sizeof header)));
  if (ranker.trees.features() != kRankerFeatureCount) {
    return damaged(fmt::format("its trees are of {} features, not {}", ranker.trees.features(), kRankerFeatureCount));
  }
  return ranker;
}

}  // namespace scalestyle::ranking
