#pragma once
// What the lists of several sources take from step to step. Private to the files of SearchService.

#include <memory>
#include <optional>
#include <vector>

#include "search/near_rows.hpp"
#include "search/search_service.hpp"

namespace scalestyle::search {

struct SearchService::NearWish {
  std::optional<catalog::RowIndex> row{};  // near to what; nothing: nothing is looked up
  bool texts = false;
  bool photos = false;
  bool within_eligible = false;   // only eligible rows are looked for, rather than left of what is found anywhere
  core::Deadline deadline = core::Deadline::never();
};

struct SearchService::NearFound {
  NearRowsFinder::Found texts{};   // null: nothing
  NearRowsFinder::Found photos{};
  StageOutcome texts_outcome = StageOutcome::kSkipped;
  StageOutcome photos_outcome = StageOutcome::kSkipped;
  bool has_failed = false;         // one of them
};

}  // namespace scalestyle::search
