#pragma once
// Events for the load: single clicks, or batches, of many users on the articles of the served catalogue.

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "load_run.hpp"

namespace scalestyle::load {

struct ClickOptions {
  std::string host = "127.0.0.1:8080";
  std::vector<std::string> items{};  // article ids to click on; popular ones first
  std::uint64_t users = 10'000;
  std::uint64_t seed = 1;
  std::size_t batch = 1;             // events of a request; above 1 they go to /api/events
  bool each_user_once = false;       // users in turn, instead of by chance
};

// Judges an answer good when it acknowledges every event of its request.
class ClickExchange final : public Exchange {
 public:
  explicit ClickExchange(ClickOptions options) : options_(std::move(options)), random_(options_.seed) {}

  [[nodiscard]] std::optional<std::string> next_request() override;
  [[nodiscard]] Verdict judge(const HttpAnswer& answer, std::size_t kind) override;

 private:
  [[nodiscard]] std::string event();

  ClickOptions options_;
  std::mt19937_64 random_;
  std::uint64_t made_ = 0;
};

// Article ids that the server shows for a few searches; at least one.
[[nodiscard]] core::Result<std::vector<std::string>> shown_items(const Address& address, const std::string& host,
                                                                 std::size_t wanted);

}  // namespace scalestyle::load
