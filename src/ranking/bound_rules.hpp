#pragma once
// BoundRules: the rules of a set on one catalogue, and what those that act on a request do to its list.
//
//   hide     takes articles out of the list before anything is counted; it is stronger than everything else
//   boost    multiplies base scores by a factor above 1, bury by one below. Factors of all acting rules multiply; their
//            product is kept within kLeastRuleFactor … kGreatestRuleFactor. The list is then in the order of its scores
//            again; equal ones keep their order
//   pin      puts a product at a position of the finished list, from 1. Pins are taken in the order of the file: the first
//            pin of a product counts; a position that is taken gives way to the next free one. What is unknown, not
//            available, hidden or outside the request's filters is not pinned, and said
//   redirect is told; the first acting rule that has one counts
//
// Same rules, catalogue and request: same effects. Immutable once bound: safe to read from any thread. The catalogue must
// outlive what is bound to it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "catalog/bitmap.hpp"
#include "catalog/catalog.hpp"
#include "ranking/rules.hpp"

namespace scalestyle::ranking {

// Rows of a catalogue: a bit a row, or, when they are few, a list.
class SelectedRows {
 public:
  explicit SelectedRows(catalog::Bitmap rows);

  [[nodiscard]] bool contains(catalog::RowIndex row) const;
  void add_to(catalog::Bitmap& rows) const;
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  std::vector<catalog::RowIndex> few_;  // ascending; used while many_ is empty
  catalog::Bitmap many_;
};

// One thing that one rule does to one article.
struct RuleAct {
  enum class Kind : std::uint8_t { kBoost, kBury, kHide };
  std::uint32_t rule = 0;  // of RuleSet::rules()
  Kind kind = Kind::kBoost;
  double factor = 1;  // of a boost or bury
};
[[nodiscard]] std::string_view to_string(RuleAct::Kind kind);  // "boost", "bury", "hide"

struct PlacedPin {
  catalog::RowIndex row;        // the variant, or the first of the product that may be shown
  bool any_variant = false;     // a variant of the product that is in the list anyway is shown rather
  std::uint32_t product = 0;    // Catalog::product_of
  std::size_t position = 0;     // from 1; no two alike
  std::uint32_t rule = 0;
};

struct SkippedPin {
  enum class Reason : std::uint8_t { kUnknown, kUnavailable, kHidden, kFilteredOut, kPinnedBefore, kNoPosition };
  std::uint32_t rule = 0;
  std::uint32_t pin = 0;  // of the rule's pins
  Reason reason = Reason::kUnknown;
};
// "unknown", "unavailable", "hidden", "filtered_out", "pinned_before", "no_position"
[[nodiscard]] std::string_view to_string(SkippedPin::Reason reason);

// What the acting rules do. Valid while the BoundRules that made it live.
class RuleEffects {
 public:
  [[nodiscard]] bool empty() const { return rules_.empty(); }
  [[nodiscard]] std::span<const std::uint32_t> rules() const { return rules_; }  // that act, ascending

  [[nodiscard]] bool hides() const { return !hides_.empty(); }
  [[nodiscard]] bool has_factors() const { return !factors_.empty(); }
  [[nodiscard]] const std::vector<PlacedPin>& pins() const { return pins_; }  // by position
  [[nodiscard]] const std::vector<SkippedPin>& skipped_pins() const { return skipped_; }
  [[nodiscard]] const RuleRedirect* redirect() const { return redirect_; }  // null: none
  [[nodiscard]] std::uint32_t redirecting_rule() const { return redirecting_rule_; }

  [[nodiscard]] bool is_hidden(catalog::RowIndex row) const;
  void remove_hidden(catalog::Bitmap& rows) const;
  // 1 where no rule acts.
  [[nodiscard]] double factor(catalog::RowIndex row) const;
  // All that is done to the row by hides, boosts and buries, in the order of the file.
  [[nodiscard]] std::vector<RuleAct> acts_on(catalog::RowIndex row) const;

 private:
  friend class BoundRules;
  struct Hide {
    std::uint32_t rule;
    const SelectedRows* rows;
  };
  struct Factor {
    std::uint32_t rule;
    double factor;
    const SelectedRows* rows;
  };

  std::vector<std::uint32_t> rules_;
  std::vector<Hide> hides_;
  std::vector<Factor> factors_;
  std::vector<PlacedPin> pins_;
  std::vector<SkippedPin> skipped_;
  const RuleRedirect* redirect_ = nullptr;
  std::uint32_t redirecting_rule_ = 0;
};

class BoundRules {
 public:
  // `rules` is not null. Linear in the catalogue for each selector; names are cut into words only when a selector asks
  // for them. kInternal when the stemmer cannot be had.
  [[nodiscard]] static core::Result<BoundRules> bind(std::shared_ptr<const RuleSet> rules, const catalog::Catalog& articles);

  [[nodiscard]] const RuleSet& rules() const { return *rules_; }
  // `eligible`: the rows that pass the request's filters; null: all of them. `available`: those that can be had now; null:
  // as the catalogue says.
  [[nodiscard]] RuleEffects match(const RuleContext& context, const catalog::Bitmap* eligible,
                                  const catalog::Bitmap* available = nullptr) const;

  // How many ids and product codes of the rules are none of this catalogue's.
  [[nodiscard]] std::size_t unknown_articles() const { return unknown_articles_; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Pin {
    std::optional<std::uint32_t> product{};   // nothing: not in this catalogue
    std::optional<catalog::RowIndex> row{};   // this variant and no other
  };
  struct OneRule {
    std::vector<SelectedRows> boosts, buries, hides;
    std::vector<Pin> pins;
  };
  class Binder;

  BoundRules(std::shared_ptr<const RuleSet> rules, const catalog::Catalog& articles) : rules_(std::move(rules)), articles_(&articles) {}
  struct ShownRows {
    const catalog::Bitmap* eligible;  // null: every row
    const catalog::Bitmap& available;
  };
  void place_pins(const ShownRows& shown, RuleEffects& effects) const;
  [[nodiscard]] std::optional<SkippedPin::Reason> find_row(const Pin& pin, const ShownRows& shown, const RuleEffects& effects,
                                                           catalog::RowIndex& row) const;

  std::shared_ptr<const RuleSet> rules_;
  const catalog::Catalog* articles_;
  std::vector<OneRule> bound_;  // one a rule
  std::size_t unknown_articles_ = 0;
};

// `rows` without the hidden ones, with their scores times their factors, in the order of those.
struct RuledList {
  std::vector<catalog::RowIndex> rows{};
  std::vector<double> scores{};
  std::vector<std::uint32_t> places{};  // of each in the list given
};
// `rows` and `scores` are of one size, at most 2³² − 2.
[[nodiscard]] RuledList apply_rules(const RuleEffects& effects, std::span<const catalog::RowIndex> rows,
                                    std::span<const double> scores);

// An item of a list, by any number, and its position, from 1.
struct PinnedItem {
  std::uint32_t item = 0;
  std::size_t position = 0;
};
// `others` in their order with the pinned items, given by position, at theirs; a position beyond the end is the end. Of
// a longer list `before` items came already: positions among those are the next one.
[[nodiscard]] std::vector<std::uint32_t> merge_pins(std::span<const std::uint32_t> others, std::span<const PinnedItem> pins,
                                                    std::size_t before = 0);

}  // namespace scalestyle::ranking
