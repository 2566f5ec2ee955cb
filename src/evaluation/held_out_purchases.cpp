#include "evaluation/held_out_purchases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "catalog/date.hpp"
#include "evaluation/random.hpp"

namespace scalestyle::evaluation {
namespace {

std::unexpected<core::Error> empty_part(std::string_view what, std::chrono::sys_days day) {
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("there is no purchase {} {}: choose another day", what, catalog::format_date(day)));
}

std::unexpected<core::Error> invalid(std::string message) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message));
}

}  // namespace

core::Result<HeldOutPurchases> HeldOutPurchases::split(catalog::Purchases purchases, std::chrono::sys_days last_known,
                                                       std::optional<std::chrono::sys_days> last_day) {
  HeldOutPurchases held_out;
  held_out.all_ = std::move(purchases);
  held_out.last_known_ = last_known;
  auto& all = held_out.all_.purchases;
  const auto behind = [&all](std::chrono::sys_days day) {
    return std::ranges::upper_bound(all, day, {}, &catalog::Purchase::day);
  };
  const auto test = behind(last_known);
  const auto end = last_day ? behind(*last_day) : all.end();
  if (test == all.begin()) return empty_part("up to", last_known);
  if (test >= end) return empty_part("after", last_known);
  held_out.known_ = static_cast<std::size_t>(test - all.begin());
  held_out.tested_ = static_cast<std::size_t>(end - test);
  all.erase(end, all.end());
  held_out.collect_buyers();
  return held_out;
}

core::Result<HeldOutPurchases> HeldOutPurchases::join(catalog::Purchases known, catalog::Purchases tested) {
  if (known.purchases.empty() || tested.purchases.empty()) {
    return invalid("there is no purchase that is known, or none to be judged");
  }
  const auto last_known = known.purchases.back().day;
  if (const auto first = tested.purchases.front().day; first <= last_known) {
    return invalid(fmt::format("purchases of {} are to be judged, but those up to {} are known: days to be judged must come after them",
                               catalog::format_date(first), catalog::format_date(last_known)));
  }
  std::unordered_map<std::string, std::uint32_t> customers;
  for (std::uint32_t i = 0; i < known.customers.size(); ++i) customers.emplace(known.customers[i], i);
  std::unordered_map<catalog::ArticleId, std::uint32_t> articles;
  for (std::uint32_t i = 0; i < known.articles.size(); ++i) articles.emplace(known.articles[i], i);
  for (const catalog::Purchase& purchase : tested.purchases) {
    const std::string& name = tested.customers[purchase.customer];
    const auto [customer, is_new] = customers.emplace(name, static_cast<std::uint32_t>(known.customers.size()));
    if (is_new) known.customers.push_back(name);
    const catalog::ArticleId& id = tested.articles[purchase.article];
    const auto [article, is_new_article] = articles.emplace(id, static_cast<std::uint32_t>(known.articles.size()));
    if (is_new_article) known.articles.push_back(id);
    known.purchases.push_back({customer->second, article->second, purchase.day});
  }
  return split(std::move(known), last_known);
}

core::Result<HeldOutPurchases> HeldOutPurchases::hide_last_days(catalog::Purchases purchases) {
  std::vector<std::pair<std::chrono::sys_days, std::chrono::sys_days>> days(purchases.customers.size());  // first and last
  std::vector<bool> seen(purchases.customers.size(), false);
  for (const catalog::Purchase& purchase : purchases.purchases) {
    if (!seen[purchase.customer]) days[purchase.customer].first = purchase.day;
    seen[purchase.customer] = true;
    days[purchase.customer].second = purchase.day;
  }
  HeldOutPurchases held_out;
  held_out.all_ = std::move(purchases);
  auto& all = held_out.all_.purchases;
  const auto test = std::ranges::stable_partition(all, [&](const catalog::Purchase& purchase) {
    const auto& [first, last] = days[purchase.customer];
    return first == last || purchase.day < last;
  });
  if (test.empty()) return invalid("no customer bought on two days: there is no last day to hide");
  held_out.tested_ = test.size();
  held_out.known_ = all.size() - test.size();
  held_out.last_known_ = held_out.known().back().day;  // who bought on two days has a known purchase
  held_out.collect_buyers();
  return held_out;
}

core::Result<HeldOutPurchases> HeldOutPurchases::hide_one_of_each_basket(std::uint64_t seed) && {
  std::vector<catalog::Purchase> bought(all_.purchases.begin() + static_cast<std::ptrdiff_t>(known_), all_.purchases.end());
  const auto less = [this](const catalog::Purchase& a, const catalog::Purchase& b) {
    if (a.customer != b.customer) return all_.customers[a.customer] < all_.customers[b.customer];
    return a.day != b.day ? a.day < b.day : all_.articles[a.article] < all_.articles[b.article];
  };
  const auto of_one_basket = [](const catalog::Purchase& a, const catalog::Purchase& b) {
    return a.customer == b.customer && a.day == b.day;
  };
  std::ranges::sort(bought, less);
  const auto repeated = std::ranges::unique(bought, [&](const auto& a, const auto& b) {
    return of_one_basket(a, b) && a.article == b.article;
  });
  bought.erase(repeated.begin(), repeated.end());
  history_.clear();
  history_.reserve(bought.size());  // spans into it must stay
  buyers_.clear();
  for (auto basket = bought.begin(); basket != bought.end();) {
    const auto end = std::find_if_not(basket, bought.end(), [&](const auto& one) { return of_one_basket(one, *basket); });
    const auto size = static_cast<std::size_t>(end - basket);
    if (size >= 2) {
      const std::string& customer = all_.customers[basket->customer];
      const std::size_t hidden = Random(seed + static_cast<std::uint64_t>(basket->day.time_since_epoch().count()),
                                        customer).below(size);
      Buyer buyer{.customer = customer, .history = {}, .bought = {}};
      const std::size_t first = history_.size();
      for (std::size_t i = 0; i < size; ++i) {
        const catalog::Purchase& purchase = basket[static_cast<std::ptrdiff_t>(i)];
        const catalog::ArticleId& article = all_.articles[purchase.article];
        if (i == hidden) buyer.bought.emplace(article, 1);
        else history_.push_back({&article, purchase.day});
      }
      buyer.history = std::span<const HistoryItem>(history_).subspan(first);
      buyers_.push_back(std::move(buyer));
    }
    basket = end;
  }
  if (buyers_.empty()) return invalid("no basket of the days that are judged has two articles");
  return std::move(*this);
}

void HeldOutPurchases::collect_buyers() {
  // Counting sort of the known purchases by customer keeps their order of days.
  std::vector<std::size_t> begin(all_.customers.size() + 1, 0);
  std::unordered_set<std::uint32_t> articles;
  for (const catalog::Purchase& purchase : known()) {
    ++begin[purchase.customer + 1];
    articles.insert(purchase.article);
  }
  known_articles_ = articles.size();
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  history_.resize(known_);
  std::vector<std::size_t> next = begin;
  for (const catalog::Purchase& purchase : known()) {
    history_[next[purchase.customer]++] = {&all_.articles[purchase.article], purchase.day};
  }

  constexpr std::size_t kNone = SIZE_MAX;
  std::vector<std::size_t> buyer_of(all_.customers.size(), kNone);
  for (const catalog::Purchase& purchase : std::span(all_.purchases).subspan(known_)) {
    std::size_t& buyer = buyer_of[purchase.customer];
    if (buyer == kNone) {
      buyer = buyers_.size();
      const std::size_t first = begin[purchase.customer];
      buyers_.push_back({all_.customers[purchase.customer],
                         std::span<const HistoryItem>(history_).subspan(first, begin[purchase.customer + 1] - first),
                         {}});
    }
    buyers_[buyer].bought.emplace(all_.articles[purchase.article], 1);
  }
  std::ranges::sort(buyers_, {}, &Buyer::customer);
}

}  // namespace scalestyle::evaluation
