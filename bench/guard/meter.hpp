#pragma once
// Meter: counts what a piece of fixed work costs, in two figures that a busy machine does not change: instructions, which Callgrind
// counts while it is told to, and allocations (operator new) of the whole process.
//
// Instructions reach the caller through Callgrind's files, one a unit with the unit's name (check.py reads them); outside of Valgrind
// there are none. Thread safety: one thread measures; allocations of others count too, so none should be at work.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace scalestyle::guard {

struct Measured {
  std::string name;
  std::size_t repeats = 0;
  std::size_t allocations = 0;  // of all repeats
};

class Meter {
 public:
  // `only`: the part of a name that a unit must have to be measured; empty: all are.
  explicit Meter(std::string_view only) : only_(only) {}

  // Calls `work` twice, so that memory which is kept is there, then `repeats` times measured.
  void measure(std::string_view name, std::size_t repeats, const std::function<void()>& work);
  [[nodiscard]] bool wants(std::string_view name) const { return name.find(only_) != std::string_view::npos; }

  [[nodiscard]] const std::vector<Measured>& measured() const { return measured_; }

 private:
  std::string only_;
  std::vector<Measured> measured_;
};

// Ends the program, exit status 1, where an answer is wrong: work that went wrong is no work to compare.
void require(bool holds, std::string_view what);

}  // namespace scalestyle::guard
