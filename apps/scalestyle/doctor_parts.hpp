#pragma once
// The groups of doctor's checks. Each only looks: no lock is taken, nothing is changed but a temporary file that is removed
// again. They block, within their own bounds. Thread safety: those of engines may run beside each other.

#include <chrono>
#include <cstdint>

#include "core/clock.hpp"
#include "core/settings.hpp"
#include "doctor_check.hpp"

namespace scalestyle::app {

inline constexpr std::chrono::seconds kEngineDeadline{2};  // for each question to an engine
inline constexpr std::chrono::seconds kKafkaDeadline{4};   // its client says only at the end that nobody answered

// Kernels, handles, processes, huge pages; whether the address to listen on is free, and who may use it.
[[nodiscard]] Checks check_machine(const core::Settings& settings);

// Of the data folder: may it be written, how long a sync takes, how much room is left. `quick`: no syncs are measured.
[[nodiscard]] Checks check_disk(const core::Settings& settings, bool quick);

// Generation, event log, rules, named configurations, ranker.
[[nodiscard]] Checks check_data(const core::Settings& settings, bool quick);

// The other files that settings name: certificates, keys, synonyms.
[[nodiscard]] Check check_named_files(const core::Settings& settings);

// How much memory a server with these settings holds, against what there is.
[[nodiscard]] Check check_memory_need(const core::Settings& settings);

// How fast the text encoder of the settings is here: half a second of work. `quick`: skipped.
[[nodiscard]] Check check_encoder(const core::Settings& settings, bool quick);

// Whether the choice of stores can be, and every engine that the settings name: all at once, each within its deadline.
[[nodiscard]] Checks check_engines(const core::Settings& settings);
[[nodiscard]] Checks check_redis(const core::Settings& settings, const core::Clock& clock);
[[nodiscard]] Checks check_model_servers(const core::Settings& settings, const core::Clock& clock);
// Of a program that is built with the engine; else not there.
[[nodiscard]] Checks check_kafka(const core::Settings& settings);
[[nodiscard]] Checks check_milvus(const core::Settings& settings, const core::Clock& clock);

}  // namespace scalestyle::app
