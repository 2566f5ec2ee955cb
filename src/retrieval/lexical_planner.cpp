#include "retrieval/lexical_planner.hpp"

#include <algorithm>
#include <cmath>

#include "retrieval/lexical_postings.hpp"
#include "retrieval/spelling.hpp"

namespace scalestyle::retrieval {

namespace {

constexpr std::size_t kMaxPlannedLists = 256;   // of a query; alternatives beyond are left out
constexpr std::size_t kMaxNamedRows = 1000;
constexpr std::size_t kMaxCorrectedWords = 8;   // of a query; each costs up to a quarter of a millisecond
constexpr std::size_t kMinSplitLetters = 3;     // of each half of a word that is taken apart

bool has_digit(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// The most that a phrase can be worth, in units of PlannedList::weight.
double worth_of(const PlannedPhrase& phrase) {
  double sum = 0;
  for (const PlannedWord& word : phrase.words) {
    std::uint32_t best = 0;
    for (const PlannedList& list : word.lists) best = std::max(best, list.weight);
    sum += best;
  }
  return sum;
}

void scale(PlannedPhrase& phrase, double factor) {
  const auto scaled = [factor](std::uint32_t weight) { return static_cast<std::uint32_t>(std::lround(weight * factor)); };
  for (PlannedWord& word : phrase.words) {
    for (PlannedList& list : word.lists) {
      list.weight = scaled(list.weight);
      list.stem_weight = scaled(list.stem_weight);
    }
  }
}

std::size_t list_count_of(const PlannedPhrase& phrase) {
  std::size_t count = 0;
  for (const PlannedWord& word : phrase.words) count += word.lists.size();
  return count;
}

}  // namespace

LexicalPlan LexicalPlanner::run(std::string_view query) {
  plan_.truncated = query.size() > kMaxQueryBytes;
  std::string text(query.substr(0, kMaxQueryBytes));
  take_named_rows(text);
  text::split_words(text, kMaxQueryWords, words_);
  plan_.truncated = plan_.truncated || words_.truncated();
  is_done_.assign(words_.size(), false);
  if (in_.synonyms != nullptr && !in_.synonyms->empty()) plan_synonyms();
  split_units();
  if (in_.options.join_words) plan_pairs();
  for (const Unit& unit : units_) {
    if (!is_done_[unit.first]) plan_unit(unit);
  }
  return std::move(plan_);
}

// Blanks out what names an article, so that it is not searched as a word too.
void LexicalPlanner::take_named_rows(std::string& query) {
  constexpr std::string_view kBetween = " \t\r\n,;";
  for (std::size_t begin = query.find_first_not_of(kBetween); begin < query.size();) {
    const std::size_t end = std::min(query.find_first_of(kBetween, begin), query.size());
    const std::string_view part = std::string_view(query).substr(begin, end - begin);
    const bool is_whole = query.find_first_not_of(kBetween) == begin && query.find_first_not_of(kBetween, end) == std::string::npos;
    if (part.size() <= catalog::ArticleId::kMaxBytes && (is_whole || has_digit(part))) {
      const auto rows = in_.products.find(part);
      for (const catalog::RowIndex row : rows) {
        if (plan_.named_rows.size() == kMaxNamedRows) break;
        if (std::ranges::find(plan_.named_rows, row) == plan_.named_rows.end()) plan_.named_rows.push_back(row);
      }
      if (!rows.empty()) std::fill(query.begin() + static_cast<std::ptrdiff_t>(begin), query.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    }
    begin = query.find_first_not_of(kBetween, end);
  }
}

// Plain words and compounds in order; stop words are done with, unless there is nothing else.
void LexicalPlanner::split_units() {
  for (std::size_t i = 0; i < words_.size(); i += words_.compound_length(i)) units_.push_back({i, words_.compound_length(i)});
  const auto is_stop = [this](const Unit& unit) { return unit.count == 1 && text::is_english_stop_word(words_[unit.first]); };
  if (std::ranges::all_of(units_, is_stop)) return;
  for (const Unit& unit : units_) {
    if (is_stop(unit)) is_done_[unit.first] = true;
  }
}

void LexicalPlanner::plan_synonyms() {
  std::vector<SynonymPosition> positions;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    SynonymPosition position{.stem = std::string(stemmer_.stem(words_[i]))};
    if (!words_.continues(i) && words_.compound_length(i) > 1) {
      position.compound_words = words_.compound_length(i);
      position.compound_stem = std::string(stemmer_.stem(words_.joined(i, position.compound_words)));
    }
    positions.push_back(std::move(position));
  }
  for (std::size_t i = 0; i < words_.size();) {
    const SynonymMatch match = in_.synonyms->match(std::span(positions).subspan(i));
    if (match.words == 0) {
      ++i;
      continue;
    }
    PlannedClause clause{.text = text_of(i, match.words), .phrases = {}};
    PlannedPhrase own = plan_phrase(clause.text, MatchKind::kWord);
    if (!own.words.empty()) clause.phrases.push_back(std::move(own));
    for (const std::string_view phrase : match.phrases) {
      const std::size_t before = clause.phrases.size();
      add_alternative(clause, plan_phrase(phrase, MatchKind::kSynonym), in_.options.synonym_weight);
      if (clause.phrases.size() > before) plan_.notes.push_back({MatchKind::kSynonym, clause.text, std::string(phrase)});
    }
    if (!clause.phrases.empty()) {
      add_clause(std::move(clause));
      std::fill_n(is_done_.begin() + static_cast<std::ptrdiff_t>(i), match.words, true);
    }
    i += match.words;
  }
}

// "sweat shirt" also means "sweatshirt", when the catalogue has that word.
void LexicalPlanner::plan_pairs() {
  const auto is_open = [this](const Unit& unit) { return unit.count == 1 && !is_done_[unit.first]; };
  for (std::size_t i = 0; i + 1 < units_.size(); ++i) {
    if (!is_open(units_[i]) || !is_open(units_[i + 1])) continue;
    const std::size_t first = units_[i].first;
    const std::string_view joined = words_.joined(first, 2);
    if (articles_of(joined) <= in_.options.rare_articles || !in_.vocabulary.find(joined)) continue;
    PlannedClause clause{.text = text_of(first, 2), .phrases = {}};
    PlannedPhrase apart;
    for (const std::size_t word : {first, first + 1}) {
      PlannedWord planned = plan_word(word);
      if (!planned.lists.empty()) apart.words.push_back(std::move(planned));
    }
    if (!apart.words.empty()) clause.phrases.push_back(std::move(apart));
    PlannedPhrase together;
    together.words.push_back({{*look_up(joined, MatchKind::kCompound, 1.0F)}});
    plan_.notes.push_back({MatchKind::kCompound, clause.text, std::string(joined)});
    add_alternative(clause, std::move(together), in_.options.compound_weight);
    add_clause(std::move(clause));
    is_done_[first] = is_done_[first + 1] = true;
  }
}

void LexicalPlanner::plan_unit(const Unit& unit) {
  const std::string text = text_of(unit.first, unit.count);
  if (unit.count > 1) {
    if (auto joined = look_up(words_.joined(unit.first, unit.count), MatchKind::kWord, 1.0F)) {
      PlannedClause clause{.text = text, .phrases = {{.words = {{{std::move(*joined)}}}}}};
      PlannedPhrase parts = plan_phrase(text, MatchKind::kCompound);
      parts.needs_all = true;
      if (parts.words.size() == unit.count) add_alternative(clause, std::move(parts), in_.options.compound_weight);
      add_clause(std::move(clause));
      return;
    }
  }
  for (std::size_t word = unit.first; word < unit.first + unit.count; ++word) {
    if (unit.count > 1 && text::is_english_stop_word(words_[word])) continue;
    PlannedClause clause{.text = std::string(words_[word]), .phrases = {}};
    if (PlannedWord planned = plan_word(word); !planned.lists.empty()) {
      clause.phrases.push_back({.words = {std::move(planned)}});
    } else if (auto halves = in_.options.join_words ? split_in_two(words_[word]) : std::nullopt) {
      plan_.notes.push_back({MatchKind::kCompound, clause.text, halves->words[0].lists[0].word + " " + halves->words[1].lists[0].word});
      clause.phrases.push_back(std::move(*halves));
    } else {
      plan_.unknown_words.push_back(clause.text);
      continue;
    }
    add_clause(std::move(clause));
  }
}

// A word that is said twice counts once.
void LexicalPlanner::add_clause(PlannedClause clause) {
  if (clause.is_single_list()) {
    const TermId term = clause.phrases[0].words[0].lists[0].term;
    const auto is_same = [term](const PlannedClause& other) {
      return other.is_single_list() && other.phrases[0].words[0].lists[0].term == term;
    };
    if (std::ranges::any_of(plan_.clauses, is_same)) return;
  }
  for (const PlannedPhrase& phrase : clause.phrases) list_count_ += list_count_of(phrase);
  plan_.clauses.push_back(std::move(clause));
}

// An alternative is never worth more than the words that the query has, whatever their rarity.
void LexicalPlanner::add_alternative(PlannedClause& clause, PlannedPhrase phrase, float weight) const {
  if (phrase.words.empty() || list_count_ + list_count_of(phrase) > kMaxPlannedLists) return;
  double factor = static_cast<double>(weight);
  if (!clause.phrases.empty()) factor *= std::min(1.0, worth_of(clause.phrases.front()) / std::max(1.0, worth_of(phrase)));
  scale(phrase, factor);
  clause.phrases.push_back(std::move(phrase));
}

std::string LexicalPlanner::text_of(std::size_t first, std::size_t count) const {
  std::string text(words_[first]);
  for (std::size_t i = first + 1; i < first + count; ++i) text.append(words_.continues(i) ? "-" : " ").append(words_[i]);
  return text;
}

double LexicalPlanner::idf(std::uint32_t articles) const {
  const double n = articles;
  return std::pow(std::log(1.0 + (static_cast<double>(in_.article_count) - n + 0.5) / (n + 0.5)), in_.idf_exponent);
}

std::uint32_t LexicalPlanner::articles_of(std::string_view word) {
  const auto term = in_.vocabulary.find_stem(stemmer_.stem(word));
  return term ? in_.vocabulary.term_articles(*term) : 0;
}

std::optional<PlannedList> LexicalPlanner::look_up(std::string_view word, MatchKind kind, float factor) {
  const auto term = in_.vocabulary.find_stem(stemmer_.stem(word));
  if (!term || in_.vocabulary.term_articles(*term) == 0) return std::nullopt;
  const double weight = idf(in_.vocabulary.term_articles(*term)) * static_cast<double>(factor) * kWeightOne;
  const auto known = in_.vocabulary.find(word);
  return PlannedList{.term = *term,
                     .forms = known ? in_.vocabulary.form_bit(*known) : std::uint8_t{0},
                     .weight = static_cast<std::uint32_t>(std::lround(weight)),
                     .stem_weight = static_cast<std::uint32_t>(std::lround(weight * static_cast<double>(in_.options.stem_weight))),
                     .kind = kind,
                     .word = std::string(word)};
}

PlannedList LexicalPlanner::list_of(WordId word, MatchKind kind, double weight) const {
  return {.term = in_.vocabulary.term(word),
          .forms = in_.vocabulary.form_bit(word),
          .weight = static_cast<std::uint32_t>(std::lround(weight * kWeightOne)),
          .stem_weight = static_cast<std::uint32_t>(std::lround(weight * kWeightOne * static_cast<double>(in_.options.stem_weight))),
          .kind = kind,
          .word = std::string(in_.vocabulary.word(word))};
}

PlannedWord LexicalPlanner::plan_word(std::size_t word) {
  PlannedWord planned;
  const std::string_view text = words_[word];
  if (auto own = look_up(text, MatchKind::kWord, 1.0F)) planned.lists.push_back(std::move(*own));
  const std::uint32_t articles = articles_of(text);
  if (articles > in_.options.rare_articles) return planned;
  if (in_.options.correct) add_corrections(planned, text, articles);
  if (in_.options.expand_prefix && is_last(word)) add_completions(planned, text);
  return planned;
}

// All share the rarity of the most frequent, or the rarest correction would win.
void LexicalPlanner::add_corrections(PlannedWord& planned, std::string_view word, std::uint32_t articles) {
  const std::size_t edits = allowed_edits(word);
  if (edits == 0 || in_.options.max_corrections == 0 || corrected_words_ == kMaxCorrectedWords) return;
  ++corrected_words_;
  const std::uint32_t least = std::max<std::uint32_t>(in_.options.rare_articles + 1, articles * in_.options.correction_ratio);
  const auto near_words = find_near_words(in_.vocabulary, word, edits, least, in_.options.max_corrections);
  std::uint32_t most = 0;
  for (const NearWord& near : near_words) most = std::max(most, in_.vocabulary.term_articles(in_.vocabulary.term(near.word)));
  for (const NearWord& near : near_words) {
    const double factor = std::pow(static_cast<double>(in_.options.correction_weight), near.distance);
    planned.lists.push_back(list_of(near.word, MatchKind::kCorrection, idf(most) * factor));
    plan_.notes.push_back({MatchKind::kCorrection, std::string(word), planned.lists.back().word});
  }
}

void LexicalPlanner::add_completions(PlannedWord& planned, std::string_view word) {
  constexpr std::size_t kMinPrefixBytes = 2;
  if (word.size() < kMinPrefixBytes) return;
  const WordRange range = in_.vocabulary.with_prefix(word);
  const auto articles = [this](WordId id) { return in_.vocabulary.term_articles(in_.vocabulary.term(id)); };
  std::vector<WordId> found;
  for (WordId id = range.begin; id < range.end; ++id) {
    if (in_.vocabulary.word(id) != word && articles(id) > 0) found.push_back(id);
  }
  std::ranges::sort(found, [&](WordId a, WordId b) { return articles(a) != articles(b) ? articles(a) > articles(b) : a < b; });
  const std::size_t before = planned.lists.size();
  for (const WordId id : found) {
    if (planned.lists.size() - before == in_.options.max_expansions) break;
    const auto has_term = [&](const PlannedList& list) { return list.term == in_.vocabulary.term(id); };
    if (std::ranges::any_of(planned.lists, has_term)) continue;
    const double weight = idf(articles(found.front())) * static_cast<double>(in_.options.prefix_weight);
    planned.lists.push_back(list_of(id, MatchKind::kPrefix, weight));
    plan_.notes.push_back({MatchKind::kPrefix, std::string(word), planned.lists.back().word});
  }
}

std::optional<PlannedPhrase> LexicalPlanner::split_in_two(std::string_view word) {
  std::uint32_t best = in_.options.rare_articles;
  std::size_t best_at = 0;
  for (std::size_t at = kMinSplitLetters; at + kMinSplitLetters <= word.size(); ++at) {
    if ((static_cast<unsigned char>(word[at]) & 0xC0U) == 0x80U) continue;  // inside a code point
    if (!in_.vocabulary.find(word.substr(0, at)) || !in_.vocabulary.find(word.substr(at))) continue;
    const std::uint32_t articles = std::min(articles_of(word.substr(0, at)), articles_of(word.substr(at)));
    if (articles <= best) continue;
    best = articles;
    best_at = at;
  }
  if (best_at == 0) return std::nullopt;
  PlannedPhrase phrase;
  for (const std::string_view half : {word.substr(0, best_at), word.substr(best_at)}) {
    phrase.words.push_back({{*look_up(half, MatchKind::kCompound, in_.options.compound_weight)}});
  }
  return phrase;
}

// Compounds are looked up as one word where the catalogue has it. Words that no article has are left out; a synonym
// of several words has to be there as a whole.
PlannedPhrase LexicalPlanner::plan_phrase(std::string_view phrase, MatchKind kind) {
  PlannedPhrase planned;
  text::Words words;
  text::split_words(phrase, kMaxQueryWords, words);
  const bool keeps_compounds = kind != MatchKind::kCompound;
  for (std::size_t i = 0; i < words.size();) {
    const std::size_t count = keeps_compounds ? words.compound_length(i) : 1;
    auto list = look_up(words.joined(i, count), kind, 1.0F);
    if (list) {
      planned.words.push_back({{std::move(*list)}});
      i += count;
      continue;
    }
    if (count == 1 && kind == MatchKind::kSynonym) return {};
    for (std::size_t part = i; count > 1 && part < i + count; ++part) {
      if (auto piece = look_up(words[part], kind, 1.0F)) planned.words.push_back({{std::move(*piece)}});
    }
    i += count;
  }
  planned.needs_all = kind == MatchKind::kSynonym && planned.words.size() > 1;
  return planned;
}

}  // namespace scalestyle::retrieval
