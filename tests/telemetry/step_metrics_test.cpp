#include "telemetry/step_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scalestyle::telemetry {
namespace {

using core::RequestStep;
using testing::HasSubstr;

TEST(StepMetricsTest, ShowsWhatWasAddedSinceItWasMade) {
  core::RequestSteps steps;
  steps.add(RequestStep::kWrite, std::chrono::seconds(7));
  Metrics metrics;
  StepMetrics shown(metrics, steps);
  metrics.on_render([&shown] { shown.collect(); });
  EXPECT_THAT(metrics.render(), HasSubstr("scalestyle_request_step_seconds_total{step=\"write\"} 0\n"));
  steps.add(RequestStep::kWrite, std::chrono::milliseconds(1'500));
  steps.add(RequestStep::kWrite, std::chrono::milliseconds(500));
  const std::string page = metrics.render();
  EXPECT_THAT(page, HasSubstr("scalestyle_request_step_seconds_total{step=\"write\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("scalestyle_request_step_seconds_total{step=\"batch_wait\"} 0\n"));
}

}  // namespace
}  // namespace scalestyle::telemetry
