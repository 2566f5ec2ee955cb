#pragma once
// Finds the pictures of articles in a folder: <dir>/<first 3 digits>/<id>.<ext>, else <dir>/<id>.<ext>, where <ext> is
// jpg, jpeg, png or webp in that order, in any case. The folder is listed once; ids are never made into paths, so an id
// with '/' or '..' finds nothing. Immutable after open(): safe to share.

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

#include "catalog/article_id.hpp"
#include "core/result.hpp"

namespace scalestyle::ingest {

class ImageFinder {
 public:
  ImageFinder() = default;  // finds nothing

  // Errors: kNotFound, kInvalidArgument (not a folder), kPermissionDenied.
  [[nodiscard]] static core::Result<ImageFinder> open(const std::filesystem::path& folder);

  // The path relative to root(), with '/'; empty when there is none. A view into the finder.
  [[nodiscard]] std::string_view find(const catalog::ArticleId& id) const;
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }  // absolute
  [[nodiscard]] std::size_t size() const { return found_.size(); }

 private:
  struct Picture {
    std::string path;
    int rank = 0;  // lower is preferred
  };
  void consider(const std::filesystem::directory_entry& entry, const std::string& prefix);

  std::filesystem::path root_;
  std::unordered_map<catalog::ArticleId, Picture> found_;
};

}  // namespace scalestyle::ingest
