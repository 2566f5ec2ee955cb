#include "search/why_not.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace scalestyle::search {

namespace {

// Why, and where a step that lost the article moved it from and to.
struct Verdict {
  WhyNotCause cause = WhyNotCause::kPaging;
  std::optional<std::size_t> from{};
  std::optional<std::size_t> to{};
};

std::optional<std::size_t> best_leg(const WhyNotFacts& facts) {
  std::optional<std::size_t> best;
  for (const WhyNotLeg& leg : facts.legs) {
    if (leg.item_rank) best = std::min(best.value_or(*leg.item_rank), *leg.item_rank);
  }
  return best;
}

// The step that took the article from within the page's end to behind it, which it never came back from.
Verdict step_that_lost(const WhyNotPage& page, const WhyNotFacts& facts) {
  struct Step {
    WhyNotCause cause;
    std::optional<std::size_t> rank;
  };
  const std::array steps{Step{WhyNotCause::kFusion, facts.fused_rank},   Step{WhyNotCause::kRerank, facts.reranked_rank},
                         Step{WhyNotCause::kSort, facts.sorted_rank},    Step{WhyNotCause::kRules, facts.ruled_rank},
                         Step{WhyNotCause::kBoost, facts.personal_rank}, Step{WhyNotCause::kRules, facts.pinned_rank},
                         Step{WhyNotCause::kDiversity, facts.diverse_rank}};
  std::optional<std::size_t> from = best_leg(facts);
  Verdict lost;
  for (const Step& step : steps) {
    if (!step.rank) continue;
    const bool was_within = from && *from <= page.end;
    if (was_within && *step.rank > page.end) lost = {step.cause, from, step.rank};
    from = step.rank;
  }
  return lost;
}

std::string place_text(std::optional<std::size_t> rank) {
  return rank ? fmt::format("place {}", *rank) : std::string("no place");
}

// What a leg gives an article that it does not recall.
std::string leg_text(const WhyNotLeg& leg) {
  const std::string_view name = ranking::to_string(leg.leg);
  if (!leg.searched) return fmt::format("{} was not searched", name);
  if (leg.rank) return fmt::format("{} has it at {}", name, *leg.rank);
  if (leg.rank_at_least) return fmt::format("{} has it at {} or behind", name, *leg.rank_at_least);
  if (leg.leg == ranking::Leg::kLexical) return fmt::format("none of its words is in the query ({})", name);
  if (leg.leg == ranking::Leg::kImage) return fmt::format("it has no photo that is searched ({})", name);
  return fmt::format("{} does not have it", name);
}

std::string not_recalled_text(const WhyNotFacts& facts) {
  std::vector<std::string> legs;
  for (const WhyNotLeg& leg : facts.legs) legs.push_back(leg_text(leg));
  return fmt::format("it is not among the {} articles that were found: {}", facts.pool, fmt::join(legs, "; "));
}

std::string filtered_text(const WhyNotFacts& facts) {
  if (!facts.filters_failed.empty()) return fmt::format("it does not pass {}", fmt::join(facts.filters_failed, ", "));
  return fmt::format("the query itself does not let it pass: {}", fmt::join(facts.pieces_failed, ", "));
}

std::string hidden_text(const WhyNotFacts& facts) {
  const auto hides = std::ranges::find(facts.rules, std::string_view("hide"), &RuleOnItem::does);
  return hides == facts.rules.end() ? "a merchandising rule hides it" : fmt::format("the rule \"{}\" hides it", hides->rule);
}

std::string lost_text(const Verdict& lost, const WhyNot& why) {
  const std::string now = place_text(why.rank);
  const std::string moved = fmt::format("from {} to {}", place_text(lost.from), place_text(lost.to));
  switch (lost.cause) {
    case WhyNotCause::kFusion:
      return fmt::format("one leg alone would show it, all together moved it {}; it comes at {}", moved, now);
    case WhyNotCause::kRerank: return fmt::format("the cross-encoder moved it {}; it comes at {}", moved, now);
    case WhyNotCause::kSort: return fmt::format("the order that was asked for moved it {}; it comes at {}", moved, now);
    case WhyNotCause::kRules: return fmt::format("merchandising rules moved it {}; it comes at {}", moved, now);
    case WhyNotCause::kBoost:
      return fmt::format("what the shopper did brought others before it, {}; it comes at {}", moved, now);
    case WhyNotCause::kDiversity: return fmt::format("enough of its type or section come before it: it was deferred {}", moved);
    default: return fmt::format("it comes at {}, on another page", now);
  }
}

Verdict verdict_on(const WhyNotPage& page, const WhyNot& why) {
  if (page.is_hidden) return {WhyNotCause::kHiddenByRule};
  if (!page.is_listed) return {WhyNotCause::kNotRecalled};
  if (page.is_shown_before) return {WhyNotCause::kAlreadyShown};
  if (!why.facts.collapsed_into.empty()) return {WhyNotCause::kCollapse};
  if (why.rank && *why.rank <= page.before) return {WhyNotCause::kPaging};
  return step_that_lost(page, why.facts);
}

std::string detail_of(const Verdict& verdict, const WhyNot& why) {
  const WhyNotFacts& facts = why.facts;
  switch (verdict.cause) {
    case WhyNotCause::kUnknownArticle: return "there is no such article";
    case WhyNotCause::kRemoved: return "it was removed from the catalogue";
    case WhyNotCause::kUnavailable: return "it is not available";
    case WhyNotCause::kFiltered: return filtered_text(facts);
    case WhyNotCause::kHiddenByRule: return hidden_text(facts);
    case WhyNotCause::kNotRecalled: return not_recalled_text(facts);
    case WhyNotCause::kAlreadyShown: return "it, or another variant of its product, was shown on a page before";
    case WhyNotCause::kCollapse:
      return fmt::format("its variant {} stands for its product, which comes at {}", facts.collapsed_into, place_text(why.rank));
    default: return lost_text(verdict, why);
  }
}

}  // namespace

std::string_view to_string(WhyNotCause cause) {
  switch (cause) {
    case WhyNotCause::kUnknownArticle: return "unknown_article";
    case WhyNotCause::kRemoved: return "removed";
    case WhyNotCause::kUnavailable: return "unavailable";
    case WhyNotCause::kFiltered: return "filtered";
    case WhyNotCause::kHiddenByRule: return "hidden_by_rule";
    case WhyNotCause::kNotRecalled: return "not_recalled";
    case WhyNotCause::kAlreadyShown: return "already_shown";
    case WhyNotCause::kCollapse: return "collapse";
    case WhyNotCause::kFusion: return "fusion";
    case WhyNotCause::kRerank: return "rerank";
    case WhyNotCause::kSort: return "sort";
    case WhyNotCause::kRules: return "rules";
    case WhyNotCause::kBoost: return "boost";
    case WhyNotCause::kDiversity: return "diversity";
    case WhyNotCause::kPaging: return "paging";
  }
  return "paging";
}

void conclude(const WhyNotPage& page, WhyNot& why) {
  const bool stands_itself = page.is_listed && !page.is_shown_before && why.facts.collapsed_into.empty();
  why.on_page = stands_itself && why.rank && *why.rank > page.before && *why.rank <= page.end;
  if (!why.on_page) {
    const Verdict verdict = verdict_on(page, why);
    why.cause = verdict.cause;
    why.detail = detail_of(verdict, why);
    return;
  }
  why.detail = fmt::format("it is on the page, at {}", place_text(why.rank));
  if (!why.facts.pinned_by.empty()) why.detail += fmt::format(", pinned by the rule \"{}\"", why.facts.pinned_by);
}

void conclude(WhyNotCause cause, WhyNot& why) {
  why.cause = cause;
  why.detail = detail_of({cause}, why);
}

}  // namespace scalestyle::search
