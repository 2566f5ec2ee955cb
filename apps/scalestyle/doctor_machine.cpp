// What the operating system gives this process.

#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/files.hpp"
#include "doctor_judgement.hpp"
#include "doctor_parts.hpp"
#include "nn/kernels/isa.hpp"
#include "process_options.hpp"
#include "runtime.hpp"

namespace scalestyle::app {

namespace {

constexpr int kDefaultPort = 8080;
constexpr std::size_t kMaxSystemFileBytes = 4096;
constexpr rlim_t kOtherThreads = 64;  // beside those of the compute pool

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// The name of a setting that not every version of the program has.
bool is_set(const core::Settings& settings, std::string_view name) {
  const auto found = settings.all().find(name);
  return found != settings.all().end() && !found->second.text.empty() && found->second.text != "false";
}

Check check_kernels(const core::Settings& settings) {
  std::string found = fmt::format("{}, {} compute threads", nn::kernels::describe_active_isa(), compute_threads(settings));
  if (nn::kernels::active_isa() == nn::kernels::Isa::kScalar) {
    return warned("kernels", std::move(found), "models are many times slower so: a processor with AVX2 or AVX-512 helps");
  }
  if (nn::kernels::active_isa() != nn::kernels::best_isa()) {
    return warned("kernels", std::move(found),
                  fmt::format("{} is the best that this processor has: --isa auto takes it",
                              nn::kernels::to_string(nn::kernels::best_isa())));
  }
  return passed("kernels", std::move(found));
}

Check check_handles(const core::Settings& settings) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return skipped("file_handles", "the limit of open files cannot be read");
  const auto most = limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<std::uint64_t>::max() : std::uint64_t{limit.rlim_cur};
  return judge_handles(most, static_cast<std::uint64_t>(settings.integer("max_connections")));
}

Check check_processes(const core::Settings& settings) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NPROC, &limit) != 0) return skipped("threads", "the limit of threads cannot be read");
  if (limit.rlim_cur == RLIM_INFINITY) return passed("threads", "no limit of threads");
  std::string found = fmt::format("{} processes and threads allowed to this user", limit.rlim_cur);
  if (limit.rlim_cur >= kLanes * compute_threads(settings) + kOtherThreads) return passed("threads", std::move(found));
  return warned("threads", std::move(found),
                "raise the limit (ulimit -u, LimitNPROC): a server has about 64 threads besides those that compute");
}

Check check_huge_pages() {
  const auto text = core::read_text_file("/sys/kernel/mm/transparent_hugepage/enabled", kMaxSystemFileBytes);
  if (!text) return skipped("huge_pages", "this kernel does not tell");
  const auto open = text->find('[');
  const auto close = text->find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return skipped("huge_pages",
      "this kernel does not tell");
  const std::string mode = text->substr(open + 1, close - open - 1);
  if (mode == "never") {
    return warned("huge_pages", "transparent huge pages: never",
                  "\"madvise\" in /sys/kernel/mm/transparent_hugepage/enabled makes models and scans quicker");
  }
  return passed("huge_pages", "transparent huge pages: " + mode);
}

Check check_port(const core::Settings& settings) {
  const auto options = server_options(settings, kDefaultPort);
  if (!options) return failed("listen", options.error(), "correct that setting");
  const std::string where = fmt::format("{}:{}", options->host, options->port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  // No name server is asked: what is not localhost is an address.
  hints.ai_flags = AI_PASSIVE | (options->host == "localhost" ? 0 : AI_NUMERICHOST);
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(options->host.c_str(), std::to_string(options->port).c_str(), &hints, &list); error != 0) {
    return failed("listen", fmt::format("{}: {}", where, ::gai_strerror(error)), "host is an address of this machine");
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(list, &::freeaddrinfo);
  const Socket socket(::socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return failed("listen", fmt::format("{}: {}", where, std::strerror(errno)),
                                      "this address family is not to be had here");
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(socket.get(), list->ai_addr, list->ai_addrlen) != 0 || ::listen(socket.get(), 1) != 0) {
    const int error = errno;
    if (error == EADDRINUSE) return warned("listen", where + " is in use",
                                           "right where a server runs already; else choose another --port");
    return failed("listen", fmt::format("{}: {}", where, std::strerror(error)),
                  "choose a --host of this machine and a --port that this user may open");
  }
  return passed("listen", options->port == 0 ? options->host + ": any free port" : where + " is free");
}

}  // namespace

Checks check_machine(const core::Settings& settings) {
  ListenAccess access{.host = settings.text("host")};
  access.knows_keys = settings.all().contains("keys_file");
  access.has_keys = is_set(settings, "keys_file");
  access.insecure = is_set(settings, "insecure");
  return {check_kernels(settings), check_handles(settings), check_processes(settings),
          check_huge_pages(),      check_port(settings),    judge_access(access)};
}

}  // namespace scalestyle::app
