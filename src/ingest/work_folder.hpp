#pragma once
// The durable work of an ingest in progress: DATA/generations/.building-<fingerprint>/ with
//   vectors.work   the vectors of the items (texts or photos) embedded so far, f32, in the order of the plan
//   progress.json  how many of them are durable, their CRC-32, which were rejected, and what made them
// An item that was rejected has a vector of zeros.
// A checkpoint syncs the vectors, then replaces the record: whatever the record says is on disk. Vectors behind it are
// cut off when the work is taken up again. Not thread-safe; the caller holds the ingest lock.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "ingest/embedding_source.hpp"
#include "ports/text_encoder.hpp"

namespace scalestyle::ingest {

struct WorkIdentity {
  std::string fingerprint;  // EmbeddingPlan::fingerprint
  ports::EncoderInfo encoder;
  std::string format;       // "product_text_v1", "photo_v1"
  std::uint64_t items = 0;  // to embed in all
};

class WorkFolder {
 public:
  using BeforeStep = std::function<void(std::string_view)>;

  [[nodiscard]] static std::filesystem::path path_for(const std::filesystem::path& generations,
                                                      const std::string& fingerprint);

  // Takes up the work of this identity, or begins it; `new_generation` names the generation of work that begins, a
  // resumed one keeps its own. Damaged work is begun anew: was_damaged() says so.
  // Errors: kFailedPrecondition when the folder's record is of another identity (encoder, precision, format);
  // those of the file system.
  [[nodiscard]] static core::Result<WorkFolder> open(const std::filesystem::path& generations, const WorkIdentity& identity,
                                                     const core::GenerationId& new_generation, BeforeStep before_step);
  WorkFolder(WorkFolder&& other) noexcept;
  WorkFolder& operator=(WorkFolder&&) = delete;
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder();

  [[nodiscard]] std::uint64_t items_done() const { return items_done_; }  // appended, not all durable
  [[nodiscard]] const core::GenerationId& generation() const { return generation_; }
  [[nodiscard]] bool was_damaged() const { return was_damaged_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path vectors_path() const { return path_ / "vectors.work"; }

  // The items that were rejected, by their place in the plan, ascending.
  [[nodiscard]] const std::vector<RejectedItem>& rejected() const { return rejected_; }

  // Whole vectors of the next items; `rejected` says which of them are none, by place among them.
  [[nodiscard]] core::Status append(std::span<const float> vectors, std::span<const RejectedItem> rejected = {});
  [[nodiscard]] core::Status checkpoint();
  // Changes the generation that the work becomes; durable with the next checkpoint.
  void set_generation(core::GenerationId generation) { generation_ = std::move(generation); }

 private:
  WorkFolder(std::filesystem::path path, WorkIdentity identity, BeforeStep before_step);
  [[nodiscard]] core::Status begin(const core::GenerationId& generation);
  [[nodiscard]] core::Result<bool> resume();  // false when the work is damaged
  [[nodiscard]] core::Status open_vectors(bool fresh);
  [[nodiscard]] std::string record() const;

  std::filesystem::path path_;
  WorkIdentity identity_;
  BeforeStep before_step_;
  core::GenerationId generation_;
  int descriptor_ = -1;
  std::uint64_t items_done_ = 0;
  std::vector<RejectedItem> rejected_;  // of the items done
  std::uint32_t crc32_ = 0;  // of the vectors appended
  bool was_damaged_ = false;
};

}  // namespace scalestyle::ingest
