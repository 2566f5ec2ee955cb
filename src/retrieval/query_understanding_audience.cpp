#include "retrieval/query_understanding_audience.hpp"

#include <algorithm>
#include <cstdint>

#include "retrieval/query_understanding_language.hpp"
#include "retrieval/query_understanding_phrases.hpp"
#include "retrieval/query_understanding_words.hpp"

namespace scalestyle::retrieval {
namespace {

using catalog::Attribute;

std::vector<AudienceSet> audience_of_values(const catalog::Catalog& catalog, Attribute attribute) {
  std::vector<AudienceSet> sets;
  sets.reserve(catalog.value_count(attribute));
  for (std::uint32_t code = 0; code < catalog.value_count(attribute); ++code) {
    sets.push_back(audience_of_value(catalog.value_of(attribute, code)));
  }
  return sets;
}

unsigned people(unsigned bits) { return bits & (AudienceSet::kAges | AudienceSet::kGenders); }

float credit_of(unsigned asks, unsigned tolerates, unsigned row) {
  if (asks == 0 || (asks & row) != 0) return 1;
  return row == 0 || (tolerates & row) != 0 ? kPartCredit : 0;
}

}  // namespace

AudienceSet audience_of_value(std::string_view value) {
  unsigned ages = 0;
  unsigned ages_by_gender = 0;  // "girl" says child, unless the value names the age: "Baby Girl"
  unsigned others = 0;
  for (const QueryWord& word : query_words(value, kMaxValueWords)) {
    const AudienceWord* const found = audience_word(word.form);
    if (found == nullptr) continue;
    const unsigned bits = found->asks.bits;
    ((bits & AudienceSet::kGenders) != 0 ? ages_by_gender : ages) |= bits & AudienceSet::kAges;
    others |= bits & ~unsigned{AudienceSet::kAges};
  }
  return {static_cast<std::uint8_t>((ages != 0 ? ages : ages_by_gender) | others)};
}

std::vector<AudienceSet> audience_of_rows(const catalog::Catalog& catalog) {
  const auto index = audience_of_values(catalog, Attribute::kIndex);
  const auto section = audience_of_values(catalog, Attribute::kSection);
  const auto department = audience_of_values(catalog, Attribute::kDepartment);
  const auto index_group = audience_of_values(catalog, Attribute::kIndexGroup);
  const auto index_codes = catalog.codes(Attribute::kIndex);
  const auto section_codes = catalog.codes(Attribute::kSection);
  const auto department_codes = catalog.codes(Attribute::kDepartment);
  const auto group_codes = catalog.codes(Attribute::kIndexGroup);
  std::vector<AudienceSet> rows(catalog.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    unsigned bits = unsigned{index[index_codes[row]].bits} | section[section_codes[row]].bits;
    for (const AudienceSet said : {department[department_codes[row]], index_group[group_codes[row]]}) {
      bits |= people(bits) == 0 ? said.bits : said.bits & unsigned{AudienceSet::kSport};
    }
    rows[row].bits = static_cast<std::uint8_t>(bits);
  }
  return rows;
}

float audience_credit(AudienceSet asks, AudienceSet tolerates, AudienceSet row) {
  constexpr unsigned kAges = AudienceSet::kAges;
  constexpr unsigned kGenders = AudienceSet::kGenders;
  if ((asks.bits & AudienceSet::kSport) != 0 && (row.bits & AudienceSet::kSport) == 0) return 0;
  return std::min(credit_of(asks.bits & kAges, tolerates.bits & kAges, row.bits & kAges),
                  credit_of(asks.bits & kGenders, 0, row.bits & kGenders));
}

bool audience_passes(AudienceSet asks, AudienceSet tolerates, AudienceSet row) {
  unsigned asked = asks.bits;
  if ((asked & AudienceSet::kAges) != 0 && (asked & AudienceSet::kAdult) == 0) asked &= ~unsigned{AudienceSet::kGenders};
  return audience_credit({static_cast<std::uint8_t>(asked)}, tolerates, row) > 0;
}

}  // namespace scalestyle::retrieval
