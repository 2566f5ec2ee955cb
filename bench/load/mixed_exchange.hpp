#pragma once
// What shoppers do, mixed: searches by words, by picture and by both, and clicks, in given shares and in an order by chance
// that a seed repeats.
//
// Unique: no query and no picture is asked twice; a picture is a file with a comment of its own in it, which changes its bytes
// and not what is seen. Else queries and pictures are drawn from so many by Zipf's law.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "click_exchange.hpp"
#include "load_run.hpp"
#include "query_source.hpp"
#include "zipf_draw.hpp"

namespace scalestyle::load {

enum class MixKind : std::uint8_t { kText, kImage, kHybrid, kClick };
inline constexpr std::size_t kMixKinds = 4;
inline constexpr std::array<std::string_view, kMixKinds> kMixNames{"text", "image", "hybrid", "click"};

using MixShares = std::array<double, kMixKinds>;

// "text=70,image=15,hybrid=10,click=5": kinds that are not named have no share. kInvalidArgument with the field "mix".
[[nodiscard]] core::Result<MixShares> parse_mix(std::string_view text);

// The .jpg, .jpeg and .png files below `folder`, in the order of their names, at most `most` of them. kNotFound where there is
// none; kInvalidArgument for a file that does not begin as JPEG or PNG files do.
[[nodiscard]] core::Result<std::vector<std::string>> read_pictures(const std::string& folder, std::size_t most);

// The file, of one of these kinds, with `comment` (at most 65,533 bytes of Latin-1) in it.
[[nodiscard]] std::string with_comment(std::string_view file, std::string_view comment);

struct MixOptions {
  std::string host = "127.0.0.1:8080";
  MixShares shares{70, 15, 10, 5};
  std::string path_template = LoadOptions().path_template;  // of searches by words
  std::uint64_t k = 10;                     // items of an answer to a picture
  std::uint64_t rerank = 0;                 // rows that every search asks to be reranked; 0: it asks for none
  std::vector<std::string> pictures{};      // files; needed where pictures have a share
  std::size_t distinct_pictures = 0;        // drawn by Zipf's law; 0: none repeats
  double exponent = 1;                      // of that law
  std::uint64_t seed = 1;
  std::vector<std::string> items{};         // to click on; needed where clicks have a share
};

class MixedExchange final : public Exchange {
 public:
  // kInvalidArgument with the field for what is missing.
  [[nodiscard]] static core::Result<MixedExchange> create(MixOptions options, QuerySource queries);

  [[nodiscard]] std::optional<std::string> next_request() override;
  [[nodiscard]] Verdict judge(const HttpAnswer& answer, std::size_t kind) override;
  [[nodiscard]] std::size_t kinds() const override { return kMixKinds; }
  [[nodiscard]] std::size_t last_kind() const override { return static_cast<std::size_t>(kind_); }

 private:
  MixedExchange(MixOptions options, QuerySource queries, std::optional<ZipfDraw> picture_draw);
  [[nodiscard]] MixKind next_kind();
  [[nodiscard]] std::optional<std::string> text_request();
  [[nodiscard]] std::optional<std::string> picture_request(bool with_words);
  [[nodiscard]] std::string next_picture();

  MixOptions options_;
  QuerySource queries_;
  ClickExchange clicks_;
  std::optional<ZipfDraw> picture_draw_;
  std::mt19937_64 random_;  // of kinds
  MixKind kind_ = MixKind::kText;
  std::uint64_t pictures_made_ = 0;
};

// What an answer says of its reranking: the last model's rows. Nothing where it was not reranked.
struct RerankCounts {
  std::uint64_t scored = 0;
  std::uint64_t planned = 0;
};
[[nodiscard]] std::optional<RerankCounts> rerank_counts(std::string_view body);
// The members of its "degradations".
[[nodiscard]] std::vector<std::string> degradation_reasons(std::string_view body);

}  // namespace scalestyle::load
