#include "retrieval/lexical_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace scalestyle::retrieval {

namespace {

catalog::Attribute attribute_of(LexicalField field) {
  using catalog::Attribute;
  switch (field) {
    case LexicalField::kType: return Attribute::kProductType;
    case LexicalField::kGroup: return Attribute::kProductGroup;
    case LexicalField::kAppearance: return Attribute::kAppearance;
    case LexicalField::kColour: return Attribute::kColour;
    case LexicalField::kColourValue: return Attribute::kColourValue;
    case LexicalField::kColourFamily: return Attribute::kColourFamily;
    case LexicalField::kDepartment: return Attribute::kDepartment;
    case LexicalField::kSection: return Attribute::kSection;
    case LexicalField::kGarmentGroup: return Attribute::kGarmentGroup;
    case LexicalField::kIndex: return Attribute::kIndex;
    default: return Attribute::kIndexGroup;
  }
}

struct CountedWord {
  std::uint32_t word;
  std::uint32_t count;
};

// The words of every distinct text of a column, and how much one occurrence counts there.
struct ColumnWords {
  std::vector<std::uint32_t> begin{0};  // by code, into words
  std::vector<CountedWord> words;
  std::vector<std::uint32_t> lengths;  // by code
  std::vector<float> scale;            // by code
};

// The distinct terms of one row.
struct RowTerms {
  std::vector<TermId> terms;  // in order of their first occurrence
  std::vector<float> frequency;      // by term, of the terms above only
  std::vector<std::uint8_t> forms;
  std::vector<std::uint32_t> term_mark;
  std::vector<std::uint32_t> word_mark;
};

class Builder {
 public:
  Builder(const catalog::Catalog& catalog, const LexicalOptions& options, const BuiltLexical* statistics)
      : catalog_(catalog), options_(options), statistics_(statistics) {
    for (const LexicalField field : all_lexical_fields()) columns_.push_back(lexical_column(catalog, field));
  }

  core::Result<BuiltLexical> run() {
    for (std::size_t i = 0; i < kLexicalFieldCount; ++i) cut_column(i);
    sort_words();
    CORE_CHECK(find_stems());
    for (std::size_t i = 0; i < kLexicalFieldCount; ++i) weigh_column(i);
    CORE_CHECK(count_postings());
    fill_postings();
    take_statistics();
    built_.vocabulary = LexicalVocabulary(std::move(parts_));
    return std::move(built_);
  }

 private:
  void cut_column(std::size_t index) {
    const LexicalColumn& column = columns_[index];
    ColumnWords& cut = cut_[index];
    std::vector<std::uint32_t> place;  // of a word among those of the current text
    for (std::uint32_t code = 0; code < column.text_count; ++code) {
      const std::uint32_t first = cut.begin.back();
      const std::size_t length = for_each_indexed_word(column.text(code), scratch_, [&](std::string_view word) {
        const std::uint32_t id = parts_.words.intern(word);
        if (id >= place.size()) place.resize(std::max<std::size_t>(2 * place.size(), id + 1), UINT32_MAX);
        const std::uint32_t known = place[id];
        if (known != UINT32_MAX && known >= first) {
          ++cut.words[known].count;
        } else {
          place[id] = static_cast<std::uint32_t>(cut.words.size());
          cut.words.push_back({id, 1});
        }
      });
      cut.begin.push_back(static_cast<std::uint32_t>(cut.words.size()));
      cut.lengths.push_back(static_cast<std::uint32_t>(length));
    }
  }

  static std::vector<std::uint32_t> sort_pool(catalog::StringPool& pool) {
    std::vector<std::uint32_t> by_text(pool.size());
    std::iota(by_text.begin(), by_text.end(), 0U);
    std::ranges::sort(by_text, [&pool](std::uint32_t a, std::uint32_t b) { return pool[a] < pool[b]; });
    catalog::StringPool sorted;
    std::vector<std::uint32_t> new_id(pool.size());
    for (const std::uint32_t id : by_text) new_id[id] = sorted.intern(pool[id]);
    sorted.freeze();
    pool = std::move(sorted);
    return new_id;
  }

  void sort_words() {
    const std::vector<std::uint32_t> new_id = sort_pool(parts_.words);
    for (ColumnWords& cut : cut_) {
      for (CountedWord& counted : cut.words) counted.word = new_id[counted.word];
    }
  }

  core::Status find_stems() {
    CORE_TRY(text::EnglishStemmer stemmer, text::EnglishStemmer::create());
    for (WordId id = 0; id < parts_.words.size(); ++id) {
      parts_.term_of_word.push_back(parts_.stems.intern(stemmer.stem(parts_.words[id])));
    }
    const std::vector<std::uint32_t> new_id = sort_pool(parts_.stems);
    std::vector<std::uint8_t> forms_of_term(parts_.stems.size(), 0);
    for (TermId& term : parts_.term_of_word) {
      term = new_id[term];
      const std::uint8_t form = forms_of_term[term];
      parts_.form_bit.push_back(static_cast<std::uint8_t>(1U << form));
      if (form < 7) ++forms_of_term[term];
    }
    return {};
  }

  void weigh_column(std::size_t index) {
    const LexicalField field = all_lexical_fields()[index];
    ColumnWords& cut = cut_[index];
    std::uint64_t total = 0;
    std::uint64_t rows = 0;
    for (const std::uint32_t code : columns_[index].codes) {
      total += cut.lengths[code];
      rows += cut.lengths[code] > 0 ? 1U : 0U;
    }
    built_.average_length[index] =
        statistics_ != nullptr ? statistics_->average_length[index]
        : rows == 0            ? 1.0F
                               : static_cast<float>(static_cast<double>(total) / static_cast<double>(rows));
    const auto average = static_cast<double>(built_.average_length[index]);
    const double b = static_cast<double>(options_.length_b(field));
    for (const std::uint32_t length : cut.lengths) {
      cut.scale.push_back(static_cast<float>(static_cast<double>(options_.weight(field)) /
                                             (1.0 - b + b * static_cast<double>(length) / average)));
    }
  }

  void read_row(std::uint32_t row, RowTerms& found) const {
    found.terms.clear();
    const std::uint32_t mark = row + 1;
    for (std::size_t i = 0; i < kLexicalFieldCount; ++i) {
      const std::uint32_t code = columns_[i].codes[row];
      const ColumnWords& cut = cut_[i];
      const float scale = cut.scale[code];
      if (scale <= 0.0F) continue;
      for (std::uint32_t at = cut.begin[code]; at < cut.begin[code + 1]; ++at) {
        const CountedWord& counted = cut.words[at];
        const TermId term = parts_.term_of_word[counted.word];
        if (found.term_mark[term] != mark) {
          found.term_mark[term] = mark;
          found.terms.push_back(term);
          found.frequency[term] = 0.0F;
          found.forms[term] = 0;
        }
        found.frequency[term] += scale * static_cast<float>(counted.count);
        found.forms[term] = static_cast<std::uint8_t>(found.forms[term] | parts_.form_bit[counted.word]);
      }
    }
  }

  [[nodiscard]] RowTerms row_terms() const {
    const std::size_t terms = parts_.stems.size();
    return {.terms = {}, .frequency = std::vector<float>(terms), .forms = std::vector<std::uint8_t>(terms),
            .term_mark = std::vector<std::uint32_t>(terms), .word_mark = std::vector<std::uint32_t>(parts_.words.size())};
  }

  // Article counts of words and terms, and room for the postings.
  core::Status count_postings() {
    const std::size_t terms = parts_.stems.size();
    parts_.term_articles.assign(terms, 0);
    parts_.word_articles.assign(parts_.words.size(), 0);
    std::vector<std::uint32_t> last_window(terms, UINT32_MAX);
    built_.lists.first_block.assign(terms + 1, 0);
    RowTerms found = row_terms();
    for (std::uint32_t row = 0; row < catalog_.size(); ++row) {
      read_row(row, found);
      for (const TermId term : found.terms) {
        ++parts_.term_articles[term];
        if (last_window[term] == row / kWindowRows) continue;
        last_window[term] = static_cast<std::uint32_t>(row / kWindowRows);
        ++built_.lists.first_block[term + 1];
      }
      count_words(row, found);
    }
    std::partial_sum(built_.lists.first_block.begin(), built_.lists.first_block.end(), built_.lists.first_block.begin());
    const auto total = std::accumulate(parts_.term_articles.begin(), parts_.term_articles.end(), std::uint64_t{0});
    if (total >= UINT32_MAX) {
      return core::fail(core::ErrorCode::kResourceExhausted,
                        fmt::format("the catalogue's texts make {} postings; a lexical index holds at most 2^32 − 2", total));
    }
    built_.lists.postings.resize(total);
    built_.lists.blocks.resize(built_.lists.first_block.back() + std::size_t{1});
    return {};
  }

  void count_words(std::uint32_t row, RowTerms& found) {
    for (std::size_t i = 0; i < kLexicalFieldCount; ++i) {
      const std::uint32_t code = columns_[i].codes[row];
      for (std::uint32_t at = cut_[i].begin[code]; at < cut_[i].begin[code + 1]; ++at) {
        const WordId word = cut_[i].words[at].word;
        if (found.word_mark[word] == row + 1) continue;
        found.word_mark[word] = row + 1;
        ++parts_.word_articles[word];
      }
    }
  }

  void fill_postings() {
    PostingLists& lists = built_.lists;
    const std::size_t terms = parts_.stems.size();
    std::vector<std::uint32_t> next_posting(terms + 1, 0);
    std::partial_sum(parts_.term_articles.begin(), parts_.term_articles.end(), next_posting.begin() + 1);
    std::vector<std::uint32_t> next_block(lists.first_block.begin(), lists.first_block.end() - 1);
    lists.blocks.back() = {static_cast<std::uint32_t>(lists.postings.size()), 0, 0};
    RowTerms found = row_terms();
    for (std::uint32_t row = 0; row < catalog_.size(); ++row) {
      read_row(row, found);
      const auto window = static_cast<std::uint16_t>(row / kWindowRows);
      for (const TermId term : found.terms) {
        const double frequency = static_cast<double>(found.frequency[term]);
        const double share = frequency / (static_cast<double>(options_.k1) + frequency);
        const auto impact = static_cast<std::uint16_t>(std::max(1.0, std::round(65535.0 * share)));
        if (next_block[term] == lists.first_block[term] || lists.blocks[next_block[term] - 1].window != window) {
          lists.blocks[next_block[term]++] = {next_posting[term], window, 0};
        }
        PostingBlock& block = lists.blocks[next_block[term] - 1];
        block.max_impact = std::max(block.max_impact, impact);
        lists.postings[next_posting[term]++] = {static_cast<std::uint8_t>(row % kWindowRows), found.forms[term], impact};
      }
    }
  }

  void take_statistics() {
    built_.article_count = statistics_ != nullptr ? statistics_->article_count : catalog_.size();
    for (TermId term = 0; statistics_ != nullptr && term < parts_.stems.size(); ++term) {
      const auto known = statistics_->vocabulary.find_stem(parts_.stems[term]);
      if (known) parts_.term_articles[term] = std::max(parts_.term_articles[term], statistics_->vocabulary.term_articles(*known));
    }
  }

  const catalog::Catalog& catalog_;
  const LexicalOptions& options_;
  const BuiltLexical* statistics_;
  std::vector<LexicalColumn> columns_;
  std::array<ColumnWords, kLexicalFieldCount> cut_;
  LexicalVocabulary::Parts parts_;
  BuiltLexical built_;
  text::Words scratch_;
};

}  // namespace

LexicalColumn lexical_column(const catalog::Catalog& catalog, LexicalField field) {
  LexicalColumn column;
  column.catalog = &catalog;
  column.field = field;
  if (field == LexicalField::kName) {
    column.codes = catalog.name_codes();
    column.text_count = catalog.name_count();
  } else if (field == LexicalField::kDescription) {
    column.codes = catalog.description_codes();
    column.text_count = catalog.description_count();
  } else {
    column.codes = catalog.codes(attribute_of(field));
    column.text_count = catalog.value_count(attribute_of(field));
  }
  return column;
}

std::string_view LexicalColumn::text(std::uint32_t code) const {
  if (field == LexicalField::kName) return catalog->name_of(code);
  if (field == LexicalField::kDescription) return catalog->description_of(code);
  return catalog->value_of(attribute_of(field), code);
}

core::Result<BuiltLexical> build_lexical(const catalog::Catalog& catalog, const LexicalOptions& options,
                                         const BuiltLexical* statistics) {
  if (catalog.size() > kMaxLexicalRows) {
    return core::fail(core::ErrorCode::kResourceExhausted,
                      fmt::format("{} articles; a lexical index holds at most {}", catalog.size(), kMaxLexicalRows));
  }
  return Builder(catalog, options, statistics).run();
}

}  // namespace scalestyle::retrieval
