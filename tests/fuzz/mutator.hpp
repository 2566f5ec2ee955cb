#pragma once
// Mutants of seeds, the same for the same number on every machine.

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace scalestyle::fuzz {

class Mutator {
 public:
  // `seeds` is not empty; both must outlive the mutator. Mutants have at most `max_bytes`.
  Mutator(std::uint32_t seed, const std::vector<std::string>& seeds, const std::vector<std::string>& words,
          std::size_t max_bytes);

  // A seed, changed one to sixteen times.
  [[nodiscard]] std::string next();

 private:
  [[nodiscard]] std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  [[nodiscard]] const std::string& any(const std::vector<std::string>& texts) { return texts[below(texts.size())]; }
  void change(std::string& input);
  void change_bytes(std::string& input, std::size_t at, std::size_t length);
  void change_number(std::string& input, std::size_t at);

  std::mt19937 random_;
  const std::vector<std::string>& seeds_;
  const std::vector<std::string>& words_;
  std::size_t max_bytes_;
};

}  // namespace scalestyle::fuzz
