#include "search/rule_file.hpp"

#include <utility>

#include "search/rule_text.hpp"

namespace scalestyle::search {

RuleFile::RuleFile(std::filesystem::path path) : FollowedFile(std::move(path), &read_rules) {}

core::Result<std::unique_ptr<RuleFile>> RuleFile::open(std::filesystem::path path) {
  std::unique_ptr<RuleFile> file(new RuleFile(std::move(path)));
  CORE_CHECK(file->read_now());
  return file;
}

core::Result<std::shared_ptr<const ranking::BoundRules>> RuleFile::on(const std::shared_ptr<const ServingGeneration>& generation) const {
  auto rules = current();
  const std::lock_guard lock(binding_);
  if (bound_ != nullptr && &bound_->rules() == rules.get() && bound_to_.lock() == generation) return bound_;
  CORE_TRY(auto bound, ranking::BoundRules::bind(std::move(rules), generation->catalog()));
  bound_ = std::make_shared<const ranking::BoundRules>(std::move(bound));
  bound_to_ = generation;
  return bound_;
}

void show_rules(telemetry::Metrics& metrics, const RuleFile& file) {
  auto rules = metrics.gauge({"scalestyle_rules", "Merchandising rules in force, those that are not enabled included."});
  auto failing = metrics.gauge({"scalestyle_rules_failing", "1 while the file of merchandising rules as it is cannot be used."});
  metrics.on_render([rules, failing, &file]() mutable {
    rules.set(static_cast<double>(file.current()->rules().size()));
    failing.set(file.last_error().empty() ? 0 : 1);
  });
}

}  // namespace scalestyle::search
