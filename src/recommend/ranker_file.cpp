#include "recommend/ranker_file.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/files.hpp"

namespace scalestyle::recommend {
namespace {

constexpr std::size_t kMaxCurrentBytes = 256;

std::filesystem::path rankers_folder(const std::filesystem::path& data) { return data / "rankers"; }
std::filesystem::path current_file(const std::filesystem::path& data) { return rankers_folder(data) / "CURRENT"; }

// Empty where no ranker was trained.
core::Result<std::string> read_current(const std::filesystem::path& data) {
  auto text = core::read_text_file(current_file(data), kMaxCurrentBytes);
  if (!text) {
    if (text.error().code == core::ErrorCode::kNotFound) return std::string();
    return text;
  }
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' ')) text->pop_back();
  if (const auto checked = ranking::check_ranker_id(*text); !checked) {
    return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: {}", current_file(data).string(), checked.error().message));
  }
  return text;
}

std::string interval_text(const ranking::RankerVerdict& verdict) {
  return fmt::format("{:+.5f} MAP@12, 95 % interval {:+.5f} … {:+.5f}", verdict.difference, verdict.low, verdict.high);
}

core::Result<RankerInForce> automatic(const std::filesystem::path& data, const std::string& id) {
  if (id.empty()) return RankerInForce{.ranker = {}, .id = {}, .why = "the blend: no ranker was trained"};
  CORE_TRY(auto ranker, read_ranker(data, id));
  if (!ranker.verdict.beats_blend()) {
    return RankerInForce{
        .ranker = {}, .id = id, .why = fmt::format("the blend: ranker {} does not beat it for certain ({})", id, interval_text(ranker.verdict))};
  }
  std::string why = fmt::format("ranker {}: it beats the blend ({})", id, interval_text(ranker.verdict));
  return RankerInForce{.ranker = std::make_shared<const ranking::Ranker>(std::move(ranker)), .id = id, .why = std::move(why)};
}

}  // namespace

core::Status write_ranker(const std::filesystem::path& data, const ranking::Ranker& ranker, std::string_view report_json) {
  CORE_CHECK(ranking::check_ranker_id(ranker.id));
  const std::filesystem::path folder = rankers_folder(data) / ranker.id;
  CORE_CHECK(core::make_folders(folder));
  CORE_CHECK(core::write_file_atomically(folder / "report.json", std::string(report_json) + "\n"));
  CORE_CHECK(core::write_file_atomically(folder / "model.bin", ranking::encode_ranker(ranker)));
  return core::write_file_atomically(current_file(data), ranker.id + "\n");
}

core::Result<ranking::Ranker> read_ranker(const std::filesystem::path& data, std::string_view id) {
  CORE_CHECK(ranking::check_ranker_id(id));
  const std::filesystem::path file = rankers_folder(data) / std::string(id) / "model.bin";
  CORE_TRY(const auto bytes, core::read_text_file(file, ranking::kMaxRankerBytes));
  auto ranker = ranking::parse_ranker(bytes);
  if (!ranker) {
    ranker.error().message = fmt::format("{}: {}", file.string(), ranker.error().message);
    return ranker;
  }
  if (ranker->id != id) {
    return core::fail(core::ErrorCode::kDataLoss, fmt::format("{}: it holds the ranker {}", file.string(), ranker->id));
  }
  return ranker;
}

core::Result<RankerInForce> choose_ranker(const std::filesystem::path& data, std::string_view choice) {
  if (choice == kRankerOff) return RankerInForce{.ranker = {}, .id = {}, .why = "the blend: ranker=off"};
  if (choice == kRankerAuto) {
    CORE_TRY(const std::string id, read_current(data));
    return automatic(data, id);
  }
  CORE_TRY(auto ranker, read_ranker(data, choice));
  std::string id(choice);
  std::string why = fmt::format("ranker {}, as the setting says ({} against the blend)", id, interval_text(ranker.verdict));
  return RankerInForce{
      .ranker = std::make_shared<const ranking::Ranker>(std::move(ranker)), .id = std::move(id), .why = std::move(why)};
}

core::Result<std::unique_ptr<RankerFile>> RankerFile::open(std::filesystem::path data, std::string choice) {
  std::unique_ptr<RankerFile> file(new RankerFile(std::move(data), std::move(choice)));  // NOLINT: the constructor is private
  if (file->choice_ == kRankerAuto) {
    file->put({.ranker = {}, .id = {}, .why = "the blend: no ranker was trained"});
    if (const auto followed = file->follow(); !followed) {
      file->put({.ranker = {}, .id = file->seen_, .why = "the blend: " + followed.error().message});
    }
    return file;
  }
  CORE_TRY(auto chosen, choose_ranker(file->data_, file->choice_));
  file->put(std::move(chosen));
  return file;
}

std::shared_ptr<const RankerInForce> RankerFile::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void RankerFile::put(RankerInForce next) {
  auto shared = std::make_shared<const RankerInForce>(std::move(next));
  const std::lock_guard lock(mutex_);
  current_.swap(shared);
}

core::Result<bool> RankerFile::follow() {
  if (choice_ != kRankerAuto) return false;
  CORE_TRY(std::string id, read_current(data_));
  if (id == seen_) return false;
  seen_ = std::move(id);
  CORE_TRY(auto next, automatic(data_, seen_));
  put(std::move(next));
  return true;
}

}  // namespace scalestyle::recommend
