#include "retrieval/synonyms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/files.hpp"
#include "text/english_stemmer.hpp"
#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::retrieval {

namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// How many words of the query the stems cover from the first position on; 0 when they do not match.
std::size_t covered_words(const std::vector<std::string>& stems, std::span<const SynonymPosition> positions) {
  std::size_t at = 0;
  for (const std::string& stem : stems) {
    if (at >= positions.size()) return 0;
    if (positions[at].compound_words > 0 && positions[at].compound_stem == stem) {
      at += positions[at].compound_words;
    } else if (positions[at].stem == stem) {
      ++at;
    } else {
      return 0;
    }
  }
  return at;
}

}  // namespace

class SynonymTable::Parser {
 public:
  Parser(std::string_view name, text::EnglishStemmer stemmer) : name_(name), stemmer_(std::move(stemmer)) {}

  core::Result<SynonymTable> run(std::string_view text) {
    while (!text.empty()) {
      ++line_;
      const std::size_t end = std::min(text.find('\n'), text.size());
      CORE_CHECK(take_line(trim(text.substr(0, end))));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(table_);
  }

 private:
  [[nodiscard]] std::unexpected<core::Error> wrong(std::string_view what) const {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}:{}: {}", name_, line_, what));
  }

  core::Status take_line(std::string_view line) {
    if (line.empty() || line.front() == '#') return {};
    if (!text::is_valid_utf8(line)) return wrong("the line is not UTF-8");
    if (++table_.rule_count_ > kMaxSynonymRules) return wrong(fmt::format("more than {} rules", kMaxSynonymRules));
    const std::size_t arrow = line.find("=>");
    if (arrow == std::string_view::npos) {
      CORE_TRY(const auto phrases, read_phrases(line));
      if (phrases.size() < 2) return wrong("one phrase alone has no synonym: write \"a, b\" or \"a => b\"");
      for (const std::string& from : phrases) {
        CORE_CHECK(add(from, phrases));
      }
      return {};
    }
    if (line.find("=>", arrow + 2) != std::string_view::npos) return wrong("more than one \"=>\"");
    CORE_TRY(const auto sources, read_phrases(line.substr(0, arrow)));
    CORE_TRY(const auto targets, read_phrases(line.substr(arrow + 2)));
    for (const std::string& from : sources) {
      CORE_CHECK(add(from, targets));
    }
    return {};
  }

  core::Result<std::vector<std::string>> read_phrases(std::string_view list) {
    std::vector<std::string> phrases;
    for (bool more = true; more;) {
      const std::size_t comma = list.find(',');
      more = comma != std::string_view::npos;
      const std::string_view phrase = trim(list.substr(0, comma));
      list.remove_prefix(more ? comma + 1 : list.size());
      text::split_words(phrase, kMaxSynonymWords + 1, words_);
      if (words_.empty()) return wrong(fmt::format("the phrase \"{}\" has no word", phrase));
      if (words_.size() > kMaxSynonymWords) return wrong(fmt::format("a phrase of more than {} words", kMaxSynonymWords));
      if (phrases.size() == kMaxSynonymPhrases) return wrong(fmt::format("more than {} phrases", kMaxSynonymPhrases));
      phrases.emplace_back(phrase);
    }
    return phrases;
  }

  core::Status add(const std::string& from, const std::vector<std::string>& targets) {
    std::vector<std::string> phrases;
    std::ranges::copy_if(targets, std::back_inserter(phrases), [&](const std::string& target) { return target != from; });
    if (phrases.empty()) return wrong(fmt::format("\"{}\" is its own only synonym", from));
    text::split_words(from, kMaxSynonymWords, words_);
    const auto joined = stems(true);
    const auto apart = stems(false);
    insert(joined, phrases);
    if (apart != joined) insert(apart, phrases);
    return {};
  }

  std::vector<std::string> stems(bool join_compounds) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < words_.size();) {
      const std::size_t count = join_compounds ? words_.compound_length(i) : 1;
      found.emplace_back(stemmer_.stem(words_.joined(i, count)));
      i += count;
    }
    return found;
  }

  void insert(const std::vector<std::string>& stems, const std::vector<std::string>& phrases) {
    auto& meanings = table_.by_first_stem_[stems.front()];
    auto meaning = std::ranges::find(meanings, stems, &Meaning::stems);
    if (meaning == meanings.end()) meaning = meanings.insert(meanings.end(), Meaning{stems, {}});
    for (const std::string& phrase : phrases) {
      if (std::ranges::find(meaning->phrases, phrase) == meaning->phrases.end()) meaning->phrases.push_back(phrase);
    }
  }

  std::string name_;
  text::EnglishStemmer stemmer_;
  text::Words words_;
  SynonymTable table_;
  std::size_t line_ = 0;
};

core::Result<SynonymTable> SynonymTable::parse(std::string_view text, std::string_view name) {
  if (text.size() > kMaxSynonymFileBytes) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{}: {} bytes; a synonym file has at most {}", name, text.size(), kMaxSynonymFileBytes));
  }
  CORE_TRY(text::EnglishStemmer stemmer, text::EnglishStemmer::create());
  return Parser(name, std::move(stemmer)).run(text);
}

core::Result<SynonymTable> SynonymTable::read(const std::filesystem::path& path) {
  CORE_TRY(const std::string text, core::read_text_file(path, kMaxSynonymFileBytes));
  return parse(text, path.string());
}

SynonymMatch SynonymTable::match(std::span<const SynonymPosition> positions) const {
  SynonymMatch best;
  if (positions.empty()) return best;
  const auto look_up = [&](std::string_view first_stem) {
    const auto found = by_first_stem_.find(first_stem);
    if (found == by_first_stem_.end()) return;
    for (const Meaning& meaning : found->second) {
      const std::size_t words = covered_words(meaning.stems, positions);
      if (words == 0 || words < best.words) continue;
      if (words > best.words) best = {words, {}};
      for (const std::string& phrase : meaning.phrases) {
        if (std::ranges::find(best.phrases, phrase) == best.phrases.end()) best.phrases.emplace_back(phrase);
      }
    }
  };
  look_up(positions.front().stem);
  if (positions.front().compound_words > 0) look_up(positions.front().compound_stem);
  return best;
}

}  // namespace scalestyle::retrieval
