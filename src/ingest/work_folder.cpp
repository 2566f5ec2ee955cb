#include "ingest/work_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "core/files.hpp"

namespace scalestyle::ingest {

namespace json = boost::json;

namespace {

constexpr std::uint64_t kRecordVersion = 1;
constexpr std::size_t kMaxRecordBytes = std::size_t{256} << 20;  // a rejected item takes some hundred bytes

std::uint32_t crc32_of(std::uint32_t before, std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

struct Record {
  std::string fingerprint, model, weights, precision, text_format, generation;
  std::uint64_t dimension = 0, texts = 0, texts_done = 0, crc32 = 0;
  std::vector<RejectedItem> rejected{};
};

// Nothing when the value is no such list, in ascending order, of items below `end`.
std::optional<std::vector<RejectedItem>> parse_rejected(const json::value& value, std::uint64_t end) {
  if (!value.is_array()) return std::nullopt;
  std::vector<RejectedItem> rejected;
  for (const json::value& entry : value.get_array()) {
    if (!entry.is_array() || entry.get_array().size() != 2) return std::nullopt;
    const json::value& item = entry.get_array()[0];
    const json::value& cause = entry.get_array()[1];
    if (!item.is_int64() || item.get_int64() < 0 || !cause.is_string()) return std::nullopt;
    const auto place = static_cast<std::uint64_t>(item.get_int64());
    if (place >= end || (!rejected.empty() && place <= rejected.back().item)) return std::nullopt;
    rejected.push_back({place, std::string(cause.get_string())});
  }
  return rejected;
}

// Whether exactly the rejected items have a vector of zeros.
bool zeros_are(std::span<const RejectedItem> rejected, std::span<const std::byte> vectors, std::size_t dimension) {
  const std::size_t vector_bytes = dimension * sizeof(float);
  std::size_t next = 0;
  for (std::size_t item = 0; item * vector_bytes < vectors.size(); ++item) {
    const auto bytes = vectors.subspan(item * vector_bytes, vector_bytes);
    const bool is_zero = std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
    const bool is_rejected = next < rejected.size() && rejected[next].item == item;
    if (is_zero != is_rejected) return false;
    if (is_rejected) ++next;
  }
  return next == rejected.size();
}

// Empty when the text is no such record.
std::optional<Record> parse_record(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) return std::nullopt;
  bool good = true;
  const auto string = [&](std::string_view name) {
    const json::value* found = value.get_object().if_contains(name);
    if (found != nullptr && found->is_string()) return std::string(found->get_string());
    good = false;
    return std::string();
  };
  const auto number = [&](std::string_view name) -> std::uint64_t {
    const json::value* found = value.get_object().if_contains(name);
    if (found != nullptr && found->is_int64() && found->get_int64() >= 0) return static_cast<std::uint64_t>(found->get_int64());
    good = false;
    return 0;
  };
  Record record{.fingerprint = string("fingerprint"), .model = string("model"), .weights = string("weights_sha256"),
                .precision = string("precision"), .text_format = string("text_format"), .generation = string("generation"),
                .dimension = number("dimension"), .texts = number("texts"), .texts_done = number("texts_done"),
                .crc32 = number("crc32")};
  if (const json::value* found = value.get_object().if_contains("rejected")) {
    auto rejected = parse_rejected(*found, record.texts_done);
    if (!rejected) return std::nullopt;
    record.rejected = std::move(*rejected);
  }
  if (number("version") != kRecordVersion || !good) return std::nullopt;
  return record;
}

core::Status check_identity(const Record& record, const WorkIdentity& identity, const std::filesystem::path& path) {
  const ports::EncoderInfo& encoder = identity.encoder;
  std::string found;
  const auto compare = [&found](std::string_view what, const auto& now, const auto& then) {
    if (now != then) found += fmt::format("{}{} {} instead of {}", found.empty() ? "" : ", ", what, now, then);
  };
  compare("model", encoder.model, record.model);
  compare("weights", encoder.weights_hash, record.weights);
  compare("precision", encoder.precision, record.precision);
  compare("dimension", encoder.dimension, record.dimension);
  compare("format", identity.format, record.text_format);
  compare("items", identity.items, record.texts);
  compare("fingerprint", identity.fingerprint, record.fingerprint);
  if (found.empty()) return {};
  return core::fail(core::ErrorCode::kFailedPrecondition,
                    fmt::format("the work in {} cannot be continued: this run has {}; delete the folder to begin anew",
                                path.string(), found));
}

}  // namespace

std::filesystem::path WorkFolder::path_for(const std::filesystem::path& generations, const std::string& fingerprint) {
  return generations / (".building-" + fingerprint.substr(0, 32));
}

WorkFolder::WorkFolder(std::filesystem::path path, WorkIdentity identity, BeforeStep before_step)
    : path_(std::move(path)), identity_(std::move(identity)), before_step_(std::move(before_step)) {}

WorkFolder::WorkFolder(WorkFolder&& other) noexcept
    : path_(std::move(other.path_)),
      identity_(std::move(other.identity_)),
      before_step_(std::move(other.before_step_)),
      generation_(std::move(other.generation_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      items_done_(other.items_done_),
      rejected_(std::move(other.rejected_)),
      crc32_(other.crc32_),
      was_damaged_(other.was_damaged_) {}

WorkFolder::~WorkFolder() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

core::Result<WorkFolder> WorkFolder::open(const std::filesystem::path& generations, const WorkIdentity& identity,
                                          const core::GenerationId& new_generation, BeforeStep before_step) {
  WorkFolder work(path_for(generations, identity.fingerprint), identity, std::move(before_step));
  work.before_step_("create the work folder");
  CORE_CHECK(core::make_folders(work.path_));
  CORE_TRY(const bool resumed, work.resume());
  if (!resumed) CORE_CHECK(work.begin(new_generation));
  return work;
}

core::Status WorkFolder::open_vectors(bool fresh) {
  descriptor_ = ::open(vectors_path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | (fresh ? O_TRUNC : 0), 0644);
  if (descriptor_ < 0) return std::unexpected(core::system_error("open", vectors_path(), errno));
  return {};
}

core::Status WorkFolder::begin(const core::GenerationId& generation) {
  generation_ = generation;
  items_done_ = 0;
  rejected_.clear();
  crc32_ = crc32_of(0, {});
  CORE_CHECK(open_vectors(true));
  CORE_CHECK(core::sync_folder(path_));
  CORE_CHECK(core::sync_folder(path_.parent_path()));
  return checkpoint();
}

core::Result<bool> WorkFolder::resume() {
  auto text = core::read_text_file(path_ / "progress.json", kMaxRecordBytes);
  if (!text && text.error().code == core::ErrorCode::kNotFound) return false;
  if (!text && text.error().code != core::ErrorCode::kResourceExhausted) return std::unexpected(std::move(text).error());
  auto record = text ? parse_record(*text) : std::nullopt;
  was_damaged_ = true;
  if (!record) return false;
  CORE_CHECK(check_identity(*record, identity_, path_));
  const std::uint64_t bytes = record->texts_done * record->dimension * sizeof(float);
  {
    const auto vectors = core::MappedFile::open(vectors_path());
    if (!vectors || vectors->bytes().size() < bytes || record->texts_done > record->texts) return false;
    crc32_ = crc32_of(crc32_of(0, {}), vectors->bytes().first(bytes));
    if (crc32_ != record->crc32) return false;
    if (!zeros_are(record->rejected, vectors->bytes().first(bytes), record->dimension)) return false;
  }
  CORE_CHECK(open_vectors(false));
  if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) {
    return std::unexpected(core::system_error("cut", vectors_path(), errno));
  }
  generation_ = core::GenerationId(record->generation);
  items_done_ = record->texts_done;
  rejected_ = std::move(record->rejected);
  was_damaged_ = false;
  return true;
}

core::Status WorkFolder::append(std::span<const float> vectors, std::span<const RejectedItem> rejected) {
  before_step_("append vectors");
  std::span<const std::byte> left = std::as_bytes(vectors);
  auto offset = static_cast<off_t>(items_done_ * identity_.encoder.dimension * sizeof(float));
  while (!left.empty()) {
    const ssize_t written = ::pwrite(descriptor_, left.data(), left.size(), offset);
    if (written < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(core::system_error("write", vectors_path(), errno));
    }
    left = left.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
  crc32_ = crc32_of(crc32_, std::as_bytes(vectors));
  for (const RejectedItem& item : rejected) rejected_.push_back({items_done_ + item.item, item.cause});
  items_done_ += vectors.size() / identity_.encoder.dimension;
  return {};
}

std::string WorkFolder::record() const {
  json::object object{{"version", kRecordVersion},
                      {"fingerprint", identity_.fingerprint},
                      {"generation", generation_.value()},
                      {"model", identity_.encoder.model},
                      {"weights_sha256", identity_.encoder.weights_hash},
                      {"precision", identity_.encoder.precision},
                      {"dimension", identity_.encoder.dimension},
                      {"text_format", identity_.format},
                      {"texts", identity_.items},
                      {"texts_done", items_done_},
                      {"crc32", crc32_}};
  if (!rejected_.empty()) {
    json::array rejected;
    for (const RejectedItem& item : rejected_) rejected.push_back(json::array{item.item, item.cause});
    object["rejected"] = std::move(rejected);
  }
  return json::serialize(object) + "\n";
}

core::Status WorkFolder::checkpoint() {
  before_step_("sync vectors");
  if (::fdatasync(descriptor_) != 0) return std::unexpected(core::system_error("sync", vectors_path(), errno));
  before_step_("record progress");
  CORE_CHECK(core::write_file_atomically(path_ / "progress.json", record()));
  before_step_("progress recorded");
  return {};
}

}  // namespace scalestyle::ingest
