#pragma once
// The rows and photos that an ingest left out, as a CSV file a person can open: file,row,line,column,cause,value.
// They are gathered under a temporary name from the first one on; publish() gives the file as it is then its name, and may be
// called again when more came. Not thread-safe.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>

#include "catalog/table_reader.hpp"
#include "core/result.hpp"

namespace scalestyle::ingest {

class RejectsFile {
 public:
  explicit RejectsFile(std::filesystem::path temporary) : temporary_(std::move(temporary)) {}
  RejectsFile(const RejectsFile&) = delete;
  RejectsFile& operator=(const RejectsFile&) = delete;
  ~RejectsFile();  // removes the temporary file

  // `file` names the input: "articles", "transactions", "embeddings", "images", "image_embeddings". Errors: those of the
  // file system, with the path.
  [[nodiscard]] core::Status add(std::string_view file, const catalog::RejectedRow& row);
  // Counts rows of which only the number is known.
  void count_unlisted(std::string_view file, std::uint64_t rows);

  // Makes `path` the rows listed so far, durable and in one step; nothing when no row was listed.
  [[nodiscard]] core::Status publish(const std::filesystem::path& path);

  [[nodiscard]] std::uint64_t listed() const { return listed_; }
  // Rows by "file: column: cause"; past a bound of different causes the rest is "other causes".
  [[nodiscard]] const std::map<std::string, std::uint64_t>& by_cause() const { return by_cause_; }

 private:
  void count(std::string cause, std::uint64_t rows);

  std::filesystem::path temporary_;
  std::ofstream out_;
  std::uint64_t listed_ = 0;
  std::map<std::string, std::uint64_t> by_cause_;
};

}  // namespace scalestyle::ingest
