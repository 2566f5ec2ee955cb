#pragma once
// The fixed work that is measured: one thread, fixed seeds, nothing that depends on addresses or on the time. Each unit checks its
// answer. What a unit needs is made before it is measured, and only where it is wanted.

#include <filesystem>

#include "meter.hpp"

namespace scalestyle::guard {

void measure_model(Meter& meter, const std::filesystem::path& folder);  // products, an encoder, the scan
void measure_search(Meter& meter);                                      // words, fusion, page, a kept list
void measure_edge(Meter& meter, const std::filesystem::path& folder);   // a request's message, a click

}  // namespace scalestyle::guard
