#pragma once
// Takes a template's reason apart and derives each of its claims anew from the article, the request and the counts; what it cannot
// account for, it reports.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recommend/popularity_board.hpp"
#include "retrieval/query_understanding_audience.hpp"
#include "search/query_reading.hpp"
#include "search/reason_text.hpp"
#include "search/shown_text.hpp"
#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::search {

class ReasonChecker {
 public:
  struct Known {
    const ServingGeneration& generation;
    const std::vector<retrieval::AudienceSet>& audiences;  // of its rows
    const AnswerItem& item;
    std::string_view query{};  // empty: none
    const catalog::Filter& filter;
    ReasonOrigin origin = ReasonOrigin::kPlain;
    events::EpochMs now_ms = 0;
  };
  explicit ReasonChecker(const Known& known) : known_(known), article_(known.item.article) {}

  // Empty: every claim holds and nothing else is said.
  std::string fault(std::string_view sentence) {
    rest_ = sentence;
    std::size_t characters = 0;
    for (std::size_t position = 0; position < sentence.size(); ++characters) static_cast<void>(text::next_code_point(sentence, position));
    if (characters > kMaxReasonCharacters) return "it is too long";
    if (!text::is_valid_utf8(sentence)) return "it is not UTF-8";
    for (const char c : sentence) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "it has a control character";
    }
    if (!rest_.ends_with('.')) return "it does not end";
    rest_.remove_suffix(1);
    take_shopper();
    take_lead();
    take_match();
    if (fault_.empty() && !rest_.empty()) fault_ = fmt::format("nothing accounts for \"{}\"", rest_);
    return fault_;
  }

 private:
  void claim(bool holds, std::string_view what) {
    if (!holds && fault_.empty()) fault_ = fmt::format("it is not true that {}", what);
  }
  bool take(std::string_view text) {
    if (text.empty() || !rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  bool has_events(events::Window window) const {
    const auto& board = known_.generation.popularity();
    return board != nullptr && board->window_sum(window, article_.row()) > 0;
  }

  void take_shopper() {
    const auto is = [&](std::string_view code) { return known_.item.boosted_by == code; };
    const std::array<std::pair<std::string_view, bool>, 3> claims{
        std::pair(std::string_view("you showed interest in it recently"), is("recent_click")),
        {"you have shown interest in this kind of item", is("category_affinity")},
        {"it has been popular in the last 7 days", is("online_popularity")}};
    for (const auto& [text, holds] : claims) {
      const std::string behind = ", and " + std::string(text);
      std::string alone(text);
      alone[0] = static_cast<char>(alone[0] - ('a' - 'A'));
      if (rest_ == alone || rest_.ends_with(behind)) {
        claim(holds, text);
        rest_.remove_suffix(rest_ == alone ? alone.size() : behind.size());
      }
    }
  }

  void take_lead() {
    const auto begins = [&](std::string_view text) {
      if (!take(text)) return false;
      return rest_.empty() || take(": ");
    };
    const auto asked = [&](std::string_view number) {
      text::Words words;
      text::split_words(known_.query, 100, words);
      while (number.starts_with('0')) number.remove_prefix(1);
      for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view word = words[i];
        while (word.starts_with('0')) word.remove_prefix(1);
        if (word == number) return true;
      }
      return false;
    };
    if (begins("Picked by the shop")) claim(!known_.item.pinned_by.empty(), "a rule pinned it");
    if (begins("You asked for it by its article number")) claim(asked(article_.id()), "its id is in the query");
    if (begins("You asked for it by its product number")) claim(asked(article_.product_code()), "its product code is in the query");
    if (begins("Popular in the last hour")) claim(has_events(events::Window::k1h), "it had events in the hour");
    if (begins("Popular in the last 24 hours")) claim(has_events(events::Window::k24h), "it had events in the day");
    if (begins("Popular in the last 7 days")) claim(has_events(events::Window::k7d), "it had events in the week");
    if (begins("Bought once so far")) claim(article_.purchase_count() == 1, "it was bought once");
    if (begins(fmt::format("Bought {} times so far", article_.purchase_count()))) claim(article_.purchase_count() > 1, "it was bought");
    if (begins("Of interest to shoppers lately")) {
      const auto& board = known_.generation.popularity();
      claim(board != nullptr && board->global(article_.row(), known_.now_ms) > 0, "it had events");
    }
    const std::string matches = fmt::format("Among the matches for “{}”", shown(known_.query, 60));
    if (begins(matches)) claim(known_.origin == ReasonOrigin::kFound, "the query found it");
  }

  void take_match() {
    if (rest_.empty()) return;
    const std::string type = shown(article_.product_type(), 30);
    if (!take(type)) claim(take("Article"), "it says what it is");
    if (const std::string colour = " in " + shown(article_.colour(), 30); colour.size() > 4) static_cast<void>(take(colour));
    if (take(" for ")) take_audience();
    if (take(" at ")) take_price();
    if (take(", with ")) take_words();
  }

  void take_audience() {
    using retrieval::AudienceSet;
    const std::array<std::pair<std::string_view, unsigned>, 7> people{
        std::pair(std::string_view("women"), AudienceSet::kAdult | AudienceSet::kFemale),
        {"men", AudienceSet::kAdult | AudienceSet::kMale},
        {"girls", AudienceSet::kChild | AudienceSet::kFemale},
        {"boys", AudienceSet::kChild | AudienceSet::kMale},
        {"kids", AudienceSet::kChild},
        {"babies", AudienceSet::kBaby},
        {"sport", AudienceSet::kSport}};
    const unsigned said = known_.audiences[article_.row().value].bits;
    for (const auto& [name, bits] : people) {
      if (!take(name)) continue;
      claim((said & bits) == bits, fmt::format("it is for {}", name));
      return;
    }
    claim(take("toddlers") && (said & (AudienceSet::kBaby | AudienceSet::kChild)) != 0, "it is for toddlers");
  }

  double take_number() {
    double number = -1;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    claim(error == std::errc(), "a number is here");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return number;
  }

  void take_price() {
    const auto price = article_.price();
    claim(price.has_value() && take_number() == *price, "this is its price");
    if (!price) return;
    if (const std::string& currency = known_.generation.info().currency; !currency.empty()) claim(take(" " + currency), "prices are in this");
    claim(take(" ("), "the limits follow");
    do {
      if (take("at least ")) claim(is_bound(*price >= take_bound()), "it costs as much");
      else if (take("over ")) claim(is_bound(*price > take_bound()), "it costs more");
      else if (take("at most ")) claim(is_bound(*price <= take_bound()), "it costs no more");
      else if (take("under ")) claim(is_bound(*price < take_bound()), "it costs less");
      else claim(false, "there is a limit");
    } while (fault_.empty() && take(", "));
    claim(take(")"), "the limits end");
  }
  double take_bound() { return bound_ = take_number(); }
  // That the bound was asked for: it is the filter's, or a number of the query.
  bool is_bound(bool holds) const {
    const auto is = [&](const std::optional<double>& limit) { return limit && *limit == bound_; };
    const bool in_filter = is(known_.filter.price_min) || is(known_.filter.price_max);
    return holds && (in_filter || known_.query.find(fmt::format("{:.0f}", bound_)) != std::string_view::npos);
  }

  void take_words() {
    std::vector<std::string> words;
    while (fault_.empty() && !rest_.empty()) {
      if (take("“")) {
        const std::size_t end = rest_.find("”");
        claim(end != std::string_view::npos, "a quotation ends");
        if (end == std::string_view::npos) return;
        words.emplace_back(rest_.substr(0, end));
        rest_.remove_prefix(end + std::string_view("”").size());
      } else if (take(" in its ")) {
        take_field(words);
        words.clear();
      } else if (!take(", ") && !take(" and ")) {
        return;
      }
    }
  }

  void take_field(const std::vector<std::string>& words) {
    using catalog::Attribute;
    const std::array<std::pair<std::string_view, std::string_view>, 7> fields{
        std::pair(std::string_view("name"), article_.name()),
        {"pattern", article_[Attribute::kAppearance]},
        {"description", article_.description()},
        {"department", article_.department()},
        {"section", article_[Attribute::kSection]},
        {"garment group", article_[Attribute::kGarmentGroup]},
        {"product group", article_[Attribute::kProductGroup]}};
    for (const auto& [label, text] : fields) {
      if (!take(label)) continue;
      for (const std::string& word : words) {
        claim(stands_in(text, word), fmt::format("“{}” stands in its {}", word, label));
        claim(is_of_query(word), fmt::format("“{}” was asked for", word));
      }
      return;
    }
    claim(false, "it has such a text");
  }

  static std::vector<std::string> stems(std::string_view text) {
    text::Words words;
    text::split_words(text, 1'000, words);
    auto stemmer = text::EnglishStemmer::create().value();
    std::vector<std::string> all;
    for (std::size_t i = 0; i < words.size(); ++i) all.emplace_back(stemmer.stem(words[i]));
    return all;
  }
  static bool share_a_stem(std::string_view a, std::string_view b) {
    const auto of_b = stems(b);
    return std::ranges::any_of(stems(a), [&](const std::string& stem) { return std::ranges::find(of_b, stem) != of_b.end(); });
  }
  // A cut word ends in "…": its beginning has to stand there.
  static bool stands_in(std::string_view text, std::string_view word) {
    constexpr std::string_view kCut = "…";
    if (word.ends_with(kCut)) return text.find(word.substr(0, word.size() - kCut.size())) != std::string_view::npos;
    return text.find(word) != std::string_view::npos && share_a_stem(word, text);
  }
  bool is_of_query(std::string_view word) const { return word.ends_with("…") || share_a_stem(word, known_.query); }

  const Known& known_;
  catalog::ArticleView article_;
  std::string_view rest_;
  std::string fault_;
  double bound_ = 0;
};

}  // namespace scalestyle::search
