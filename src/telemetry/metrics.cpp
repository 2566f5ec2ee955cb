#include "telemetry/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <map>
#include <mutex>

namespace scalestyle::telemetry {

namespace {

std::map<std::string, std::string> label_map(const Labels& labels) { return {labels.begin(), labels.end()}; }

}  // namespace

void Counter::add(double value) const {
  if (impl_ != nullptr) static_cast<prometheus::Counter*>(impl_)->Increment(value);
}
double Counter::value() const { return impl_ == nullptr ? 0.0 : static_cast<prometheus::Counter*>(impl_)->Value(); }

void Gauge::set(double value) const {
  if (impl_ != nullptr) static_cast<prometheus::Gauge*>(impl_)->Set(value);
}
void Gauge::add(double value) const {
  if (impl_ != nullptr) static_cast<prometheus::Gauge*>(impl_)->Increment(value);
}
double Gauge::value() const { return impl_ == nullptr ? 0.0 : static_cast<prometheus::Gauge*>(impl_)->Value(); }

void Histogram::observe(double value) const {
  if (impl_ != nullptr && std::isfinite(value)) static_cast<prometheus::Histogram*>(impl_)->Observe(value);
}

const std::vector<double>& duration_buckets() {
  static const std::vector<double> buckets{0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01,
                                           0.015,  0.025,   0.05,   0.1,   0.2,   0.4,   0.6,   1.0,   2.5,    10.0};
  return buckets;
}

struct Metrics::Impl {
  prometheus::Registry registry;
  std::mutex render_mutex;
  std::vector<std::function<void()>> collectors;  // guarded by render_mutex
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter Metrics::counter(const MetricName& name) {
  auto& family = prometheus::BuildCounter().Name(name.name).Help(name.help).Register(impl_->registry);
  return Counter(&family.Add(label_map(name.labels)));
}

Gauge Metrics::gauge(const MetricName& name) {
  auto& family = prometheus::BuildGauge().Name(name.name).Help(name.help).Register(impl_->registry);
  return Gauge(&family.Add(label_map(name.labels)));
}

Histogram Metrics::histogram(const MetricName& name, const std::vector<double>& upper_bounds) {
  auto& family = prometheus::BuildHistogram().Name(name.name).Help(name.help).Register(impl_->registry);
  return Histogram(&family.Add(label_map(name.labels), upper_bounds));
}

void Metrics::on_render(std::function<void()> collect) {
  const std::lock_guard lock(impl_->render_mutex);
  impl_->collectors.push_back(std::move(collect));
}

std::string Metrics::render() {
  const std::lock_guard lock(impl_->render_mutex);
  for (const auto& collect : impl_->collectors) collect();
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace scalestyle::telemetry
