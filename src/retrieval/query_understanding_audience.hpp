#pragma once
// Who the rows of a catalogue are for, read from the English of their index, section and department names.

#include <string_view>
#include <vector>

#include "catalog/catalog.hpp"
#include "retrieval/understood_query.hpp"

namespace scalestyle::retrieval {

// What the audience words of a value say: "Ladies H&M Sport" is for adult women and sport, "Baby Girl" for baby girls.
[[nodiscard]] AudienceSet audience_of_value(std::string_view value);

// One a row. Section and index decide; where they name nobody the department does, then the index group.
[[nodiscard]] std::vector<AudienceSet> audience_of_rows(const catalog::Catalog& catalog);

// How well a row for `row` suits who is asked for, in [0, 1]: 1 it says so, 0 it says otherwise, kPartCredit where the
// catalogue does not say or the age is only tolerated.
[[nodiscard]] float audience_credit(AudienceSet asks, AudienceSet tolerates, AudienceSet row);

// Whether a row may be shown to them as a filter: not when it says another age or, to adults, another gender. Children
// wear what is filed under either.
[[nodiscard]] bool audience_passes(AudienceSet asks, AudienceSet tolerates, AudienceSet row);

}  // namespace scalestyle::retrieval
