#pragma once
// An event service over a small shop, with a log, features and impressions in memory; a consumer that applies what the
// log takes; and wall time that the test moves. Steady time is real: deadlines are.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "search/event_service.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_event_log.hpp"
#include "support/fake_feature_store.hpp"
#include "support/fake_impression_log.hpp"
#include "support/fake_text_encoder.hpp"

namespace scalestyle::search {

using core::Deadline;
using core::ErrorCode;
using events::EventType;
using ports::AppendOutcome;
using std::chrono::milliseconds;

class EventWallClock final : public core::Clock {
 public:
  [[nodiscard]] core::SteadyTime steady_now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] core::WallTime wall_now() const override { return core::WallTime(milliseconds(now_ms)); }
  std::atomic<events::EpochMs> now_ms{1'772'879'445'123};
};

class EventFixture : public testing::Test {
 protected:
  EventFixture() {
    std::vector<catalog::Article> articles;
    for (int i = 0; i < 20; ++i) {
      auto article = support::make_article(std::to_string(1000 + i), "name " + std::to_string(i));
      article[catalog::Attribute::kProductType] = i % 2 == 0 ? "Dress" : "Socks";
      articles.push_back(article);
    }
    catalogs_.publish(support::make_snapshot("gen-1", articles, encoder_.info()));
    core::sync_wait(holder_.refresh(Deadline::never())).value();
    log_.on_append([this](const std::vector<events::LoggedEvent>& added) {
      core::sync_wait(features_.apply(std::make_shared<const std::vector<events::LoggedEvent>>(added), Deadline::never())).value();
    });
    make();
  }
  ~EventFixture() override {
    for (auto* gate : {&log_.gate(), &log_.history_gate(), &log_.erasure_gate(), &features_.read_gate()}) gate->release();
    compute_.stop();
  }

  void make(EventOptions options = {}, const SnapshotHolder* holder = nullptr) {
    ASSERT_TRUE(options.validate());
    services_.push_back(std::make_unique<EventService>(
        EventService::Dependencies{holder != nullptr ? *holder : holder_, log_, features_, impressions_, compute_.timers(), clock_,
                                   metrics_},
        options));
  }
  EventService& service() { return *services_.back(); }

  static events::EventInput input(const std::string& type, int item, const std::string& user = "u1") {
    events::EventInput one;
    one.event_type = type;
    one.user_id = user;
    one.item_id = std::to_string(1000 + item);
    return one;
  }
  EventOutcome<std::vector<TrackedEvent>> track(std::vector<events::EventInput> list, Deadline deadline = Deadline::never()) {
    return core::sync_wait(service().track({.events = std::move(list), .single = false, .deadline = deadline}));
  }
  EventOutcome<std::vector<TrackedEvent>> click(events::EventInput one) {
    return core::sync_wait(service().track({.events = {std::move(one)}, .single = true}));
  }
  // What the metrics page shows for this line; 0 without it.
  double metric(const std::string& line) {
    const std::string page = metrics_.render();
    const std::size_t at = page.find(line + " ");
    return at == std::string::npos ? 0 : std::stod(page.substr(at + line.size() + 1));
  }
  [[nodiscard]] Deadline soon() const { return Deadline::after(milliseconds(30), clock_); }

  telemetry::Metrics metrics_;
  EventWallClock clock_;
  std::vector<std::unique_ptr<EventService>> services_;
  support::ComputeThreads compute_;
  support::FakeTextEncoder encoder_{compute_.pool()};
  support::FakeCatalogStore catalogs_;
  support::FakeVectorIndex index_{catalogs_, compute_.pool()};
  SnapshotHolder holder_{catalogs_, index_, encoder_.info()};
  support::FakeEventLog log_;
  support::FakeFeatureStore features_{&compute_.timers()};
  support::FakeImpressionLog impressions_;
};

}  // namespace scalestyle::search
