#include "ranking/rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "text/unicode.hpp"
#include "text/words.hpp"

namespace scalestyle::ranking {

namespace {

std::unexpected<core::Error> wrong(std::string field, std::string_view what) {
  std::string message = fmt::format("{} {}", field, what);
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

core::Status check_count(const std::string& field, std::size_t count, std::size_t most) {
  if (count <= most) return {};
  return wrong(field, fmt::format("has {} entries, more than {}", count, most));
}

core::Status check_words(const std::string& field, std::string_view phrase) {
  if (!text::is_valid_utf8(phrase)) return wrong(field, "is not UTF-8");
  text::Words words;
  text::split_words(phrase, kMaxRulePhraseWords, words);
  if (words.empty()) return wrong(field, fmt::format("has no word: \"{}\"", phrase));
  if (words.truncated()) return wrong(field, fmt::format("has more than {} words", kMaxRulePhraseWords));
  return {};
}

core::Status check_phrases(const std::string& field, const std::vector<std::string>& phrases) {
  CORE_CHECK(check_count(field, phrases.size(), kMaxRulePhrases));
  for (std::size_t i = 0; i < phrases.size(); ++i) CORE_CHECK(check_words(fmt::format("{}[{}]", field, i), phrases[i]));
  return {};
}

core::Status check_values(const std::string& field, const std::vector<std::string>& values) {
  CORE_CHECK(check_count(field, values.size(), kMaxRuleValues));
  const bool blank = std::ranges::any_of(values, [](const std::string& value) { return catalog::fold_value(value).empty(); });
  if (blank) return wrong(field, "must not be blank");
  return {};
}

core::Status check_selector(const std::string& field, const RuleSelector& selector) {
  if (selector.empty()) return wrong(field, "selects no articles: name ids, product codes, attributes or a price range");
  for (const std::string& code : selector.product_codes) {
    if (code.empty()) return wrong(field + ".product_codes", "must not be blank");
  }
  for (const catalog::FilterField attribute : catalog::all_filter_fields()) {
    CORE_CHECK(check_values(fmt::format("{}.{}", field, catalog::parameter_name(attribute)), selector.filter[attribute]));
  }
  if (auto valid = selector.filter.validate(); !valid) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{}: {}", field, valid.error().message),
                      fmt::format("{}.{}", field, valid.error().field));
  }
  return selector.name.empty() ? core::Status() : check_words(field + ".name", selector.name);
}

core::Status check_factors(const std::string& field, const std::vector<RuleFactor>& factors, bool is_boost) {
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const std::string entry = fmt::format("{}[{}]", field, i);
    CORE_CHECK(check_selector(entry, factors[i].selector));
    const double factor = factors[i].factor;
    if (is_boost && !(factor > 1 && factor <= kGreatestRuleFactor)) {
      return wrong(entry + ".factor", fmt::format("must be above 1 and at most {}, not {}; \"bury\" moves articles down",
                                                  kGreatestRuleFactor, factor));
    }
    if (!is_boost && !(factor >= kLeastRuleFactor && factor < 1)) {
      return wrong(entry + ".factor", fmt::format("must be at least {} and below 1, not {}; \"boost\" moves articles up",
                                                  kLeastRuleFactor, factor));
    }
  }
  return {};
}

core::Status check_pins(const std::vector<RulePin>& pins) {
  CORE_CHECK(check_count("then.pin", pins.size(), kMaxPinPosition));
  for (std::size_t i = 0; i < pins.size(); ++i) {
    const std::string entry = fmt::format("then.pin[{}]", i);
    if (pins[i].article_id.has_value() == !pins[i].product_code.empty()) {
      return wrong(entry, "must have either \"article_id\" or \"product_code\"");
    }
    if (pins[i].position < 1 || pins[i].position > kMaxPinPosition) {
      return wrong(entry + ".position", fmt::format("must be 1 to {}, not {}", kMaxPinPosition, pins[i].position));
    }
  }
  return {};
}

// A path of this site, or an address of the web: never a script.
bool is_address(std::string_view url) {
  const bool plain = std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7F' && c != '\\' && c != '"' && c != '<' && c != '>'; });
  if (!plain) return false;
  if (url.starts_with('/')) return !url.starts_with("//");
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (url.starts_with(scheme)) return url.size() > scheme.size() && url[scheme.size()] != '/';
  }
  return false;
}

core::Status check_redirect(const Rule& rule) {
  const RuleRedirect& redirect = *rule.redirect;
  if (redirect.url.empty() == redirect.query.empty()) return wrong("then.redirect", "must have either \"url\" or \"query\"");
  if (redirect.url.size() > kMaxRedirectBytes || redirect.query.size() > kMaxRedirectBytes) {
    return wrong("then.redirect", fmt::format("has more than {} bytes", kMaxRedirectBytes));
  }
  if (!redirect.url.empty() && !is_address(redirect.url)) {
    return wrong("then.redirect.url", "must begin with https://, http:// or one /, in visible ASCII");
  }
  if (!redirect.query.empty()) CORE_CHECK(check_words("then.redirect.query", redirect.query));
  if (rule.query.empty()) return wrong("then.redirect", "needs a condition on the query (\"when.query\")");
  return {};
}

core::Status check_when(const Rule& rule) {
  CORE_CHECK(check_phrases("when.query.is", rule.query.is));
  CORE_CHECK(check_phrases("when.query.contains", rule.query.contains));
  CORE_CHECK(check_phrases("when.query.all", rule.query.all));
  CORE_CHECK(check_phrases("when.query.any", rule.query.any));
  for (const catalog::FilterField field : catalog::all_filter_fields()) {
    CORE_CHECK(check_values(fmt::format("when.filters.{}", catalog::parameter_name(field)),
                            rule.filters[static_cast<std::size_t>(field)]));
  }
  if (rule.from_ms && rule.until_ms && *rule.from_ms >= *rule.until_ms) return wrong("when.until", "must be after \"from\"");
  if (std::ranges::none_of(rule.on, [](bool on) { return on; })) return wrong("when.on", "must name a list");
  for (const RuleList list : kRuleLists) {
    if (list == RuleList::kSearch || rule.query.empty() || !rule.on[static_cast<std::size_t>(list)]) continue;
    return wrong("when.on", fmt::format("names \"{}\", which has no query, but there is a condition on the query", to_string(list)));
  }
  return {};
}

std::size_t articles_of(const Rule& rule) {
  const auto of = [](const RuleSelector& selector) { return selector.article_ids.size() + selector.product_codes.size(); };
  std::size_t count = 0;
  for (const RuleFactor& factor : rule.boosts) count += of(factor.selector);
  for (const RuleFactor& factor : rule.buries) count += of(factor.selector);
  for (const RuleSelector& selector : rule.hides) count += of(selector);
  return count;
}

}  // namespace

std::string_view to_string(RuleList list) {
  switch (list) {
    case RuleList::kSearch: return "search";
    case RuleList::kBrowse: return "browse";
    case RuleList::kTrending: return "trending";
    case RuleList::kForYou: return "for_you";
    case RuleList::kSimilar: return "similar";
  }
  return "search";
}

core::Status Rule::validate() const {
  const bool visible = std::ranges::all_of(id, [](char c) { return c > ' ' && c < '\x7F'; });
  if (id.empty() || id.size() > kMaxRuleIdBytes || !visible) {
    return wrong("id", fmt::format("must be 1 to {} visible ASCII characters", kMaxRuleIdBytes));
  }
  CORE_CHECK(check_when(*this));
  if (pins.empty() && boosts.empty() && buries.empty() && hides.empty() && !redirect) {
    return wrong("then", "does nothing: give \"pin\", \"boost\", \"bury\", \"hide\" or \"redirect\"");
  }
  CORE_CHECK(check_pins(pins));
  CORE_CHECK(check_factors("then.boost", boosts, true));
  CORE_CHECK(check_factors("then.bury", buries, false));
  for (std::size_t i = 0; i < hides.size(); ++i) CORE_CHECK(check_selector(fmt::format("then.hide[{}]", i), hides[i]));
  if (const std::size_t articles = articles_of(*this); articles > kMaxRuleArticles) {
    return wrong("then", fmt::format("names {} article ids and product codes, more than {}", articles, kMaxRuleArticles));
  }
  return redirect ? check_redirect(*this) : core::Status();
}

}  // namespace scalestyle::ranking
