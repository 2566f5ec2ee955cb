// Merchandising rules in the life of a request: which of them act, and what they do to the list that was made.
#include <memory>
#include <utility>

#include "ranking/bound_rules.hpp"
#include "search/list_rules.hpp"
#include "search/progress.hpp"
#include "search/rule_file.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

core::Status SearchService::find_rules(const ListRequest& request, ranking::RuleList list, std::string_view query, Progress& progress) const {
  if (use_.rules == nullptr) return {};
  CORE_TRY(progress.rules, use_.rules->on(progress.generation));
  ranking::RuleWords words;
  if (!query.empty()) {
    CORE_TRY(words, ranking::RuleWords::of(query));
  }
  progress.effects = progress.rules->match({.list = list, .words = &words, .filter = &request.filter, .now_ms = progress.now_ms()},
                                           progress.eligible.get(), &progress.generation->available());
  return {};
}

// For lists that are made of the eligible rows themselves.
void SearchService::hide_eligible(Progress& progress) {
  if (!progress.effects.hides()) return;
  catalog::Bitmap rows = progress.eligible != nullptr ? *progress.eligible : catalog::Bitmap(progress.generation->catalog().size(), true);
  progress.effects.remove_hidden(rows);
  progress.eligible_count = rows.count();
  progress.eligible = std::make_shared<const catalog::Bitmap>(std::move(rows));
}

void SearchService::apply_rules_to(Progress& progress, SearchAnswer& answer) const {
  if (use_.rules == nullptr) return;
  if (!progress.effects.empty()) {
    apply_rules(progress.effects, {.depth = options_.pool_size, .is_sorted = progress.is_sorted}, progress.list);
    if (!progress.is_sorted) add_pinned_rows(progress.generation->catalog(), progress.effects, progress.list);
    answer.rules = acting_rules(*progress.rules, progress.effects);
  }
  progress.report(Stage::kRules, progress.effects.empty() ? StageOutcome::kSkipped : StageOutcome::kOk);
}

void SearchService::explain_rules(const Progress& progress, catalog::RowIndex row, ItemExplanation& explanation) {
  if (progress.effects.empty() || progress.is_sorted) return;
  explanation.rule_factor = progress.effects.factor(row);
  explanation.rules = rules_on(*progress.rules, progress.effects, row);
}

}  // namespace scalestyle::search
