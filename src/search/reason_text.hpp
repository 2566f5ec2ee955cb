#pragma once
// Why an item is in its list, in one true sentence made from what is known: what was asked for and the article has (type, colour,
// audience, price, words of its texts), what the list is, and what the shopper did.
//
//   Dress in Light Blue for women at 14.99 EUR (under 20), with “linen” in its description, and you showed interest in it
//   recently.
//
// Nothing is claimed that the data do not hold: a price only of an article that has one, an audience only where the article's
// own columns say so, a word only where a text of the article has it, popularity only where something was counted. Texts of the
// catalogue and of shoppers are data: cut, cleaned (shown_text.hpp), words in “ ”, which no text of theirs can end.
// The same input gives the same sentence. Some microseconds an item: made for the items of a page only.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/filters.hpp"
#include "events/features.hpp"
#include "retrieval/understood_query.hpp"
#include "search/answer.hpp"
#include "search/query_reading.hpp"
#include "search/snapshot_holder.hpp"
#include "search/word_finder.hpp"

namespace scalestyle::search {

struct RecommendedList;

inline constexpr std::size_t kMaxReasonCharacters = 420;

// What of a query its items' reasons can speak of; kept with its list. Immutable.
struct ReasonQuery {
  std::string text{};  // as it was looked up
  std::vector<QueryWord> words{};
  std::vector<retrieval::UnderstoodPiece> pieces{};  // in force, without exclusions

  [[nodiscard]] std::size_t bytes() const;
};
[[nodiscard]] std::shared_ptr<const ReasonQuery> reason_query(const QueryReading& reading);

// What put the items into their list.
enum class ReasonOrigin : std::uint8_t {
  kPlain,  // the filters alone, in the order of a column; or nothing: an article by itself
  kFound,  // the query
  kPopularHour,
  kPopularDay,
  kPopularWeek,
  kPopularEver,
};

// What the items' pictures were compared with.
enum class ReasonPicture : std::uint8_t { kNone, kPicture, kArticle, kWords };
[[nodiscard]] ReasonPicture reason_picture(const std::optional<VisualQuery>& visual);

// "Looks like" is said of items with at least this image_score: nearer to what was looked for than half way from the best photo
// found to the last one.
inline constexpr double kLooksAlike = 0.5;

struct ReasonScope {
  const ServingGeneration& generation;
  const ReasonQuery* query = nullptr;        // null: none was asked
  const catalog::Filter* filter = nullptr;   // null: none
  ReasonOrigin origin = ReasonOrigin::kPlain;
  ReasonPicture picture = ReasonPicture::kNone;
  events::EpochMs now_ms = 0;
  const RecommendedList* recommended = nullptr;  // of a list of several sources
};

// What can be said of one item, each part true by itself and without an end mark; empty: nothing of its kind.
struct ReasonClaims {
  std::string lead{};     // "Picked by the shop", "Popular in the last 24 hours"
  std::string match{};    // "Dress in Light Blue for women": what was asked for and it has
  std::string shopper{};  // "you showed interest in it recently"
  std::string plain{};    // what it is, where nothing else can be said
};

// One sentence of them, with its end mark; at most kMaxReasonCharacters.
[[nodiscard]] std::string sentence_of(const ReasonClaims& claims);

// For the items of one answer. Not thread-safe; what `scope` points to must outlive it.
class ReasonWriter {
 public:
  explicit ReasonWriter(const ReasonScope& scope);

  [[nodiscard]] ReasonClaims claims(const AnswerItem& item);
  [[nodiscard]] std::string sentence(const AnswerItem& item) { return sentence_of(claims(item)); }

 private:
  [[nodiscard]] std::string lead(const AnswerItem& item) const;
  [[nodiscard]] std::string popularity(const catalog::ArticleView& article, ReasonOrigin origin) const;
  [[nodiscard]] std::string recommendation(const AnswerItem& item) const;
  [[nodiscard]] bool has_asked_number(std::string_view number) const;
  [[nodiscard]] bool is_asked(std::span<const catalog::FilterField> fields) const;
  [[nodiscard]] std::string match(const catalog::ArticleView& article);
  [[nodiscard]] bool append_named_words(const catalog::ArticleView& article, std::string& text);

  ReasonScope scope_;
  WordFinder finder_;
};

}  // namespace scalestyle::search
