#pragma once
// The cheap calls by which a DependencyGuard finds out whether what it guards is back: each asks for the least of what searches
// ask for, past the guard, so that a server that lives but does not do its work is not taken for well.

#include "ports/feature_store.hpp"
#include "ports/image_encoder.hpp"
#include "ports/pair_scorer.hpp"
#include "ports/text_encoder.hpp"
#include "search/dependency_guard.hpp"

namespace scalestyle::search {

// What is given must outlive the guard's probes (DependencyGuard::probe_with()).
[[nodiscard]] DependencyGuard::Probe probe_of(ports::TextEncoder& encoder);   // embeds a letter
[[nodiscard]] DependencyGuard::Probe probe_of(ports::PairScorer& scorer);     // scores a pair of letters
[[nodiscard]] DependencyGuard::Probe probe_of(ports::ImageEncoder& encoder);  // embeds a letter among pictures
[[nodiscard]] DependencyGuard::Probe probe_of(ports::FeatureStore& store);    // reads a shopper whom there need not be

}  // namespace scalestyle::search
