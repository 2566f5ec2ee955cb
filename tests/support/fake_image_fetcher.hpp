#pragma once
// FakeImageFetcher: gives the bytes or the error that a test sets, to whatever URL. Thread-safe.

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ports/image_fetcher.hpp"
#include "support/fake_gate.hpp"

namespace scalestyle::support {

class FakeImageFetcher final : public ports::ImageFetcher {
 public:
  void answer_with(core::Result<std::string> answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  [[nodiscard]] std::vector<std::string> urls() const {
    const std::lock_guard lock(mutex_);
    return urls_;
  }
  [[nodiscard]] FakeGate& gate() { return gate_; }

  core::Task<core::Result<std::string>> fetch(std::string url, core::Deadline /*deadline*/) override {
    {
      const std::lock_guard lock(mutex_);
      urls_.push_back(std::move(url));
    }
    co_await gate_.pass();
    const std::lock_guard lock(mutex_);
    co_return answer_;
  }

 private:
  FakeGate gate_;
  mutable std::mutex mutex_;
  core::Result<std::string> answer_ = std::string();  // guarded by mutex_, as below
  std::vector<std::string> urls_;
};

}  // namespace scalestyle::support
