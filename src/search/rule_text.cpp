#include "search/rule_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/date.hpp"
#include "core/files.hpp"
#include "core/text_distance.hpp"
#include "events/json_reader.hpp"
#include "events/timestamp.hpp"

namespace scalestyle::search {

namespace {

using ranking::Rule;

constexpr std::size_t kMaxNoteBytes = 4'000;

// Reads one text. The first fault is kept with the member where it was; from then on the JsonReader gives nothing more.
class RuleReader {
 public:
  RuleReader(std::string_view text, std::string_view name) : text_(text), name_(name), json_(text) {}

  core::Result<ranking::RuleSet> run() {
    bool has_rules = false;
    members({"rules", "note"}, [&](std::string_view member) {
      if (member == "note") return skip_note();
      has_rules = true;
      read_rules();
    });
    json_.finish();
    if (json_.ok() && !has_rules) wrong("\"rules\" is required");
    if (!json_.ok()) return std::unexpected(fault());
    auto set = ranking::RuleSet::compile(std::move(rules_));
    if (!set) set.error().message = fmt::format("{}: {}", name_, set.error().message);
    return set;
  }

 private:
  void wrong(std::string what) { json_.fail(std::move(what)); }

  [[nodiscard]] core::Error fault() {
    const std::string rule = rule_id_.empty() ? std::string() : fmt::format("rule \"{}\": ", rule_id_);
    const std::string where = fault_path_.empty() ? std::string() : fault_path_ + ": ";
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{}:{}: {}{}{}", name_, fault_line_.value_or(line_at(json_.position())), rule, where, json_.problem()), fault_path_)
        .error();
  }

  // Lines are counted on from the last place asked for, so that all rules together cost one pass.
  std::size_t line_at(std::size_t position) {
    line_ += static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                                 text_.begin() + static_cast<std::ptrdiff_t>(position), '\n'));
    counted_ = position;
    return line_;
  }

  // Within read() path_ names the member, or the entry.
  template <class Read>
  void at(const std::string& step, Read&& read) {
    const std::size_t length = path_.size();
    path_ += path_.empty() || step.starts_with('[') ? step : "." + step;
    read();
    if (!json_.ok() && !has_fault_path_) {
      has_fault_path_ = true;
      fault_path_ = path_;
    }
    path_.resize(length);
  }

  // One object; read(name) takes the value of each member.
  template <std::invocable<std::string_view> Read>
  void members(std::vector<std::string> known, Read&& read) {
    json_.begin_object();
    std::vector<bool> seen(known.size());
    while (const auto key = json_.next_key()) {
      const auto found = std::ranges::find(known, *key);
      const auto place = static_cast<std::size_t>(found - known.begin());
      if (found == known.end()) {
        const std::string nearest = core::nearest_name(*key, known);
        const std::string hint = nearest.empty() ? fmt::format("those known are {}", fmt::join(known, ", "))
                                                 : fmt::format("did you mean \"{}\"?", nearest);
        wrong(fmt::format("there is no member \"{}\"; {}", key->substr(0, 64), hint));
      } else if (seen[place]) {
        wrong(fmt::format("\"{}\" is given twice", *found));
      } else {
        seen[place] = true;
        at(*found, [&] { read(std::string_view(*found)); });
      }
    }
  }

  // read() takes each entry of an array, or the one value that stands for it.
  template <class Read>
  void each(Read&& read) {
    if (!json_.array_is_next()) return read();
    json_.begin_array();
    for (std::size_t i = 0; json_.next_element(); ++i) at(fmt::format("[{}]", i), read);
  }

  std::vector<std::string> texts() {
    std::vector<std::string> found;
    each([&] { found.push_back(json_.text()); });
    if (json_.ok() && found.empty()) wrong("must not be empty");
    return found;
  }

  void skip_note() {
    if (json_.text().size() > kMaxNoteBytes) wrong(fmt::format("has more than {} bytes", kMaxNoteBytes));
  }

  void read_rules() {
    json_.begin_array();
    for (std::size_t i = 0; json_.next_element(); ++i) {
      if (i == ranking::kMaxRules) {
        fault_line_ = line_at(json_.position());
        return wrong(fmt::format("more than {} rules", ranking::kMaxRules));
      }
      at(fmt::format("[{}]", i), [&] { read_rule(); });
    }
  }

  void read_rule() {
    const std::size_t line = line_at(json_.position());
    Rule rule;
    bool has_on = false;
    rule_id_.clear();
    members({"id", "note", "enabled", "when", "then"}, [&](std::string_view member) {
      if (member == "id") rule_id_ = rule.id = json_.text();
      if (member == "note") skip_note();
      if (member == "enabled") rule.enabled = json_.boolean();
      if (member == "when") read_when(rule, has_on);
      if (member == "then") read_then(rule);
    });
    if (!json_.ok()) return;
    if (!has_on && !rule.query.empty()) {
      rule.on.fill(false);
      rule.on[static_cast<std::size_t>(ranking::RuleList::kSearch)] = true;
    }
    if (const auto valid = rule.validate(); !valid) {
      fault_line_ = line;
      return wrong(valid.error().message);
    }
    rule_id_.clear();
    rules_.push_back(std::move(rule));
  }

  void read_when(Rule& rule, bool& has_on) {
    members({"query", "filters", "from", "until", "on"}, [&](std::string_view member) {
      if (member == "query") read_query(rule.query);
      if (member == "filters") read_filters(rule);
      if (member == "from") rule.from_ms = moment(false);
      if (member == "until") rule.until_ms = moment(true);
      if (member == "on") {
        has_on = true;
        read_lists(rule);
      }
    });
  }

  void read_query(ranking::QueryCondition& query) {
    members({"is", "contains", "all", "any"}, [&](std::string_view member) {
      auto& phrases = member == "is" ? query.is : member == "contains" ? query.contains : member == "all" ? query.all : query.any;
      phrases = texts();
    });
    if (json_.ok() && query.empty()) wrong("must have \"is\", \"contains\", \"all\" or \"any\"");
  }

  static std::vector<std::string> with_attributes(std::vector<std::string> names) {
    for (const auto field : catalog::all_filter_fields()) names.emplace_back(catalog::parameter_name(field));
    return names;
  }

  void read_filters(Rule& rule) {
    members(with_attributes({}), [&](std::string_view member) {
      rule.filters[static_cast<std::size_t>(*catalog::filter_field(member))] = texts();
    });
  }

  void read_lists(Rule& rule) {
    rule.on.fill(false);
    each([&] {
      const std::string name = json_.text();
      const auto list = std::ranges::find(ranking::kRuleLists, name, [](auto known) { return ranking::to_string(known); });
      if (list == ranking::kRuleLists.end()) {
        if (json_.ok()) wrong(fmt::format("there is no list \"{}\": write search, browse, trending, for_you or similar", name.substr(0, 64)));
        return;
      }
      rule.on[static_cast<std::size_t>(*list)] = true;
    });
  }

  // A day begins, and as an end includes all of itself.
  std::int64_t moment(bool is_end) {
    const std::string text = json_.text();
    if (!json_.ok()) return 0;
    if (const auto day = catalog::parse_date(text)) {
      const auto begin = is_end ? *day + std::chrono::days(1) : *day;
      return std::chrono::duration_cast<std::chrono::milliseconds>(begin.time_since_epoch()).count();
    }
    const auto time = events::parse_timestamp(text, path_);
    if (!time) wrong(fmt::format("\"{}\" is neither a day (2026-11-27) nor a time with its offset (2026-11-27T09:00:00Z)", text.substr(0, 64)));
    return time.value_or(0);
  }

  void read_then(Rule& rule) {
    members({"pin", "boost", "bury", "hide", "redirect"}, [&](std::string_view member) {
      if (member == "pin") each([&] { rule.pins.push_back(pin()); });
      if (member == "boost") each([&] { rule.boosts.push_back(factor()); });
      if (member == "bury") each([&] { rule.buries.push_back(factor()); });
      if (member == "hide") each([&] { rule.hides.push_back(selector()); });
      if (member == "redirect") rule.redirect = redirect();
    });
  }

  ranking::RulePin pin() {
    ranking::RulePin pin;
    members({"article_id", "product_code", "position"}, [&](std::string_view member) {
      if (member == "article_id") pin.article_id = article_id();
      if (member == "product_code") pin.product_code = json_.text();
      if (member == "position") {
        const std::int64_t position = json_.integer();
        pin.position = position < 0 ? 0 : static_cast<std::size_t>(position);
      }
    });
    return pin;
  }

  std::optional<catalog::ArticleId> article_id() {
    const std::string text = json_.text();
    if (!json_.ok()) return std::nullopt;
    auto id = catalog::ArticleId::parse(text);
    if (id) return std::move(*id);
    wrong(id.error().message);
    return std::nullopt;
  }

  ranking::RuleFactor factor() {
    ranking::RuleFactor factor;
    bool has_factor = false;
    auto known = selector_members();
    known.emplace_back("factor");
    members(std::move(known), [&](std::string_view member) {
      if (member != "factor") return read_selector(member, factor.selector);
      has_factor = true;
      factor.factor = json_.number();
    });
    if (json_.ok() && !has_factor) wrong("\"factor\" is required");
    return factor;
  }

  ranking::RuleSelector selector() {
    ranking::RuleSelector selector;
    members(selector_members(), [&](std::string_view member) { read_selector(member, selector); });
    return selector;
  }

  static std::vector<std::string> selector_members() {
    return with_attributes({"article_ids", "product_codes", "price_min", "price_max", "has_image", "name"});
  }

  void read_selector(std::string_view member, ranking::RuleSelector& selector) {
    if (const auto field = catalog::filter_field(member)) {
      selector.filter[*field] = texts();
    } else if (member == "article_ids") {
      each([&] {
        if (auto id = article_id()) selector.article_ids.push_back(std::move(*id));
      });
      if (json_.ok() && selector.article_ids.empty()) wrong("must not be empty");
    } else if (member == "product_codes") {
      selector.product_codes = texts();
    } else if (member == "price_min") {
      selector.filter.price_min = json_.number();
    } else if (member == "price_max") {
      selector.filter.price_max = json_.number();
    } else if (member == "has_image") {
      selector.has_image = json_.boolean();
    } else if (member == "name") {
      selector.name = json_.text();
      if (json_.ok() && selector.name.empty()) wrong("must not be empty");
    }
  }

  ranking::RuleRedirect redirect() {
    ranking::RuleRedirect redirect;
    members({"url", "query"}, [&](std::string_view member) { (member == "url" ? redirect.url : redirect.query) = json_.text(); });
    return redirect;
  }

  std::string_view text_;
  std::string_view name_;
  events::JsonReader json_;
  std::string path_;  // of the value being read: "rules[2].then.boost[0].factor"
  std::string fault_path_;
  bool has_fault_path_ = false;
  std::string rule_id_;  // of the rule being read, once it is known
  std::optional<std::size_t> fault_line_;  // where it is not where the reading stopped
  std::size_t line_ = 1;
  std::size_t counted_ = 0;  // bytes whose lines are in line_
  std::vector<Rule> rules_;
};

}  // namespace

core::Result<ranking::RuleSet> parse_rules(std::string_view text, std::string_view name) {
  if (text.size() > kMaxRuleFileBytes) {
    return core::fail(core::ErrorCode::kInvalidArgument,
                      fmt::format("{}: {} bytes; a file of rules has at most {}", name, text.size(), kMaxRuleFileBytes));
  }
  return RuleReader(text, name).run();
}

core::Result<ranking::RuleSet> read_rules(const std::filesystem::path& path) {
  CORE_TRY(const std::string text, core::read_text_file(path, kMaxRuleFileBytes));
  return parse_rules(text, path.string());
}

}  // namespace scalestyle::search
