#pragma once
// Task<T>: the lazy coroutine that every port method which can wait returns.
//
// Life of a task:
//  * It starts when awaited (`co_await std::move(task)`) or when given to start() or sync_wait().
//  * It resumes its awaiter on whatever thread completed it: embedded adapters complete on the compute pool,
//    distributed ones on the I/O loop.
//  * Dropping a task that was not started destroys it. Dropping the Operation of a started one requests a stop:
//    the request travels to every task below through the stop token, waits in progress end with kCancelled, and
//    the frames live until the step in progress returns. No result is delivered after that.
//
// Invariants: (1) a frame is destroyed exactly once, by its Task or, for a root, by itself at its final suspend
// point; (2) a child's stop token and context are its awaiter's, and no frame outlives the one above it; (3) an
// exception that leaves a body is rethrown to the awaiter; start() hands it on as Error kInternal.
// Thread safety: a Task is moved and awaited by one thread at a time; Operation::cancel() may be called by any.

#include <atomic>
#include <concepts>
#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <semaphore>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/result.hpp"

namespace scalestyle::core {

// What belongs to everything that is done for one cause, and is no input of it: the trace of a request. It travels with the stop
// token to every task below, but not into tasks that are given to start() without it.
class TaskContext : public std::enable_shared_from_this<TaskContext> {
 public:
  virtual ~TaskContext() = default;
  TaskContext(const TaskContext&) = delete;
  TaskContext& operator=(const TaskContext&) = delete;

 protected:
  TaskContext() = default;
};

template <class T>
class Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> continuation;
  std::stop_token stop;
  TaskContext* context = nullptr;  // held by a frame above

  struct FinalAwaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
      auto next = handle.promise().continuation;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  [[nodiscard]] FinalAwaiter final_suspend() const noexcept { return {}; }
};

template <class T>
struct Promise : PromiseBase {
  std::variant<std::monostate, T, std::exception_ptr> outcome;

  Task<T> get_return_object();
  template <class U>
    requires std::convertible_to<U&&, T>
  void return_value(U&& value) {
    outcome.template emplace<1>(std::forward<U>(value));
  }
  void unhandled_exception() noexcept { outcome.template emplace<2>(std::current_exception()); }
  T take() {
    if (outcome.index() == 2) std::rethrow_exception(std::get<2>(outcome));
    return std::move(std::get<1>(outcome));
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  struct Awaiter {
    Handle handle;
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class ParentPromise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<ParentPromise> parent) noexcept {
      handle.promise().continuation = parent;
      handle.promise().stop = parent.promise().stop;
      handle.promise().context = parent.promise().context;
      return handle;
    }
    T await_resume() { return handle.promise().take(); }
  };
  Awaiter operator co_await() && noexcept { return Awaiter{handle_}; }

 private:
  Handle handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

// Inside a task: `std::stop_token stop = co_await core::current_stop_token();`
struct CurrentStopToken {
  std::stop_token token;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    token = handle.promise().stop;
    return false;
  }
  std::stop_token await_resume() noexcept { return std::move(token); }
};
[[nodiscard]] inline CurrentStopToken current_stop_token() { return {}; }

// Inside a task: `std::shared_ptr<core::TaskContext> context = co_await core::current_context();`, null where there is none.
struct CurrentContext {
  TaskContext* context = nullptr;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    context = handle.promise().context;
    return false;
  }
  [[nodiscard]] std::shared_ptr<TaskContext> await_resume() const { return context == nullptr ? nullptr : context->shared_from_this(); }
};
[[nodiscard]] inline CurrentContext current_context() { return {}; }

namespace detail {

struct EnterContext {
  TaskContext* context;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) const noexcept {
    handle.promise().context = context;
    return false;
  }
  void await_resume() const noexcept {}
};

}  // namespace detail

// `task` with another context than its awaiter's.
template <class T>
Task<T> with_context(std::shared_ptr<TaskContext> context, Task<T> task) {
  const detail::EnterContext enter{context.get()};
  co_await enter;
  co_return co_await std::move(task);
}

// A started task. Dropping it requests a stop; detach() lets it run on.
class [[nodiscard]] Operation {
 public:
  Operation() : source_(std::nostopstate) {}
  explicit Operation(std::stop_source source) : source_(std::move(source)) {}
  Operation(Operation&& other) noexcept : source_(std::exchange(other.source_, std::stop_source(std::nostopstate))) {}
  Operation& operator=(Operation&& other) noexcept {
    if (this != &other) {
      cancel();
      source_ = std::exchange(other.source_, std::stop_source(std::nostopstate));
    }
    return *this;
  }
  ~Operation() { cancel(); }
  void cancel() {
    if (source_.stop_possible()) source_.request_stop();
  }
  void detach() { source_ = std::stop_source(std::nostopstate); }

 private:
  std::stop_source source_;
};

namespace detail {

// The coroutine at the bottom of a chain: owns itself, frees itself at the end.
struct Root {
  struct promise_type {
    std::stop_token stop;
    TaskContext* context;
    template <class... Args>
    explicit promise_type(std::stop_token token, const std::shared_ptr<TaskContext>& held, Args&...)
        : stop(std::move(token)), context(held.get()) {}
    [[nodiscard]] Root get_return_object() const noexcept { return {}; }
    [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
    [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }  // only if a callback throws: programmer error
  };
};

template <class T>
struct IsResult : std::false_type {};
template <class T>
struct IsResult<Result<T>> : std::true_type {};

template <class T, class Callback>
Root run_root(std::stop_token stop, [[maybe_unused]] std::shared_ptr<TaskContext> held, Task<T> task, Callback callback) {
  std::optional<T> value;
  try {
    value.emplace(co_await std::move(task));
  } catch (const std::exception& failure) {
    if constexpr (IsResult<T>::value) {
      value.emplace(fail(ErrorCode::kInternal, failure.what()));
    } else {
      std::terminate();
    }
  }
  if (!stop.stop_requested()) callback(std::move(*value));
}

}  // namespace detail

// Starts `task` on this thread; `callback(T)` runs on the thread that completes it, never after a stop was requested
// before completion. The callback must not throw. `context`: of the task and all below it.
template <class T, class Callback>
Operation start(Task<T> task, Callback callback, std::shared_ptr<TaskContext> context = nullptr) {
  std::stop_source source;
  detail::run_root(source.get_token(), std::move(context), std::move(task), std::move(callback));
  return Operation(std::move(source));
}

// Blocks this thread until the task ends. For the command line and tests; never on the pool or the I/O loop.
template <class T>
T sync_wait(Task<T> task) {
  std::optional<T> value;
  std::binary_semaphore done(0);
  auto operation = start(std::move(task), [&](T&& result) {
    value.emplace(std::move(result));
    done.release();
  });
  done.acquire();
  operation.detach();
  return std::move(*value);
}

// A task that is already complete.
template <class T>
Task<T> ready(T value) {
  co_return std::move(value);
}

// One value handed from a producer to one awaiting task. set() may run before or after the await; the awaiter
// resumes on the thread that calls set(). Exactly one set() and at most one await.
template <class T>
class OneShot {
 public:
  void set(T value) {
    value_.emplace(std::move(value));
    void* previous = state_.exchange(kSet, std::memory_order_acq_rel);
    if (previous != nullptr) std::coroutine_handle<>::from_address(previous).resume();
  }

  struct Awaiter {
    OneShot* shot;
    [[nodiscard]] bool await_ready() const noexcept { return shot->state_.load(std::memory_order_acquire) == kSet; }
    bool await_suspend(std::coroutine_handle<> handle) noexcept {
      void* expected = nullptr;
      return shot->state_.compare_exchange_strong(expected, handle.address(), std::memory_order_acq_rel);
    }
    T await_resume() { return std::move(*shot->value_); }
  };
  Awaiter operator co_await() noexcept { return Awaiter{this}; }

 private:
  static inline char marker_ = 0;
  static constexpr void* kSet = &marker_;
  std::atomic<void*> state_{nullptr};
  std::optional<T> value_;
};

}  // namespace scalestyle::core
