#include "retrieval/query_understanding_prices.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "retrieval/query_understanding_language.hpp"

namespace scalestyle::retrieval {
namespace {

enum class Side : std::uint8_t { kBelow, kAtMost, kAbove, kAtLeast };

struct Comparison {
  std::array<std::string_view, 3> words;  // unused ones empty
  Side side;
  bool needs_currency;  // too common without: "max", "from"
};

// The longer ones first.
constexpr Comparison kComparisons[] = {
    {{"no", "more", "than"}, Side::kAtMost, false},  {{"not", "more", "than"}, Side::kAtMost, false},
    {{"no", "less", "than"}, Side::kAtLeast, false}, {{"not", "less", "than"}, Side::kAtLeast, false},
    {{"not", "over", ""}, Side::kAtMost, false},     {{"not", "above", ""}, Side::kAtMost, false},
    {{"not", "under", ""}, Side::kAtLeast, false},   {{"not", "below", ""}, Side::kAtLeast, false},
    {{"less", "than", ""}, Side::kBelow, false},     {{"cheaper", "than", ""}, Side::kBelow, false},
    {{"more", "than", ""}, Side::kAbove, false},     {{"up", "to", ""}, Side::kAtMost, false},
    {{"at", "most", ""}, Side::kAtMost, false},      {{"at", "least", ""}, Side::kAtLeast, false},
    {{"under", "", ""}, Side::kBelow, false},        {{"below", "", ""}, Side::kBelow, false},
    {{"<", "", ""}, Side::kBelow, false},            {{"≤", "", ""}, Side::kAtMost, false},
    {{"over", "", ""}, Side::kAbove, false},         {{"above", "", ""}, Side::kAbove, false},
    {{">", "", ""}, Side::kAbove, false},            {{"≥", "", ""}, Side::kAtLeast, false},
    {{"max", "", ""}, Side::kAtMost, true},          {{"maximum", "", ""}, Side::kAtMost, true},
    {{"min", "", ""}, Side::kAtLeast, true},         {{"minimum", "", ""}, Side::kAtLeast, true},
    {{"from", "", ""}, Side::kAtLeast, true},
};

constexpr double kMaxChildAge = 16;
constexpr double kMaxAge = 99;

struct Amount {
  double value = 0;
  std::string_view currencies{};
};

// The codes that both name; nothing when they name different money.
std::optional<std::string_view> common_currency(std::string_view a, std::string_view b) {
  if (a.empty() || a == b) return b;
  if (b.empty()) return a;
  if (a.find(b) != std::string_view::npos) return b;
  if (b.find(a) != std::string_view::npos) return a;
  return std::nullopt;
}

class Parser {
 public:
  Parser(std::span<const QueryWord> words, std::size_t first) : words_(words), first_(first) {}

  std::optional<PricePhrase> parse() {
    if (is_word(first_, "between") || is_word(first_, "from")) {
      at_ = first_ + 1;
      if (auto range = range_after(true)) return range;
    }
    for (const Comparison& comparison : kComparisons) {
      at_ = first_;
      if (!take(comparison.words)) continue;
      if (at_ < words_.size() && words_[at_].hyphenated) return std::nullopt;  // "under -5"
      const std::optional<Amount> amount = take_amount();
      if (!amount) return std::nullopt;
      const bool bare = amount->currencies.empty();
      if (bare && (comparison.needs_currency || is_no_price() || is_age(comparison.side, amount->value))) return std::nullopt;
      return bounded(comparison.side, *amount);
    }
    at_ = first_;
    if (auto range = range_after(false)) return range;
    at_ = first_;
    return amount_then_comparison();
  }

 private:
  [[nodiscard]] bool is_word(std::size_t index, std::string_view surface) const {
    return index < words_.size() && words_[index].surface == surface;
  }

  bool take(const std::array<std::string_view, 3>& wanted) {
    std::size_t at = at_;
    for (const std::string_view word : wanted) {
      if (word.empty()) break;
      if (!is_word(at, word) || (at > at_ && !words_[at].continues)) return false;
      ++at;
    }
    at_ = at;
    return true;
  }

  // [currency] number [currency]
  std::optional<Amount> take_amount() {
    Amount amount;
    std::size_t at = at_;
    if (at < words_.size()) {
      amount.currencies = currencies_of(words_[at].surface);
      if (!amount.currencies.empty()) ++at;
    }
    if (at >= words_.size() || !words_[at].number) return std::nullopt;
    amount.value = *words_[at++].number;
    if (at < words_.size() && amount.currencies.empty() && !words_[at].listed) {
      amount.currencies = currencies_of(words_[at].surface);
      if (!amount.currencies.empty()) ++at;
    }
    at_ = at;
    return amount;
  }

  // What stands beside a number without currency says that it is none of money.
  [[nodiscard]] bool is_no_price() const {
    if (at_ < words_.size() && is_measure(words_[at_].surface)) return true;
    return first_ > 0 && is_measured(words_[first_ - 1].surface);
  }

  // "women over 50", "kids under 5"; but "for men under 30" is about money.
  [[nodiscard]] bool is_age(Side side, double value) const {
    const AudienceWord* const before = first_ > 0 ? audience_word(words_[first_ - 1].form) : nullptr;
    if (before == nullptr || (before->asks.bits & AudienceSet::kAges) == 0) return false;
    if (side == Side::kAbove || side == Side::kAtLeast) return value <= kMaxAge;
    return (before->asks.bits & AudienceSet::kAdult) == 0 && value <= kMaxChildAge;
  }

  // amount (and | to | dash) amount
  std::optional<PricePhrase> range_after(bool introduced) {
    std::optional<Amount> low = take_amount();
    if (!low) return std::nullopt;
    const bool dash = at_ < words_.size() && words_[at_].hyphenated;
    if (is_word(at_, "to") || (introduced && is_word(at_, "and"))) {
      ++at_;
    } else if (!dash) {
      return std::nullopt;
    }
    std::optional<Amount> high = take_amount();
    if (!high) return std::nullopt;
    const auto currencies = common_currency(low->currencies, high->currencies);
    if (!currencies) return std::nullopt;
    if (currencies->empty() && (!introduced || is_no_price())) return std::nullopt;
    if (low->value > high->value) std::swap(low, high);
    if (high->value <= 0) return std::nullopt;
    return PricePhrase{at_, {.min = low->value, .max = high->value}, *currencies};
  }

  // "20 euros or less", "30 eur max"
  std::optional<PricePhrase> amount_then_comparison() {
    const std::optional<Amount> amount = take_amount();
    if (!amount || amount->currencies.empty()) return std::nullopt;
    if (is_word(at_, "or") || is_word(at_, "and")) ++at_;
    for (const auto& [word, side] : {std::pair{"less", Side::kAtMost}, {"under", Side::kAtMost}, {"below", Side::kAtMost},
                                     {"max", Side::kAtMost}, {"maximum", Side::kAtMost}, {"more", Side::kAtLeast},
                                     {"over", Side::kAtLeast}, {"above", Side::kAtLeast}, {"min", Side::kAtLeast}}) {
      if (!is_word(at_, word)) continue;
      ++at_;
      return bounded(side, *amount);
    }
    return std::nullopt;
  }

  // Nothing costs less than 0, so such a phrase is no wish.
  [[nodiscard]] std::optional<PricePhrase> bounded(Side side, const Amount& amount) const {
    PricePhrase phrase{at_, {}, amount.currencies};
    if (side == Side::kBelow || side == Side::kAtMost) {
      if (amount.value <= 0) return std::nullopt;
      phrase.bounds.max = amount.value;
      phrase.bounds.includes_max = side == Side::kAtMost;
    } else {
      phrase.bounds.min = amount.value;
      phrase.bounds.includes_min = side == Side::kAtLeast;
    }
    return phrase;
  }

  std::span<const QueryWord> words_;
  std::size_t first_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<PricePhrase> price_phrase(std::span<const QueryWord> words, std::size_t first) {
  return Parser(words, first).parse();
}

}  // namespace scalestyle::retrieval
