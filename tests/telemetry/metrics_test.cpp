#include "telemetry/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <thread>
#include <vector>

namespace scalestyle::telemetry {
namespace {

TEST(Metrics, RendersWhatWasCounted) {
  Metrics metrics;
  const auto counter = metrics.counter({"things_total", "Things.", {{"kind", "a"}}});
  counter.add();
  metrics.counter({"things_total", "Things.", {{"kind", "a"}}}).add(2);
  metrics.gauge({"level", "Level."}).set(-1.5);
  const auto seconds = metrics.histogram({"wait_seconds", "Waits."}, {0.1, 1});
  seconds.observe(0.05);
  seconds.observe(0.5);
  seconds.observe(std::nan(""));
  EXPECT_DOUBLE_EQ(counter.value(), 3.0);
  const std::string text = metrics.render();
  EXPECT_NE(text.find("things_total{kind=\"a\"} 3"), std::string::npos) << text;
  EXPECT_NE(text.find("level -1.5"), std::string::npos);
  EXPECT_NE(text.find("wait_seconds_bucket{le=\"0.1\"} 1"), std::string::npos);
  EXPECT_NE(text.find("wait_seconds_bucket{le=\"+Inf\"} 2"), std::string::npos);
}

TEST(Metrics, CollectorsRunOnEveryRender) {
  Metrics metrics;
  const auto gauge = metrics.gauge({"seen", "Renders."});
  metrics.on_render([&] { gauge.add(1); });
  static_cast<void>(metrics.render());
  EXPECT_NE(metrics.render().find("seen 2"), std::string::npos);
}

TEST(Metrics, EmptyHandlesCountNothing) {
  Counter{}.add();
  Gauge{}.set(1);
  Histogram{}.observe(1);
  EXPECT_EQ(Counter{}.value(), 0.0);
}

TEST(Metrics, ThreadsMayCountAtOnce) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) metrics.counter({"n_total", "N."}).add();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_DOUBLE_EQ(metrics.counter({"n_total", "N."}).value(), 4000.0);
}

}  // namespace
}  // namespace scalestyle::telemetry
