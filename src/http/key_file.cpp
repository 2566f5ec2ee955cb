#include "http/key_file.hpp"

#include <utility>

namespace scalestyle::http {

core::Result<std::unique_ptr<KeyFile>> KeyFile::open(std::filesystem::path path) {
  std::unique_ptr<KeyFile> file(new KeyFile(std::move(path)));
  CORE_CHECK(file->read_now());
  return file;
}

void KeyFollower::arm() {
  if (stopping_.load()) return;
  use_.timers.schedule(use_.clock.steady_now() + interval_, [this] {
    core::start(round(), [this](core::Status&&) { arm(); }).detach();
  });
}

core::Task<core::Status> KeyFollower::round() {
  CORE_CO_CHECK(co_await use_.pool.schedule(core::Deadline::never()));
  look();
  co_return core::Status();
}

void KeyFollower::look() {
  const auto changed = use_.file.follow();
  if (!changed) {
    if (changed.error().message == logged_error_) return;
    logged_error_ = changed.error().message;
    use_.log.error("cannot follow the API keys; those in force stay", {{"cause", logged_error_}});
    return;
  }
  if (!*changed) return;
  logged_error_.clear();
  use_.log.info("API keys were read", {{"keys", use_.file.current()->keys().size()}});
}

}  // namespace scalestyle::http
