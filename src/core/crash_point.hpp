#pragma once
// Crash points: named places where durability is decided, so that a test can end the process exactly there.
// Without a hook, which only test programs set, a point costs one relaxed load.
//
// Thread safety: crash_point() from any thread; set_crash_hook() before the threads start.

#include <atomic>
#include <string_view>

namespace scalestyle::core {

using CrashHook = void (*)(std::string_view point);

inline std::atomic<CrashHook> crash_hook{nullptr};

inline void set_crash_hook(CrashHook hook) { crash_hook.store(hook); }

inline void crash_point(std::string_view point) {
  if (const CrashHook hook = crash_hook.load(std::memory_order_relaxed); hook != nullptr) hook(point);
}

}  // namespace scalestyle::core
