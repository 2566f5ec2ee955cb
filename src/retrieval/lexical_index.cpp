#include "retrieval/lexical_index.hpp"

#include <algorithm>
#include <utility>

#include "retrieval/lexical_builder.hpp"
#include "retrieval/lexical_planner.hpp"
#include "text/english_stemmer.hpp"

namespace scalestyle::retrieval {

struct LexicalIndex::State {
  const catalog::Catalog& catalog;
  LexicalOptions options;
  BuiltLexical built;
  ProductLookup products;
};

namespace {

float score_of(std::int32_t units) { return static_cast<float>(static_cast<double>(units) / kScoreUnits); }

// No article scores higher by its words.
double ceiling_of(const std::vector<PlannedClause>& clauses) {
  double sum = 0;
  for (const PlannedClause& clause : clauses) {
    double best = 0;
    for (const PlannedPhrase& phrase : clause.phrases) {
      double worth = 0;
      for (const PlannedWord& word : phrase.words) {
        std::uint32_t most = 0;
        for (const PlannedList& list : word.lists) most = std::max({most, list.weight, list.stem_weight});
        worth += most;
      }
      best = std::max(best, worth);
    }
    sum += best;
  }
  return sum / kWeightOne;
}

bool is_named(const LexicalPlan& plan, catalog::RowIndex row) {
  return std::ranges::find(plan.named_rows, row) != plan.named_rows.end();
}

}  // namespace

LexicalIndex::LexicalIndex(std::unique_ptr<const State> state) : state_(std::move(state)) {}
LexicalIndex::LexicalIndex(LexicalIndex&&) noexcept = default;
LexicalIndex& LexicalIndex::operator=(LexicalIndex&&) noexcept = default;
LexicalIndex::~LexicalIndex() = default;

core::Result<LexicalIndex> LexicalIndex::build(const catalog::Catalog& catalog, const LexicalOptions& options,
                                               const LexicalIndex* statistics) {
  CORE_CHECK(options.validate());
  CORE_TRY(BuiltLexical built, build_lexical(catalog, options, statistics != nullptr ? &statistics->state_->built : nullptr));
  return LexicalIndex(std::unique_ptr<const State>(new State{catalog, options, std::move(built), ProductLookup(catalog)}));
}

core::Result<LexicalPlan> LexicalIndex::plan(std::string_view query, const SynonymTable* synonyms,
                                             const LexicalQueryOptions& options) const {
  CORE_CHECK(options.validate());
  CORE_TRY(text::EnglishStemmer stemmer, text::EnglishStemmer::create());
  const PlannerInput input{.vocabulary = state_->built.vocabulary,
                           .products = state_->products,
                           .article_count = state_->built.article_count,
                           .idf_exponent = static_cast<double>(state_->options.idf_exponent),
                           .synonyms = synonyms,
                           .options = options};
  return LexicalPlanner(input, std::move(stemmer)).run(query);
}

LexicalResult LexicalIndex::search(const LexicalPlan& plan, const catalog::Bitmap* eligible, std::size_t k) const {
  LexicalResult result;
  const float ceiling = static_cast<float>(ceiling_of(plan.clauses) + 1.0);
  for (const catalog::RowIndex row : plan.named_rows) {
    if (result.hits.size() < k && (eligible == nullptr || eligible->test(row))) result.hits.push_back({row, ceiling, true});
  }
  BlockMaxAnswer answer = search_block_max(state_->built.lists, state_->catalog.size(), plan.clauses, eligible, k);
  for (const RowScore& found : answer.rows) {
    if (result.hits.size() == k) break;
    if (!is_named(plan, {found.row})) result.hits.push_back({{found.row}, score_of(found.score), false});
  }
  result.work = answer.work;
  return result;
}

float LexicalIndex::score(const LexicalPlan& plan, catalog::RowIndex row) const {
  if (is_named(plan, row)) return static_cast<float>(ceiling_of(plan.clauses) + 1.0);
  return score_of(score_row(state_->built.lists, plan.clauses, row.value));
}

const LexicalVocabulary& LexicalIndex::vocabulary() const { return state_->built.vocabulary; }

std::size_t LexicalIndex::posting_count() const { return state_->built.lists.postings.size(); }

std::size_t LexicalIndex::memory_bytes() const {
  return state_->built.vocabulary.memory_bytes() + state_->built.lists.memory_bytes() + state_->products.memory_bytes();
}

namespace {

// Where the article has a term: occurrences and their weight, field by field.
class FieldReader {
 public:
  FieldReader(const catalog::Catalog& catalog, const LexicalOptions& options, const BuiltLexical& built, std::uint32_t row)
      : catalog_(catalog), options_(options), built_(built), row_(row) {}

  [[nodiscard]] std::vector<TermExplanation::Field> fields_of(TermId term) {
    std::vector<TermExplanation::Field> fields;
    float total = 0;
    for (const LexicalField field : all_lexical_fields()) {
      const LexicalColumn column = lexical_column(catalog_, field);
      std::size_t count = 0;
      const std::size_t length = for_each_indexed_word(column.text(column.codes[row_]), words_, [&](std::string_view word) {
        const auto known = built_.vocabulary.find(word);
        if (known && built_.vocabulary.term(*known) == term) ++count;
      });
      const float weight = options_.weight(field);
      if (count == 0 || weight <= 0.0F) continue;
      const float b = options_.length_b(field);
      const float average = built_.average_length[static_cast<std::size_t>(field)];
      fields.push_back({field, count, weight * static_cast<float>(count) / (1.0F - b + b * static_cast<float>(length) / average)});
      total += fields.back().share;
    }
    for (auto& field : fields) field.share /= total;
    return fields;
  }

 private:
  const catalog::Catalog& catalog_;
  const LexicalOptions& options_;
  const BuiltLexical& built_;
  std::uint32_t row_;
  text::Words words_;
};

}  // namespace

LexicalExplanation LexicalIndex::explain(const LexicalPlan& plan, catalog::RowIndex row) const {
  LexicalExplanation explanation;
  explanation.is_named = is_named(plan, row);
  const PostingLists& lists = state_->built.lists;
  FieldReader reader(state_->catalog, state_->options, state_->built, row.value);
  std::int32_t total = 0;
  for (const PlannedClause& clause : plan.clauses) {
    const auto best = std::ranges::max_element(
        clause.phrases, {}, [&](const PlannedPhrase& phrase) { return score_phrase(lists, phrase, row.value); });
    if (score_phrase(lists, *best, row.value) == 0) continue;
    for (const PlannedWord& word : best->words) {
      const auto list = std::ranges::max_element(
          word.lists, {}, [&](const PlannedList& candidate) { return score_list(lists, candidate, row.value); });
      const std::int32_t units = score_list(lists, *list, row.value);
      if (units == 0) continue;
      total += units;
      const Posting* const posting = lists.find(list->term, row.value);
      explanation.terms.push_back({.query_text = clause.text,
                                   .word = list->word,
                                   .kind = list->kind,
                                   .is_exact_form = (posting->forms & list->forms) != 0,
                                   .score = score_of(units),
                                   .fields = reader.fields_of(list->term)});
    }
  }
  explanation.score = score_of(total);
  return explanation;
}

std::string_view to_string(MatchKind kind) {
  switch (kind) {
    case MatchKind::kWord: return "word";
    case MatchKind::kCompound: return "compound";
    case MatchKind::kSynonym: return "synonym";
    case MatchKind::kPrefix: return "prefix";
    default: return "correction";
  }
}

}  // namespace scalestyle::retrieval
