#include "search/frequent_queries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::search {

namespace {

constexpr std::size_t kMinCharacters = 2;
constexpr std::size_t kMaxCharacters = 80;
constexpr std::size_t kPrivateDigits = 6;
constexpr double kForgottenCount = 0.05;  // smaller counts are dropped
constexpr double kMaxHalfLifeSeconds = 10 * 365 * 86'400.0;

bool may_be_within_number(char32_t c) { return std::u32string_view(U" .,-/()").find(c) != std::u32string_view::npos; }

// Mixes a salt into a text's hash so that neither can be told from the other.
std::uint64_t mixed(std::uint64_t value) {
  value ^= value >> 30U;
  value *= 0xBF58476D1CE4E5B9ULL;
  value ^= value >> 27U;
  value *= 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

}  // namespace

std::optional<std::string> kept_form(std::string_view query) {
  if (query.size() > kMaxCharacters * 4 || !text::is_valid_utf8(query)) return std::nullopt;
  const std::string folded = text::fold_for_search(query);
  std::string kept;
  std::size_t characters = 0;
  std::size_t digits = 0;  // of the number that is being read
  bool has_letter = false;
  for (std::size_t position = 0; position < folded.size();) {
    const char32_t c = text::next_code_point(folded, position);
    if (text::is_bert_whitespace(c)) {
      if (!kept.empty() && kept.back() != ' ') {
        kept += ' ';
        ++characters;
      }
      continue;
    }
    if (c == U'@' || text::is_bert_control(c)) return std::nullopt;
    if (text::is_digit(c)) {
      if (++digits == kPrivateDigits) return std::nullopt;
    } else if (!may_be_within_number(c)) {
      digits = 0;
      has_letter = has_letter || text::is_letter_or_digit(c);
    }
    text::append_utf8(c, kept);
    ++characters;
  }
  if (kept.ends_with(' ')) {
    kept.pop_back();
    --characters;
  }
  if (!has_letter || characters < kMinCharacters || characters > kMaxCharacters) return std::nullopt;
  text::Words words;
  text::split_words(kept, retrieval::PhraseCompletion::kMaxPhraseWords, words);
  if (words.empty() || words.truncated()) return std::nullopt;
  return kept;
}

core::Status FrequentQueries::Options::validate() const {
  const auto check = [](double value, double least, double most, const char* name) -> core::Status {
    if (value >= least && value <= most) return {};
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} must be {} to {}, not {}", name, least, most, value), name);
  };
  CORE_CHECK(check(static_cast<double>(max_queries), 1, 20'000, "max_queries"));
  CORE_CHECK(check(static_cast<double>(min_subjects), 2, 16, "min_subjects"));
  CORE_CHECK(check(static_cast<double>(min_anonymous), 2, 1e6, "min_anonymous"));
  CORE_CHECK(check(half_life_seconds, 1, kMaxHalfLifeSeconds, "half_life_seconds"));
  return check(rebuild_seconds, 0, 3'600, "rebuild_seconds");
}

FrequentQueries::FrequentQueries(const Options& options, const core::Clock& clock)
    : options_(options), clock_(clock), began_(clock.steady_now()) {}

double FrequentQueries::now() const {
  return std::chrono::duration<double>(clock_.steady_now() - began_).count() / options_.half_life_seconds;
}

std::uint64_t FrequentQueries::hash_of(const events::Subject& subject) const {
  return mixed(std::hash<std::string>{}(subject.key()) ^ mixed(options_.salt));
}

void FrequentQueries::note(std::string_view query, const events::Subject* subject) {
  auto kept = kept_form(query);
  if (!kept) return;
  const std::lock_guard lock(mutex_);
  auto entry = counts_.find(*kept);
  if (entry == counts_.end()) {
    Count count;
    if (counts_.size() >= options_.max_queries) {
      const auto smallest = counts_.find(order_.begin()->second);
      count.level = count.error_level = smallest->second.level;
      drop(smallest);
    }
    entry = counts_.emplace(std::move(*kept), std::move(count)).first;
  } else {
    order_.erase({entry->second.level, entry->first});
  }
  raise(entry);
  witness(entry->second, subject);
  changed_ = changed_ || entry->second.is_public;
}

void FrequentQueries::raise(Counts::iterator entry) {
  const double time = now();
  entry->second.level = std::log2(std::exp2(entry->second.level - time) + 1) + time;
  order_.emplace(entry->second.level, entry->first);
}

// Until enough have asked, who they were is needed to tell them apart.
void FrequentQueries::witness(Count& count, const events::Subject* subject) const {
  if (count.is_public) return;
  if (subject == nullptr) {
    ++count.anonymous;
  } else if (const std::uint64_t hash = hash_of(*subject); std::ranges::find(count.subjects, hash) == count.subjects.end()) {
    count.subjects.push_back(hash);
  }
  count.is_public = count.subjects.size() >= options_.min_subjects || count.anonymous >= options_.min_anonymous;
  if (count.is_public) count.subjects = {};
}

void FrequentQueries::drop(Counts::iterator entry) {
  changed_ = changed_ || entry->second.is_public;
  order_.erase({entry->second.level, entry->first});
  counts_.erase(entry);
}

void FrequentQueries::forget(const events::Subject& subject) {
  const std::uint64_t hash = hash_of(subject);
  const std::lock_guard lock(mutex_);
  for (auto entry = counts_.begin(); entry != counts_.end();) {
    const auto here = entry++;
    Count& count = here->second;
    const bool was_asked = std::erase(count.subjects, hash) > 0;
    if (was_asked && count.subjects.empty() && count.anonymous == 0) drop(here);
  }
}

std::vector<FrequentQueries::Ranked> FrequentQueries::take_public() {
  const double time = now();
  while (!order_.empty() && std::exp2(order_.begin()->first - time) < kForgottenCount) drop(counts_.find(order_.begin()->second));
  std::vector<Ranked> ranked;
  for (const auto& [query, count] : counts_) {
    if (count.is_public) ranked.push_back({std::exp2(count.level - time) - std::exp2(count.error_level - time), query});
  }
  changed_ = false;
  made_ = clock_.steady_now();
  return ranked;
}

bool FrequentQueries::refresh(const std::function<bool(std::string_view query)>& answerable, bool at_once) {
  std::vector<Ranked> ranked;
  {
    const std::lock_guard lock(mutex_);
    const bool is_time = !made_ || std::chrono::duration<double>(clock_.steady_now() - *made_).count() >= options_.rebuild_seconds;
    const bool may_fade = !order_.empty() && std::exp2(order_.begin()->first - now()) < kForgottenCount;
    if (!at_once && !(is_time && (changed_ || may_fade))) return false;
    ranked = take_public();
  }
  std::erase_if(ranked, [&](const Ranked& one) { return !answerable(one.query); });
  std::ranges::sort(ranked, [](const Ranked& a, const Ranked& b) { return a.count != b.count ? a.count > b.count : a.query < b.query; });
  auto shown = std::make_shared<Shown>();
  std::vector<std::string_view> queries;
  for (Ranked& one : ranked) shown->queries.push_back(std::move(one.query));
  for (const std::string& query : shown->queries) queries.push_back(query);
  shown->completion = retrieval::PhraseCompletion(queries);
  std::shared_ptr<const Shown> next = std::move(shown);
  const std::lock_guard lock(shown_mutex_);
  shown_.swap(next);
  return true;
}

std::shared_ptr<const FrequentQueries::Shown> FrequentQueries::shown() const {
  const std::lock_guard lock(shown_mutex_);
  return shown_;
}

std::size_t FrequentQueries::size() const {
  const std::lock_guard lock(mutex_);
  return counts_.size();
}

}  // namespace scalestyle::search
