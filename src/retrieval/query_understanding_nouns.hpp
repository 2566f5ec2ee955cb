#pragma once
// What the openings of the descriptions call the articles: "Jumper in a soft knit", "Long-sleeved top with …". The last
// word before the first function word or full stop names the thing; counted over the catalogue it says which product
// types shoppers mean by a word that is no value of any column.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "catalog/catalog.hpp"

namespace scalestyle::retrieval {

struct TypeShare {
  std::uint32_t type = 0;  // code of Attribute::kProductType
  float share = 0;         // of the openings that end with the noun
};

struct Noun {
  std::vector<std::string> forms{};  // one or two words
  std::vector<TypeShare> types{};    // by falling share, then code; those of at least kMinShare
  float covered = 0;                 // sum of their shares
  bool clear = false;                // few types have nearly all of it, so that the word alone means them

  static constexpr float kMinShare = 0.1F;
};

class OpeningNouns {
 public:
  // Descriptions that several rows in a row share count once.
  explicit OpeningNouns(const catalog::Catalog& catalog);

  // Nouns of enough openings, by forms. Two words only where they are clear and mean another type than the last of them
  // alone ("swim shorts").
  [[nodiscard]] std::vector<Noun> nouns() const;

  // Words that describe rather than name: in the openings they mostly stand before another word ("short dress", where
  // "shorts" does not). By surface.
  [[nodiscard]] std::unordered_set<std::string> modifiers() const;

 private:
  struct Word {
    std::string form;
    std::uint32_t form_id = 0;
    std::uint32_t total = 0;
    std::uint32_t last = 0;  // times that it ended an opening
  };
  using Counts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // type, openings

  void read_opening(std::string_view description, std::uint32_t type);
  std::uint32_t word_of(const std::string& surface);
  [[nodiscard]] static Noun noun_of(const Counts& counts, std::size_t& openings);

  std::unordered_map<std::string, std::uint32_t> word_ids_;  // by surface
  std::unordered_map<std::string, std::uint32_t> form_ids_;
  std::vector<Word> words_;
  std::vector<std::string> forms_;
  std::vector<bool> form_names_;  // some spelling of the form ends two thirds of its openings
  std::unordered_map<std::uint64_t, Counts> endings_;  // last form, or the last two: (first + 1) << 32 | last
};

}  // namespace scalestyle::retrieval
