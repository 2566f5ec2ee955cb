// The event side under load, killed with SIGKILL at every crash point and at random moments. After every death the folder
// must hold every acknowledged event once, and features that follow from exactly those events (verification.hpp).
//
// CRASH_SEED chooses the run (printed), CRASH_KILLS how many random kills there are, and into
// CRASH_KEEP go copies of the folder in which something does not hold.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>

#include "support/temporary_folder.hpp"
#include "crash/verification.hpp"
#include "crash/victim.hpp"

namespace scalestyle::crash {
namespace {

constexpr std::size_t kKillsAFolder = 10;
constexpr auto kVictimPatience = std::chrono::seconds(60);

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// One folder with its plan, and the victims that work on it one after the other.
class Campaign {
 public:
  explicit Campaign(std::uint64_t seed, std::size_t batches) : plan_(make_plan({.seed = seed, .batches = batches})), ledger_(plan_.entries), random_(seed) {
    stack_.folder = folder_.path();
    stack_.features.session_ttl_seconds = 30 * 86'400;  // nothing expires, as the oracle has it
  }

  [[nodiscard]] int uniform(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  [[nodiscard]] StackOptions& stack() { return stack_; }
  [[nodiscard]] Ledger& ledger() { return ledger_; }
  void set_bounds() { has_bounds_ = true; }

  // True when the victim died at the point; false when it ended before it came there so often.
  bool kill_at(const std::string& point, std::uint64_t pass, std::size_t batches) {
    ledger_.clear_passes();
    return wait_for(start_victim(plan_, ledger_, {.stack = stack_, .batches = batches, .kill_point = point, .kill_pass = pass}));
  }
  // True when it was killed; false when it had ended.
  bool kill_after(std::chrono::microseconds delay, std::size_t batches) {
    const pid_t child = start_victim(plan_, ledger_, {.stack = stack_, .batches = batches});
    std::this_thread::sleep_for(delay);
    ::kill(child, SIGKILL);
    return wait_for(child);
  }
  [[nodiscard]] std::string verified() const {
    if (!ledger_.problem().empty()) return ledger_.problem();
    return verify(plan_, ledger_, {.stack = stack_, .has_bounds = has_bounds_});
  }

 private:
  static bool wait_for(pid_t child) {
    int status = 0;
    const auto give_up = std::chrono::steady_clock::now() + kVictimPatience;
    while (::waitpid(child, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > give_up) {
        ADD_FAILURE() << "a victim hangs";
        ::kill(child, SIGABRT);
        ::waitpid(child, &status, 0);
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "a victim ended with wait status " << status;
    return false;
  }

  support::TemporaryFolder folder_;
  Plan plan_;
  Ledger ledger_;
  StackOptions stack_;
  bool has_bounds_ = false;
  std::mt19937_64 random_;
};

std::uint64_t seed_of_run() {
  const std::uint64_t seed = from_environment("CRASH_SEED", 1);
  fmt::print("CRASH_SEED={}\n", seed);
  return seed;
}

TEST(Crash, KilledAtEveryPoint) {
  constexpr std::size_t kBatches = 60;
  constexpr std::size_t kFirstBatches = 400;  // until retention has come round
  Campaign campaign(seed_of_run(), 6'000);
  ASSERT_FALSE(campaign.kill_at("", 0, kFirstBatches));
  ASSERT_EQ(campaign.verified(), "");
  const auto points = campaign.ledger().passes();
  std::size_t kills = 0;
  for (const auto& [point, passes] : points) {
    const std::uint64_t most = std::max<std::uint64_t>(1, passes * kBatches / kFirstBatches / 2);
    const auto pass = static_cast<std::uint64_t>(campaign.uniform(1, static_cast<int>(most)));
    SCOPED_TRACE(fmt::format("killed at pass {} of {}", pass, point));
    const bool died = campaign.kill_at(point, pass, 4 * kBatches);
    fmt::print("{:<32} pass {:>4} of {:>5}: {}\n", point, pass, passes, died ? "killed" : "not reached");
    if (died) ++kills;
    ASSERT_EQ(campaign.verified(), "");
  }
  EXPECT_GE(kills, points.size() - points.size() / 4);
}

TEST(Crash, KilledAtAnyMoment) {
  constexpr std::size_t kBatches = 10'000;
  const std::uint64_t kills = from_environment("CRASH_KILLS", 12);
  const std::uint64_t seed = seed_of_run();
  std::uint64_t done = 0;
  for (std::uint64_t folder = 0; done < kills; ++folder) {
    Campaign campaign(seed + 1 + folder, 4'000);
    if (folder % 2 == 1) {
      campaign.set_bounds();
      campaign.stack().features.session_ttl_seconds = 60;
      campaign.stack().features.max_recent_items = 10;
      campaign.stack().features.max_affinities = 3;
    }
    for (std::size_t i = 0; i < kKillsAFolder && done < kills; ++i) {
      // Every fourth soon after the start, so that start-up itself is interrupted.
      const int delay_us = campaign.uniform(0, 3) == 0 ? campaign.uniform(0, 20'000) : campaign.uniform(5'000, 250'000);
      SCOPED_TRACE(fmt::format("folder {}, kill {}, after {} µs", folder, i, delay_us));
      if (campaign.kill_after(std::chrono::microseconds(delay_us), kBatches)) ++done;
      if (campaign.uniform(0, 2) == 0) continue;  // the next one finds what two deaths left
      ASSERT_EQ(campaign.verified(), "");
    }
    ASSERT_EQ(campaign.verified(), "");
  }
  fmt::print("{} kills\n", done);
}

}  // namespace
}  // namespace scalestyle::crash
