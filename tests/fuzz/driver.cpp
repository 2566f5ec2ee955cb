// Runs one fuzz target without libFuzzer: its seeds, then mutants of them, the same for the same --seed.
//
//   fuzz_NAME [--seconds N] [--seed N] [--max-bytes N]      an input that ends it is left in ./crash-<seed>-<number>
//   fuzz_NAME FILE…                                         those inputs alone

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/mutator.hpp"
#include "fuzz/target.hpp"

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*callback)());
// What one input may make us allocate at once. Without detect_stack_use_after_return: GCC 12 then misaligns 64-byte vectors on
// the stack (GCC bug 110027).
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "max_allocation_size_mb=512:detect_stack_use_after_return=0"; }
#endif

namespace scalestyle::fuzz {

namespace {

constexpr unsigned kLongestInput = 20;  // seconds; sanitizers and a busy machine included

// The input under way, for whatever ends the process.
const std::string* current = nullptr;
std::array<char, 64> crash_file{};

// Calls only what a signal handler may.
void keep_input() {
  const std::string* const input = current;
  current = nullptr;
  if (input == nullptr || crash_file[0] == '\0') return;
  const int file = ::open(crash_file.data(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (::write(file, input->data(), input->size()) >= 0) {
    constexpr std::string_view kSaid = "\ninput kept in ";
    if (::write(STDERR_FILENO, kSaid.data(), kSaid.size()) < 0 ||
        ::write(STDERR_FILENO, crash_file.data(), std::strlen(crash_file.data())) < 0 ||
        ::write(STDERR_FILENO, "\n", 1) < 0) {
      // Nothing more can be said.
    }
  }
  ::close(file);
}

void on_signal(int number) {
  keep_input();
  if (number == SIGALRM) {
    constexpr std::string_view kSlow = "this input takes too long\n";
    if (::write(STDERR_FILENO, kSlow.data(), kSlow.size()) < 0) ::_exit(3);
  }
  ::signal(number, SIG_DFL);
  ::raise(number);
}

void catch_ends() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(keep_input);
#else
  ::signal(SIGSEGV, on_signal);
#endif
  for (const int number : {SIGABRT, SIGALRM}) ::signal(number, on_signal);
}

void run(const std::string& input) {
  current = &input;
  ::alarm(kLongestInput);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  current = nullptr;
}

struct Options {
  std::chrono::seconds time{3};
  std::uint32_t seed = 1;
  std::size_t max_bytes = 16'384;
  std::vector<std::string> files{};
};

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (!name.starts_with("--")) {
      options.files.push_back(name);
      continue;
    }
    const unsigned long value = ++i < argc ? std::strtoul(argv[i], nullptr, 10) : 0;
    if (name == "--seconds" && value > 0) {
      options.time = std::chrono::seconds(value);
    } else if (name == "--seed" && value > 0) {
      options.seed = static_cast<std::uint32_t>(value);
    } else if (name == "--max-bytes" && value > 0) {
      options.max_bytes = value;
    } else {
      std::fprintf(stderr, "usage: [--seconds N] [--seed N] [--max-bytes N] | FILE…\n");
      std::exit(2);
    }
  }
  return options;
}

int replay(const std::vector<std::string>& files) {
  for (const std::string& name : files) {
    std::ifstream file(name, std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", name.c_str());
      return 2;
    }
    run(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  return 0;
}

int fuzz(const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<std::string> first = seeds();
  const std::vector<std::string> dictionary = words();
  require(!first.empty());
  std::snprintf(crash_file.data(), crash_file.size(), "crash-%u-seed", options.seed);
  for (const std::string& input : first) run(input);
  Mutator mutator(options.seed, first, dictionary, options.max_bytes);
  std::size_t count = 0;
  while (std::chrono::steady_clock::now() - begin < options.time) {
    const std::string input = mutator.next();
    std::snprintf(crash_file.data(), crash_file.size(), "crash-%u-%zu", options.seed, ++count);
    run(input);
  }
  std::printf("%zu seeds and %zu mutants, seed %u: nothing found\n", first.size(), count, options.seed);
  return 0;
}

}  // namespace

}  // namespace scalestyle::fuzz

int main(int argc, char** argv) {
  using namespace scalestyle::fuzz;  // NOLINT: the program is theirs
  LLVMFuzzerInitialize(&argc, &argv);
  const Options options = read_options(argc, argv);
  catch_ends();
  return options.files.empty() ? fuzz(options) : replay(options.files);
}
