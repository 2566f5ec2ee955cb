#pragma once
// Which way a query of the graph goes: through the graph, or over the eligible rows by the exact scan. Pure.
//
// The exact scan costs one unit for each eligible row. A walk that keeps the best `breadth` eligible rows looks at about
// breadth / share nodes on the way, share being eligible / rows, since the others it passes through are no hits; each step
// from a node to its neighbours costs `rows_a_step` units. So the walk is expected to cost
//   breadth · rows_a_step · rows / eligible
// and the scan `eligible`: at half the share the one doubles and the other halves. A walk is begun only where it is expected
// to cost at most half of the scan, and is given up when it has cost as much as the scan, which then answers: a query costs at
// most twice the better way, whatever the filter has to do with the query. (Decision 0034.)

#include <cstddef>

namespace scalestyle::adapters::graph {

struct WalkNeeds {
  std::size_t rows = 0;      // of the collection
  std::size_t eligible = 0;  // of them, those that may be found
  std::size_t wanted = 0;    // hits
};

struct WalkOptions {
  std::size_t breadth = 256;  // best eligible nodes that a walk keeps; never fewer than a quarter above what is wanted
  double rows_a_step = 64;    // cost of a step in rows of the exact scan; 0: every query walks, and no walk is given up
};

struct WalkPlan {
  bool walk = false;           // false: the exact scan, and the rest is 0
  std::size_t breadth = 0;
  std::size_t most_steps = 0;  // nodes whose neighbours are looked at before the walk is given up
};

[[nodiscard]] WalkPlan plan_walk(const WalkNeeds& needs, const WalkOptions& options);

}  // namespace scalestyle::adapters::graph
