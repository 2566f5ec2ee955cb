#pragma once
// Experiments: which arm of each running experiment a subject is in. Deterministic: the same subject has the same arm
// on every machine and after every restart, without anything being stored.
//
// Schemes:
//  * salted (default): bucket = first 8 bytes of SHA-256(salt "\n" name "\n" subject key), big-endian, modulo 10,000.
//    Experiments are independent of each other. Arms take buckets in the order written; buckets that no arm takes are
//    not in the experiment. Sessions have buckets too; without a subject there is no arm.
//  * md5_mod: bucket = MD5(user id in UTF-8) as a big-endian 128-bit integer modulo the number of arms, which have
//    equal shares; no salt, no name; without a user bucket 0. Kept for those who move over with buckets in use.
//
// Immutable: safe to share between threads.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "events/impression.hpp"

namespace scalestyle::search {

enum class BucketScheme : std::uint8_t { kSalted, kMd5Mod };

inline constexpr std::uint32_t kBuckets = 10'000;

// 0 … kBuckets−1.
[[nodiscard]] std::uint32_t salted_bucket(std::string_view salt, std::string_view experiment, std::string_view subject_key);

// 0 … modulus−1; modulus ≥ 1. The empty id gives 0.
[[nodiscard]] std::uint32_t md5_bucket(std::string_view user_id, std::uint32_t modulus);

class Experiments {
 public:
  // None running.
  Experiments() = default;

  // "name=arm:share/arm:share,name=…" with an optional "@md5_mod" or "@salted" behind the arms. Shares are percentages
  // of at most two decimals, above 0, together at most 100; written for no arm, they are equal. Names are 1–64 of
  // [A-Za-z0-9_.-], unique; at most 16 experiments of at most 16 arms. Blanks around the parts do not count.
  // kInvalidArgument, field "experiments".
  [[nodiscard]] static core::Result<Experiments> parse(std::string_view setting, std::string_view salt);

  // In the order of the setting; an experiment that the subject is not in is left out. The user decides, else the session.
  [[nodiscard]] std::vector<events::ExperimentArm> arms(const std::optional<core::UserId>& user,
                                                        const std::optional<core::SessionId>& session) const;

  [[nodiscard]] bool empty() const { return experiments_.empty(); }

 private:
  struct Arm {
    std::string name;
    std::uint32_t end_bucket = 0;  // its buckets end before this one and begin where the last arm's end
  };
  struct Experiment {
    std::string name;
    BucketScheme scheme = BucketScheme::kSalted;
    std::vector<Arm> arms;
  };
  [[nodiscard]] static core::Result<Experiment> parse_one(std::string_view text);

  std::vector<Experiment> experiments_;
  std::string salt_;
};

}  // namespace scalestyle::search
