#include "evaluation/implicit_als.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "evaluation/random.hpp"

namespace scalestyle::evaluation {
namespace {

std::unexpected<core::Error> invalid(std::string message, std::string field) {
  return core::fail(core::ErrorCode::kInvalidArgument, std::move(message), std::move(field));
}

// Sums in eight lanes, in a set order: what the compiler may turn into vectors.
float dot(std::span<const float> a, std::span<const float> b) {
  std::array<float, 8> lanes{};
  std::size_t i = 0;
  for (; i + lanes.size() <= a.size(); i += lanes.size()) {
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  float sum = 0;
  for (; i < a.size(); ++i) sum += a[i] * b[i];
  for (const float lane : lanes) sum += lane;
  return sum;
}

void add_scaled(std::span<const float> from, float factor, std::span<float> to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
}

// Factors of either side, row by row.
template <class T>
struct Rows {
  std::span<T> values;
  std::size_t width = 0;

  [[nodiscard]] std::size_t count() const { return values.size() / width; }
  [[nodiscard]] std::span<T> operator[](std::size_t index) const { return values.subspan(index * width, width); }
};
using Factors = Rows<const float>;

std::vector<float> small_random(std::size_t count, Random& random) {
  std::vector<float> values(count);
  constexpr double kRange = 16'777'216;
  for (float& value : values) {
    value = static_cast<float>((static_cast<double>(random.next() >> 40U) / kRange - 0.5) * 0.02);
  }
  return values;
}

std::vector<float> gram_of(const Factors& factors, double regularization) {
  const std::size_t width = factors.width;
  std::vector<float> gram(width * width, 0.0F);
  for (std::size_t row = 0; row < factors.count(); ++row) {
    const auto values = factors[row];
    for (std::size_t i = 0; i < width; ++i) add_scaled(values, values[i], std::span(gram).subspan(i * width, width));
  }
  for (std::size_t i = 0; i < width; ++i) gram[i * width + i] += static_cast<float>(regularization);
  return gram;
}

// Improves x towards the solution of (gram + confidence · Σ y yᵀ) x = (1 + confidence) · Σ y, over the y of `links`.
class Solver {
 public:
  Solver(const std::vector<float>& gram, const AlsOptions& options)
      : gram_(gram), width_(options.factors), steps_(options.solver_steps), confidence_(static_cast<float>(options.confidence)) {
    for (auto* vector : {&residual_, &direction_, &product_}) vector->resize(width_);
  }

  void improve(const Factors& others, std::span<const std::uint32_t> links, std::span<float> x) {
    multiply(others, links, x);
    for (std::size_t i = 0; i < width_; ++i) residual_[i] = -product_[i];
    for (const std::uint32_t link : links) add_scaled(others[link], 1 + confidence_, residual_);
    direction_ = residual_;
    float square = dot(residual_, residual_);
    for (std::size_t step = 0; step < steps_ && square > kEnough; ++step) {
      multiply(others, links, direction_);
      const float length = square / dot(direction_, product_);
      add_scaled(direction_, length, x);
      add_scaled(product_, -length, residual_);
      const float next = dot(residual_, residual_);
      for (std::size_t i = 0; i < width_; ++i) direction_[i] = residual_[i] + next / square * direction_[i];
      square = next;
    }
  }

 private:
  static constexpr float kEnough = 1e-12F;

  void multiply(const Factors& others, std::span<const std::uint32_t> links, std::span<const float> x) {
    std::ranges::fill(product_, 0.0F);
    for (std::size_t i = 0; i < width_; ++i) add_scaled(std::span(gram_).subspan(i * width_, width_), x[i], product_);
    for (const std::uint32_t link : links) add_scaled(others[link], confidence_ * dot(others[link], x), product_);
  }

  const std::vector<float>& gram_;
  std::size_t width_;
  std::size_t steps_;
  float confidence_;
  std::vector<float> residual_;
  std::vector<float> direction_;
  std::vector<float> product_;
};

// The other side's numbers of each row of one side.
struct Links {
  std::vector<std::size_t> begins;
  std::vector<std::uint32_t> others;
};

Links links_of(std::span<const BoughtItem> bought, std::size_t rows, std::uint32_t BoughtItem::*row,
               std::uint32_t BoughtItem::*other) {
  Links links{.begins = std::vector<std::size_t>(rows + 1, 0), .others = std::vector<std::uint32_t>(bought.size())};
  for (const BoughtItem& one : bought) ++links.begins[one.*row + 1];
  for (std::size_t i = 1; i <= rows; ++i) links.begins[i] += links.begins[i - 1];
  std::vector<std::size_t> next = links.begins;
  for (const BoughtItem& one : bought) links.others[next[one.*row]++] = one.*other;
  return links;
}

void improve_side(Rows<float> side, const Factors& others, const Links& links, const AlsOptions& options) {
  const std::vector<float> gram = gram_of(others, options.regularization);
  Solver solver(gram, options);
  for (std::size_t row = 0; row < side.count(); ++row) {
    const auto of_row = std::span(links.others).subspan(links.begins[row], links.begins[row + 1] - links.begins[row]);
    if (of_row.empty()) {
      std::ranges::fill(side[row], 0.0F);
    } else {
      solver.improve(others, of_row, side[row]);
    }
  }
}

}  // namespace

core::Status AlsOptions::validate() const {
  if (factors < 1 || factors > 512) return invalid(fmt::format("factors {} is not in 1 … 512", factors), "factors");
  if (iterations < 1 || iterations > 100) {
    return invalid(fmt::format("iterations {} is not in 1 … 100", iterations), "iterations");
  }
  if (solver_steps < 1 || solver_steps > 100) {
    return invalid(fmt::format("solver_steps {} is not in 1 … 100", solver_steps), "solver_steps");
  }
  if (!(regularization >= 0 && regularization <= 1e6)) {
    return invalid(fmt::format("regularization {} is not in 0 … 1000000", regularization), "regularization");
  }
  if (!(confidence > 0 && confidence <= 1e6)) {
    return invalid(fmt::format("confidence {} is not above 0 and at most 1000000", confidence), "confidence");
  }
  return {};
}

core::Result<ImplicitAls> ImplicitAls::fit(std::vector<BoughtItem> bought, std::size_t customers, std::size_t items,
                                           const AlsOptions& options) {
  CORE_CHECK(options.validate());
  for (const BoughtItem& one : bought) {
    if (one.customer >= customers || one.item >= items) {
      return invalid(fmt::format("customer {} and item {} are not below {} and {}", one.customer, one.item, customers, items),
                     "bought");
    }
  }
  std::ranges::sort(bought);
  const auto repeated = std::ranges::unique(bought);
  bought.erase(repeated.begin(), repeated.end());
  const Links of_customers = links_of(bought, customers, &BoughtItem::customer, &BoughtItem::item);
  const Links of_items = links_of(bought, items, &BoughtItem::item, &BoughtItem::customer);
  Random random(options.seed);
  std::vector<float> customer_values = small_random(customers * options.factors, random);
  std::vector<float> item_values = small_random(items * options.factors, random);
  const Rows<float> of_each_customer{customer_values, options.factors};
  const Rows<float> of_each_item{item_values, options.factors};
  const Factors customer_factors{customer_values, options.factors};
  const Factors item_factors{item_values, options.factors};
  for (std::size_t iteration = 0; iteration < options.iterations; ++iteration) {
    improve_side(of_each_customer, item_factors, of_customers, options);
    improve_side(of_each_item, customer_factors, of_items, options);
  }
  ImplicitAls als;
  als.options_ = options;
  als.item_count_ = items;
  als.item_gram_ = gram_of(item_factors, options.regularization);
  als.item_factors_ = std::move(item_values);
  return als;
}

std::vector<float> ImplicitAls::scores(std::span<const std::uint32_t> items) const {
  if (items.empty()) return {};
  // From nothing, more steps than one that starts near the solution.
  AlsOptions options = options_;
  options.solver_steps = std::max<std::size_t>(10, options.solver_steps);
  const Factors factors{item_factors_, options.factors};
  std::vector<float> taste(options.factors, 0.0F);
  Solver(item_gram_, options).improve(factors, items, taste);
  std::vector<float> liked(item_count_);
  for (std::size_t item = 0; item < item_count_; ++item) liked[item] = dot(factors[item], taste);
  return liked;
}

}  // namespace scalestyle::evaluation
