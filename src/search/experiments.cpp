#include "search/experiments.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <utility>

#include "core/hash.hpp"
#include "events/subject.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kMaxExperiments = 16;
constexpr std::size_t kMaxArms = 16;
constexpr std::size_t kMaxNameBytes = 64;

std::unexpected<core::Error> invalid(std::string message) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), "experiments");
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(trim(text.substr(begin, end - begin)));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

core::Status check_name(std::string_view name, std::string_view what) {
  if (is_name(name)) return {};
  return invalid(fmt::format("experiments: \"{}\" is no name of an {}: 1 to {} letters, digits, '_', '.' or '-'",
                             name.substr(0, kMaxNameBytes), what, kMaxNameBytes));
}

// A percentage of at most two decimals, in hundredths of a per cent: as many buckets.
std::optional<std::uint32_t> parse_share(std::string_view text) {
  std::uint32_t value = 0;
  std::size_t digits = 0;
  std::optional<std::size_t> decimals;
  for (const char c : text) {
    if (c == '.' && !decimals && digits > 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9' || value > kBuckets) return std::nullopt;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
    ++digits;
    if (decimals) ++*decimals;
  }
  const std::size_t given = decimals.value_or(0);
  if (digits == 0 || given > 2 || (decimals && given == 0)) return std::nullopt;
  for (std::size_t i = given; i < 2; ++i) value *= 10;
  if (value == 0 || value > kBuckets) return std::nullopt;
  return value;
}

// The buckets of each arm: as written, or equal parts where no share is written.
core::Result<std::vector<std::uint32_t>> shares_of(std::string_view name, const std::vector<std::string_view>& texts) {
  std::vector<std::uint32_t> shares;
  std::uint32_t total = 0;
  const auto count = static_cast<std::uint32_t>(texts.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    if (texts[i].empty() != texts.front().empty()) {
      return invalid(fmt::format("experiments: {}: write a share for every arm, or for none", name));
    }
    const auto share = texts[i].empty() ? kBuckets / count + (i < kBuckets % count ? 1 : 0) : parse_share(texts[i]);
    if (!share) {
      return invalid(fmt::format("experiments: {}: \"{}\" is no share: a percentage above 0, at most 100, of at most two decimals",
                                 name, texts[i].substr(0, kMaxNameBytes)));
    }
    shares.push_back(*share);
    total += *share;
  }
  if (total > kBuckets) return invalid(fmt::format("experiments: {}: the shares are together more than 100 %", name));
  return shares;
}

core::Status check_equal(std::string_view name, const std::vector<std::uint32_t>& shares) {
  const auto [least, most] = std::ranges::minmax(shares);
  const auto total = least * static_cast<std::uint32_t>(shares.size());
  if (most - least <= 1 && total + shares.size() >= kBuckets) return {};
  return invalid(fmt::format("experiments: {}: md5_mod has equal shares of all subjects; write none, or equal ones", name));
}

}  // namespace

std::uint32_t salted_bucket(std::string_view salt, std::string_view experiment, std::string_view subject_key) {
  core::Sha256 hash;
  hash.update(salt);
  hash.update("\n");
  hash.update(experiment);
  hash.update("\n");
  hash.update(subject_key);
  const core::Sha256Digest digest = hash.finish();
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(value); ++i) value = (value << 8U) | digest[i];
  return static_cast<std::uint32_t>(value % kBuckets);
}

std::uint32_t md5_bucket(std::string_view user_id, std::uint32_t modulus) {
  if (user_id.empty()) return 0;
  std::array<unsigned char, 16> digest{};
  unsigned int length = 0;
  if (EVP_Digest(user_id.data(), user_id.size(), digest.data(), &length, EVP_md5(), nullptr) != 1) throw std::bad_alloc();
  std::uint64_t remainder = 0;
  for (const unsigned char byte : digest) remainder = ((remainder << 8U) | byte) % modulus;
  return static_cast<std::uint32_t>(remainder);
}

core::Result<Experiments::Experiment> Experiments::parse_one(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return invalid(fmt::format("experiments: \"{}\" has no '='; write name=arm:share/arm:share", text.substr(0, kMaxNameBytes)));
  }
  Experiment experiment;
  experiment.name = trim(text.substr(0, equals));
  CORE_CHECK(check_name(experiment.name, "experiment"));

  std::string_view body = text.substr(equals + 1);
  if (const std::size_t at = body.find('@'); at != std::string_view::npos) {
    const std::string_view scheme = trim(body.substr(at + 1));
    if (scheme != "salted" && scheme != "md5_mod") {
      return invalid(fmt::format("experiments: {}: \"{}\" is no scheme; it is salted or md5_mod", experiment.name,
                                 scheme.substr(0, kMaxNameBytes)));
    }
    if (scheme == "md5_mod") experiment.scheme = BucketScheme::kMd5Mod;
    body = body.substr(0, at);
  }

  std::vector<std::string_view> share_texts;
  for (const std::string_view arm : split(body, '/')) {
    if (experiment.arms.size() == kMaxArms) {
      return invalid(fmt::format("experiments: {} has more than {} arms", experiment.name, kMaxArms));
    }
    const std::size_t colon = arm.find(':');
    const std::string_view name = trim(arm.substr(0, colon));
    CORE_CHECK(check_name(name, "arm"));
    if (std::ranges::find(experiment.arms, name, &Arm::name) != experiment.arms.end()) {
      return invalid(fmt::format("experiments: {} has the arm {} twice", experiment.name, name));
    }
    experiment.arms.push_back({std::string(name), 0});
    share_texts.push_back(colon == std::string_view::npos ? std::string_view() : trim(arm.substr(colon + 1)));
    if (colon != std::string_view::npos && share_texts.back().empty()) {
      return invalid(fmt::format("experiments: {}: the arm {} has ':' but no share", experiment.name, name));
    }
  }
  CORE_TRY(const auto shares, shares_of(experiment.name, share_texts));
  if (experiment.scheme == BucketScheme::kMd5Mod) CORE_CHECK(check_equal(experiment.name, shares));
  std::uint32_t end = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) experiment.arms[i].end_bucket = end += shares[i];
  return experiment;
}

core::Result<Experiments> Experiments::parse(std::string_view setting, std::string_view salt) {
  Experiments result;
  result.salt_ = salt;
  if (trim(setting).empty()) return result;
  for (const std::string_view text : split(setting, ',')) {
    if (result.experiments_.size() == kMaxExperiments) {
      return invalid(fmt::format("experiments: more than {} are given", kMaxExperiments));
    }
    CORE_TRY(Experiment experiment, parse_one(text));
    if (std::ranges::find(result.experiments_, experiment.name, &Experiment::name) != result.experiments_.end()) {
      return invalid(fmt::format("experiments: {} is there twice", experiment.name));
    }
    result.experiments_.push_back(std::move(experiment));
  }
  return result;
}

std::vector<events::ExperimentArm> Experiments::arms(const std::optional<core::UserId>& user,
                                                     const std::optional<core::SessionId>& session) const {
  std::vector<events::ExperimentArm> taken;
  std::string key;
  if (user) {
    key = events::Subject::user(*user).key();
  } else if (session) {
    key = events::Subject::session(*session).key();
  }
  for (const Experiment& experiment : experiments_) {
    if (experiment.scheme == BucketScheme::kMd5Mod) {
      const auto count = static_cast<std::uint32_t>(experiment.arms.size());
      const std::uint32_t bucket = md5_bucket(user ? std::string_view(user->value()) : std::string_view(), count);
      taken.push_back({experiment.name, experiment.arms[bucket].name});
      continue;
    }
    if (key.empty()) continue;
    const std::uint32_t bucket = salted_bucket(salt_, experiment.name, key);
    const auto arm = std::ranges::find_if(experiment.arms, [&](const Arm& one) { return bucket < one.end_bucket; });
    if (arm != experiment.arms.end()) taken.push_back({experiment.name, arm->name});
  }
  return taken;
}

}  // namespace scalestyle::search
