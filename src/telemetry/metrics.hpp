#pragma once
// Metrics: counters, gauges and histograms in the Prometheus text format.
//
// Handles are cheap to copy and stay valid while their Metrics lives; asking twice for the same name and labels gives
// the same one. Look handles up once, outside the hot path: a look-up takes a lock, an update is one atomic operation
// (a histogram's takes its own short lock). A default-constructed handle counts nothing.
// Label values must come from the program (routes, reasons, stages), never from a request: each new value is memory.
// Thread safety: every method may be called from any thread.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalestyle::telemetry {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  Counter() = default;
  void add(double value = 1.0) const;  // value ≥ 0
  [[nodiscard]] double value() const;

 private:
  friend class Metrics;
  explicit Counter(void* impl) : impl_(impl) {}
  void* impl_ = nullptr;
};

class Gauge {
 public:
  Gauge() = default;
  void set(double value) const;
  void add(double value) const;  // may be negative
  [[nodiscard]] double value() const;

 private:
  friend class Metrics;
  explicit Gauge(void* impl) : impl_(impl) {}
  void* impl_ = nullptr;
};

class Histogram {
 public:
  Histogram() = default;
  void observe(double value) const;

 private:
  friend class Metrics;
  explicit Histogram(void* impl) : impl_(impl) {}
  void* impl_ = nullptr;
};

struct MetricName {
  std::string name;  // [a-zA-Z_:][a-zA-Z0-9_:]*, unit last: "scalestyle_http_request_seconds"
  std::string help;
  Labels labels{};
};

// Upper bounds in seconds for request and stage durations: 0.1 ms to 10 s.
[[nodiscard]] const std::vector<double>& duration_buckets();

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Asserts that the name is well formed and was not used for another kind of metric.
  [[nodiscard]] Counter counter(const MetricName& name);
  [[nodiscard]] Gauge gauge(const MetricName& name);
  [[nodiscard]] Histogram histogram(const MetricName& name, const std::vector<double>& upper_bounds = duration_buckets());

  // `collect` runs at the start of every render(), one at a time, to set gauges that are read rather than counted.
  // It must not call back into this object except through handles.
  void on_render(std::function<void()> collect);

  // The exposition, "text/plain; version=0.0.4".
  [[nodiscard]] std::string render();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace scalestyle::telemetry
