#pragma once
// RankerFile: the learned ranker in force, followed while the server runs; and the files of rankers (docs/formats/ranker.md):
//   DATA/rankers/<id>/model.bin    the ranker
//   DATA/rankers/<id>/report.json  what its training found
//   DATA/rankers/CURRENT           the id of the one trained last
//
// Thread safety: current() from any thread; follow() by one at a time.

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "ranking/ranker.hpp"

namespace scalestyle::recommend {

inline constexpr std::string_view kRankerAuto = "auto";  // the one trained last, where its verdict is that it beats the blend
inline constexpr std::string_view kRankerOff = "off";    // the blend

// Writes the ranker's folder whole, then names it in CURRENT. The same ranker is written over itself. Errors: kInvalidArgument
// for its
// id; those of writing files.
[[nodiscard]] core::Status write_ranker(const std::filesystem::path& data, const ranking::Ranker& ranker, std::string_view report_json);

// Errors: kInvalidArgument for the id, kNotFound with the path, those of parse_ranker() with the path in front; kDataLoss
// where the
// folder holds a ranker of another id.
[[nodiscard]] core::Result<ranking::Ranker> read_ranker(const std::filesystem::path& data, std::string_view id);

struct RankerInForce {
  std::shared_ptr<const ranking::Ranker> ranker{};  // null: the blend ranks
  std::string id{};   // of the ranker that was chosen, in force or not; empty where there is none
  std::string why{};  // in a sentence: which is in force, and why no other
};

// What `choice` ("auto", "off" or an id) means for this folder now. Errors: those of read_ranker() and of reading CURRENT;
// with "auto"
// a folder without CURRENT is no error.
[[nodiscard]] core::Result<RankerInForce> choose_ranker(const std::filesystem::path& data, std::string_view choice);

class RankerFile {
 public:
  // Errors: those of choose_ranker() for a choice that names a ranker. With "auto" what cannot be read leaves the blend in
  // force, and
  // current().why says why.
  [[nodiscard]] static core::Result<std::unique_ptr<RankerFile>> open(std::filesystem::path data, std::string choice);
  RankerFile(const RankerFile&) = delete;
  RankerFile& operator=(const RankerFile&) = delete;

  // Never null; a request keeps it to its end.
  [[nodiscard]] std::shared_ptr<const RankerInForce> current() const;

  // With "auto": looks at CURRENT again, and reads the ranker that it names when that is another one. True when another is in
  // force
  // now. A ranker that cannot be read leaves the one before in force; the error is told once for each id.
  [[nodiscard]] core::Result<bool> follow();

 private:
  RankerFile(std::filesystem::path data, std::string choice) : data_(std::move(data)), choice_(std::move(choice)) {}
  void put(RankerInForce next);

  const std::filesystem::path data_;
  const std::string choice_;
  std::string seen_;  // of CURRENT when it was read last; empty where there was none
  mutable std::mutex mutex_;
  std::shared_ptr<const RankerInForce> current_;  // guarded by mutex_
};

}  // namespace scalestyle::recommend
