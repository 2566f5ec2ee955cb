#include "ranking/bound_rules.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "ranking/rule_words.hpp"

namespace scalestyle::ranking {

namespace {

// Below one row in this many a list is smaller than a bit a row.
constexpr std::size_t kRowsPerListed = 64;

std::string_view without_leading_zeros(std::string_view code) {
  const std::size_t first = code.find_first_not_of('0');
  return first == std::string_view::npos ? code.substr(code.size() - 1) : code.substr(first);
}

}  // namespace

SelectedRows::SelectedRows(catalog::Bitmap rows) {
  const std::size_t count = rows.count();
  if (count * kRowsPerListed > rows.size()) {
    many_ = std::move(rows);
    return;
  }
  few_.reserve(count);
  rows.for_each([&](catalog::RowIndex row) { few_.push_back(row); });
}

bool SelectedRows::contains(catalog::RowIndex row) const {
  return many_.size() > 0 ? many_.test(row) : std::ranges::binary_search(few_, row);
}

void SelectedRows::add_to(catalog::Bitmap& rows) const {
  if (many_.size() > 0) {
    rows |= many_;
    return;
  }
  for (const catalog::RowIndex row : few_) rows.set(row);
}

std::size_t SelectedRows::memory_bytes() const {
  return few_.capacity() * sizeof(catalog::RowIndex) + many_.memory_bytes();
}

// Finds the rows of selectors; keeps what several of them need.
class BoundRules::Binder {
 public:
  Binder(const catalog::Catalog& articles, text::EnglishStemmer stemmer) : articles_(articles), stemmer_(std::move(stemmer)) {}

  [[nodiscard]] std::size_t unknown_articles() const { return unknown_; }

  SelectedRows select(const RuleSelector& selector) {
    catalog::Bitmap rows = passing(selector.filter);
    if (!selector.article_ids.empty() || !selector.product_codes.empty()) rows &= named_by(selector);
    if (selector.has_image) {
      catalog::Bitmap pictured(articles_.size());
      rows.for_each([&](catalog::RowIndex row) {
        if (articles_.row(row).image_path().empty() != *selector.has_image) pictured.set(row);
      });
      rows = std::move(pictured);
    }
    if (!selector.name.empty()) keep_names(selector.name, rows);
    return SelectedRows(std::move(rows));
  }

  std::vector<SelectedRows> select(const std::vector<RuleFactor>& factors) {
    std::vector<SelectedRows> selected;
    selected.reserve(factors.size());
    for (const RuleFactor& factor : factors) selected.push_back(select(factor.selector));
    return selected;
  }

  Pin bind(const RulePin& pin) {
    Pin bound;
    if (pin.article_id) {
      bound.row = articles_.find(*pin.article_id);
      if (bound.row) bound.product = articles_.product_of(*bound.row);
    } else {
      bound.product = product(pin.product_code);
    }
    if (!bound.product) ++unknown_;
    return bound;
  }

 private:
  // Not catalog::eligible(): what a rule means does not depend on what can be had now.
  catalog::Bitmap passing(const catalog::Filter& filter) const {
    catalog::Bitmap rows(articles_.size(), true);
    for (const catalog::FilterField field : catalog::all_filter_fields()) {
      if (filter[field].empty()) continue;
      catalog::Bitmap with_value(articles_.size());
      for (const std::string& value : filter[field]) {
        for (const std::uint32_t code : articles_.matching_codes(field, value)) articles_.rows_by_value(field).add_to(with_value, code);
      }
      rows &= with_value;
    }
    if (!filter.price_min && !filter.price_max) return rows;
    catalog::Bitmap priced(articles_.size());
    rows.for_each([&](catalog::RowIndex row) {
      const double price = articles_.prices()[row.value];  // NaN where there is none, which is in no range
      const bool is_above = price >= filter.price_min.value_or(0);
      if (is_above && price <= filter.price_max.value_or(std::numeric_limits<double>::infinity())) priced.set(row);
    });
    return priced;
  }

  catalog::Bitmap named_by(const RuleSelector& selector) {
    catalog::Bitmap rows(articles_.size());
    for (const catalog::ArticleId& id : selector.article_ids) {
      const auto row = articles_.find(id);
      if (row) rows.set(*row);
      if (!row) ++unknown_;
    }
    for (const std::string& code : selector.product_codes) {
      const auto found = product(code);
      if (!found) {
        ++unknown_;
        continue;
      }
      for (const catalog::RowIndex row : articles_.rows_of_product(*found)) rows.set(row);
    }
    return rows;
  }

  std::optional<std::uint32_t> product(std::string_view code) {
    if (by_code_.empty()) {
      for (std::uint32_t i = 0; i < articles_.product_count(); ++i) {
        by_code_.emplace(without_leading_zeros(articles_.product_code_of(i)), i);
      }
    }
    const auto found = by_code_.find(without_leading_zeros(code));
    return found == by_code_.end() ? std::nullopt : std::optional(found->second);
  }

  void keep_names(std::string_view wanted, catalog::Bitmap& rows) {
    if (names_.empty()) {
      for (std::uint32_t code = 0; code < articles_.name_count(); ++code) names_.emplace_back(articles_.name_of(code), stemmer_);
    }
    const RulePhrase phrase(wanted, stemmer_);
    std::vector<bool> passes(names_.size());
    for (std::size_t code = 0; code < names_.size(); ++code) passes[code] = phrase.stands_in(names_[code]);
    catalog::Bitmap kept(articles_.size());
    rows.for_each([&](catalog::RowIndex row) {
      if (passes[articles_.name_codes()[row.value]]) kept.set(row);
    });
    rows = std::move(kept);
  }

  const catalog::Catalog& articles_;
  text::EnglishStemmer stemmer_;
  std::unordered_map<std::string_view, std::uint32_t> by_code_;  // filled when the first code is looked up
  std::vector<RuleWords> names_;                                 // of each name code; filled when the first name is
  std::size_t unknown_ = 0;
};

core::Result<BoundRules> BoundRules::bind(std::shared_ptr<const RuleSet> rules, const catalog::Catalog& articles) {
  CORE_TRY(text::EnglishStemmer stemmer, text::EnglishStemmer::create());
  BoundRules bound(std::move(rules), articles);
  Binder binder(articles, std::move(stemmer));
  for (const Rule& rule : bound.rules_->rules()) {
    OneRule& one = bound.bound_.emplace_back();
    if (!rule.enabled) continue;
    one.boosts = binder.select(rule.boosts);
    one.buries = binder.select(rule.buries);
    for (const RuleSelector& selector : rule.hides) one.hides.push_back(binder.select(selector));
    for (const RulePin& pin : rule.pins) one.pins.push_back(binder.bind(pin));
  }
  bound.unknown_articles_ = binder.unknown_articles();
  return bound;
}

RuleEffects BoundRules::match(const RuleContext& context, const catalog::Bitmap* eligible, const catalog::Bitmap* available) const {
  RuleEffects effects;
  effects.rules_ = rules_->acting(context);
  for (const std::uint32_t index : effects.rules_) {
    const Rule& rule = rules_->rules()[index];
    const OneRule& one = bound_[index];
    for (const SelectedRows& rows : one.hides) effects.hides_.push_back({index, &rows});
    for (std::size_t i = 0; i < one.boosts.size(); ++i) effects.factors_.push_back({index, rule.boosts[i].factor, &one.boosts[i]});
    for (std::size_t i = 0; i < one.buries.size(); ++i) effects.factors_.push_back({index, rule.buries[i].factor, &one.buries[i]});
    if (rule.redirect && effects.redirect_ == nullptr) {
      effects.redirect_ = &*rule.redirect;
      effects.redirecting_rule_ = index;
    }
  }
  place_pins({eligible, available != nullptr ? *available : articles_->available()}, effects);
  return effects;
}

void BoundRules::place_pins(const ShownRows& shown, RuleEffects& effects) const {
  std::vector<bool> taken(kMaxPinPosition + 1);
  for (const std::uint32_t index : effects.rules_) {
    const std::vector<Pin>& pins = bound_[index].pins;
    for (std::uint32_t i = 0; i < pins.size(); ++i) {
      PlacedPin placed{.row = {}, .any_variant = !pins[i].row, .product = pins[i].product.value_or(0), .position = 0, .rule = index};
      auto reason = find_row(pins[i], shown, effects, placed.row);
      if (!reason) {
        placed.position = rules_->rules()[index].pins[i].position;
        while (placed.position <= kMaxPinPosition && taken[placed.position]) ++placed.position;
        if (placed.position > kMaxPinPosition) reason = SkippedPin::Reason::kNoPosition;
      }
      if (reason) {
        effects.skipped_.push_back({index, i, *reason});
        continue;
      }
      taken[placed.position] = true;
      effects.pins_.push_back(placed);
    }
  }
  std::ranges::sort(effects.pins_, {}, &PlacedPin::position);
}

std::optional<SkippedPin::Reason> BoundRules::find_row(const Pin& pin, const ShownRows& shown, const RuleEffects& effects,
                                                       catalog::RowIndex& row) const {
  using Reason = SkippedPin::Reason;
  if (!pin.product) return Reason::kUnknown;
  if (std::ranges::find(effects.pins_, *pin.product, &PlacedPin::product) != effects.pins_.end()) return Reason::kPinnedBefore;
  const auto why_not = [&](catalog::RowIndex candidate) -> std::optional<Reason> {
    if (!shown.available.test(candidate)) return Reason::kUnavailable;
    if (shown.eligible != nullptr && !shown.eligible->test(candidate)) return Reason::kFilteredOut;
    if (effects.is_hidden(candidate)) return Reason::kHidden;
    return std::nullopt;
  };
  if (pin.row) {
    row = *pin.row;
    return why_not(row);
  }
  const auto variants = articles_->rows_of_product(*pin.product);
  const auto first = std::ranges::find_if(variants, [&](catalog::RowIndex variant) { return !why_not(variant); });
  if (first == variants.end()) return why_not(variants.front());
  row = *first;
  return std::nullopt;
}

std::size_t BoundRules::memory_bytes() const {
  std::size_t bytes = 0;
  for (const OneRule& one : bound_) {
    for (const auto* list : {&one.boosts, &one.buries, &one.hides}) {
      for (const SelectedRows& rows : *list) bytes += sizeof(SelectedRows) + rows.memory_bytes();
    }
    bytes += sizeof(OneRule) + one.pins.capacity() * sizeof(Pin);
  }
  return bytes;
}

}  // namespace scalestyle::ranking
