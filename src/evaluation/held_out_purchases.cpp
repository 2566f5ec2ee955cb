#include "evaluation/held_out_purchases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "catalog/date.hpp"

namespace scalestyle::evaluation {
namespace {

std::unexpected<core::Error> empty_part(std::string_view what, std::chrono::sys_days day) {
  return core::fail(core::ErrorCode::kInvalidArgument,
                    fmt::format("there is no purchase {} {}: choose another day", what, catalog::format_date(day)));
}

}  // namespace

core::Result<HeldOutPurchases> HeldOutPurchases::split(catalog::Purchases purchases, std::chrono::sys_days last_known,
                                                       std::optional<std::chrono::sys_days> last_day) {
  HeldOutPurchases held_out;
  held_out.all_ = std::move(purchases);
  held_out.last_known_ = last_known;
  auto& all = held_out.all_.purchases;
  const auto behind = [&all](std::chrono::sys_days day) { return std::ranges::upper_bound(all, day, {}, &catalog::Purchase::day); };
  const auto test = behind(last_known);
  const auto end = last_day ? behind(*last_day) : all.end();
  if (test == all.begin()) return empty_part("up to", last_known);
  if (test >= end) return empty_part("after", last_known);
  held_out.known_ = static_cast<std::size_t>(test - all.begin());
  held_out.tested_ = static_cast<std::size_t>(end - test);
  all.erase(end, all.end());

  // Counting sort of the known purchases by customer keeps their order of days.
  const auto known = held_out.known();
  std::vector<std::size_t> begin(held_out.all_.customers.size() + 1, 0);
  std::unordered_set<std::uint32_t> articles;
  for (const catalog::Purchase& purchase : known) {
    ++begin[purchase.customer + 1];
    articles.insert(purchase.article);
  }
  held_out.known_articles_ = articles.size();
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  held_out.history_.resize(known.size());
  std::vector<std::size_t> next = begin;
  for (const catalog::Purchase& purchase : known) {
    held_out.history_[next[purchase.customer]++] = {&held_out.all_.articles[purchase.article], purchase.day};
  }

  constexpr std::size_t kNone = SIZE_MAX;
  std::vector<std::size_t> buyer_of(held_out.all_.customers.size(), kNone);
  for (const catalog::Purchase& purchase : std::span(all).subspan(held_out.known_)) {
    std::size_t& buyer = buyer_of[purchase.customer];
    if (buyer == kNone) {
      buyer = held_out.buyers_.size();
      const std::size_t first = begin[purchase.customer];
      held_out.buyers_.push_back({held_out.all_.customers[purchase.customer],
                                  std::span<const HistoryItem>(held_out.history_).subspan(first, begin[purchase.customer + 1] - first),
                                  {}});
    }
    held_out.buyers_[buyer].bought.emplace(held_out.all_.articles[purchase.article], 1);
  }
  std::ranges::sort(held_out.buyers_, {}, &Buyer::customer);
  return held_out;
}

}  // namespace scalestyle::evaluation
