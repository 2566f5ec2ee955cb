#pragma once
// QueryUnderstanding: finds in a query what the catalogue's own columns can answer (docs/decisions/0013). What it knows
// comes from the values of those columns and from how the descriptions open ("Jumper in a soft knit": where most
// articles so described are of type Sweater, "jumper" means that type). English is built in only as small tables:
// audience words, negations, price phrases, a few names of shades (query_understanding_language.hpp).
//
// Whole words only; singular and plural meet; the longest phrase wins; of a noun phrase the last type counts ("shirt
// dress" is a dress), and what follows "with" or "for" names no type when one came before. A phrase that names values
// of several columns has one meaning: colour, type, group, appearance, index, section, department, in this order.
//
// Prices and exclusions restrict what may be shown and leave the text. Everything else is a preference and stays; an
// audience that is surely meant ("for a boy", "men's", "kids": not "baby" alone, as in "baby blue") restricts too, to
// what is not said to be for another age or, among adults, gender.
// Immutable: safe to use from any thread. Deterministic. Time is linear in the query's length.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/article_id.hpp"
#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"
#include "core/result.hpp"
#include "retrieval/understood_query.hpp"

namespace scalestyle::retrieval {

class UnderstandingLexicon;

// Whether the catalogue's prices are money that a shopper can name.
struct PriceUnit {
  std::string currency{};  // ISO 4217; empty: any currency in a query is taken for the catalogue's
  bool is_money = true;
  std::string reason{};    // when they are not: why, for the answer's note
};

// Prices without any, or with neither currency nor scale (1: as in the file) recorded and a median below 1, are no money.
[[nodiscard]] PriceUnit price_unit(const catalog::Catalog& catalog, std::string_view currency, double price_scale);

struct UnderstandingOptions {
  // Weights of preferences, in [0, 1]; 0 leaves the kinds out.
  double thing = 1;     // type, group
  double colour = 0.5;  // colour, colour_family
  double audience = 0.5;
  double appearance = 0.5;
  double place = 0.25;  // index, section, department
  bool audience_filters = true;  // false: an audience is a preference always

  // kInvalidArgument, naming the weight.
  [[nodiscard]] core::Status validate() const;
};

// What a client wants understood.
struct UnderstandingSwitches {
  bool understand = true;
  std::vector<PieceKind> without_kinds{};
  std::vector<std::string> without_ids{};  // unknown ones are harmless
};

class QueryUnderstanding {
 public:
  static constexpr std::size_t kMaxWords = 64;   // looked at; later words stay text
  static constexpr std::size_t kMaxPieces = 16;

  // `catalog` is never null; `options` are valid.
  QueryUnderstanding(std::shared_ptr<const catalog::Catalog> catalog, PriceUnit unit, const UnderstandingOptions& options = {});
  ~QueryUnderstanding();
  QueryUnderstanding(QueryUnderstanding&&) noexcept;
  QueryUnderstanding& operator=(QueryUnderstanding&&) noexcept;

  // Any bytes are a query. A piece that is switched off leaves its words to the text; nothing else takes its place.
  [[nodiscard]] UnderstoodQuery understand(std::string_view query, const UnderstandingSwitches& switches = {}) const;

  // Clears the rows of `rows` (one bit a row of the catalogue) that the query's filters and exclusions do not let pass.
  // Prices are those of `articles`, which has the catalogue's rows, perhaps at other prices. A row without a price passes no
  // price bound. Of several audiences one is enough.
  void restrict(const UnderstoodQuery& query, const catalog::Catalog& articles, catalog::Bitmap& rows) const;
  void restrict(const UnderstoodQuery& query, catalog::Bitmap& rows) const { restrict(query, *catalog_, rows); }

  // preferences[i] in [0, 1]: the weighted share of the query's preferences that rows[i] meets; all 0 when it has none.
  // Of several colours, types or appearances the best met counts, since an article has only one. Same sizes.
  void prefer(const UnderstoodQuery& query, std::span<const catalog::RowIndex> rows, std::span<float> preferences) const;

  // How much the query prefers at all: the weights of its preferences, of those that exclude each other the greatest. 0
  // when it has none.
  [[nodiscard]] static float strength(const UnderstoodQuery& query);

  // How well `row` meets one piece, in [0, 1]: a price wholly or not at all; of an exclusion, whether it has what is not
  // wanted.
  [[nodiscard]] float credit(const UnderstoodPiece& piece, catalog::RowIndex row) const;

  [[nodiscard]] const catalog::Catalog& catalog() const { return *catalog_; }
  [[nodiscard]] std::size_t memory_bytes() const;  // without the catalogue

 private:
  std::shared_ptr<const catalog::Catalog> catalog_;
  PriceUnit unit_;
  UnderstandingOptions options_;
  std::unique_ptr<const UnderstandingLexicon> lexicon_;
  std::vector<AudienceSet> audience_of_row_;
};

}  // namespace scalestyle::retrieval
