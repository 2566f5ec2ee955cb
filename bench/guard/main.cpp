// A small, steady set of benchmarks: instructions and allocations a unit of fixed work, which hold on a busy machine.
//   guard_bench [--isa NAME] [--only PART]
// --isa: the kernels' instruction set, avx2 by default, so that one record fits all x86-64 machines. Run by check.py under Callgrind,
// which counts the instructions; alone it only counts allocations. Prints JSON. Exit status 1 when an answer is wrong.

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "units.hpp"
#include "nn/kernels/isa.hpp"

namespace {

// Removed at the end with what is in it.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / fmt::format("guard_bench.{}", ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

int main(int argc, char** argv) {
  using namespace scalestyle;
  std::string_view isa = "avx2";
  std::string_view only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--isa") isa = argv[i + 1];
    if (name == "--only") only = argv[i + 1];
  }
  if (const auto forced = nn::kernels::force_isa(isa); !forced) {
    fmt::print(stderr, "guard_bench: {}\n", forced.error().message);
    return 2;
  }
  guard::Meter meter(only);
  const Folder folder;
  guard::measure_model(meter, folder.path());
  guard::measure_search(meter);
  guard::measure_edge(meter, folder.path());

  fmt::print("{{\"isa\": \"{}\", \"compiler\": \"{}\", \"units\": {{", isa, __VERSION__);
  const char* separator = "";
  for (const guard::Measured& unit : meter.measured()) {
    fmt::print("{}\n  \"{}\": {{\"repeats\": {}, \"allocations\": {}}}", separator, unit.name, unit.repeats, unit.allocations);
    separator = ",";
  }
  fmt::print("\n}}}}\n");
  return 0;
}
