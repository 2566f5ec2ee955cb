#include "ingest/image_finder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "core/files.hpp"

namespace scalestyle::ingest {

namespace {

constexpr std::array<std::string_view, 4> kExtensions = {".jpg", ".jpeg", ".png", ".webp"};
constexpr std::size_t kPrefixBytes = 3;

// Place in kExtensions; nothing known is its size.
std::size_t extension_rank(std::string extension) {
  std::ranges::transform(extension, extension.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return static_cast<std::size_t>(std::ranges::find(kExtensions, extension) - kExtensions.begin());
}

// Calls visit(entry) for each entry of `folder`.
template <class Visit>
core::Status list(const std::filesystem::path& folder, Visit&& visit) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) visit(*entries);
  if (error) return std::unexpected(core::system_error("list", folder, error.value()));
  return {};
}

}  // namespace

core::Result<ImageFinder> ImageFinder::open(const std::filesystem::path& folder) {
  std::error_code error;
  const auto status = std::filesystem::status(folder, error);
  if (!std::filesystem::exists(status)) {
    return core::fail(core::ErrorCode::kNotFound, fmt::format("the images folder {} does not exist", folder.string()), "images");
  }
  if (!std::filesystem::is_directory(status)) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} is not a folder of images", folder.string()), "images");
  }
  ImageFinder finder;
  finder.root_ = std::filesystem::canonical(folder, error);
  if (error) return std::unexpected(core::system_error("open", folder, error.value()));
  std::vector<std::string> prefixes;
  CORE_CHECK(list(finder.root_, [&](const std::filesystem::directory_entry& entry) {
    std::error_code ignored;
    const std::string name = entry.path().filename().string();
    if (name.size() == kPrefixBytes && entry.is_directory(ignored)) prefixes.push_back(name);
    else finder.consider(entry, {});
  }));
  for (const std::string& prefix : prefixes) {
    CORE_CHECK(list(finder.root_ / prefix,
                    [&](const std::filesystem::directory_entry& entry) { finder.consider(entry, prefix); }));
  }
  return finder;
}

void ImageFinder::consider(const std::filesystem::directory_entry& entry, const std::string& prefix) {
  const std::size_t extension = extension_rank(entry.path().extension().string());
  if (extension == kExtensions.size()) return;
  const auto id = catalog::ArticleId::parse(entry.path().stem().string());
  std::error_code ignored;
  if (!id || !entry.is_regular_file(ignored)) return;
  if (!prefix.empty() && !id->text().starts_with(prefix)) return;
  const std::string name = entry.path().filename().string();
  Picture picture{prefix.empty() ? name : prefix + "/" + name,
                  static_cast<int>(extension + (prefix.empty() ? kExtensions.size() : 0))};
  const auto [place, is_new] = found_.try_emplace(*id, picture);
  if (is_new) return;
  // The order in which a folder is listed must not matter.
  const Picture& known = place->second;
  if (picture.rank < known.rank || (picture.rank == known.rank && picture.path < known.path)) place->second = std::move(picture);
}

std::string_view ImageFinder::find(const catalog::ArticleId& id) const {
  const auto found = found_.find(id);
  return found == found_.end() ? std::string_view() : std::string_view(found->second.path);
}

}  // namespace scalestyle::ingest
