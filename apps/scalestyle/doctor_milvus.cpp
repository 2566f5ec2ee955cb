// The Milvus that settings name.

#include <thread>
#include <utility>

#include "adapters/milvus/milvus_client.hpp"
#include "core/task.hpp"
#include "doctor_parts.hpp"
#include "milvus_options.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

Checks check_milvus(const core::Settings& settings, const core::Clock& clock) {
  if (!settings.is_set("milvus_address")) return {};
  auto options = milvus_client_options(settings);
  if (!options) return {failed("milvus", options.error(), "correct that setting")};
  options->attempts = 1;
  telemetry::Metrics metrics;
  const auto client = adapters::milvus::MilvusClient::create(*options, {.clock = clock, .metrics = metrics});
  if (!client) return {failed("milvus", client.error(), "correct that setting")};
  std::thread io([&client] { (*client)->run(); });
  const auto version = core::sync_wait((*client)->server_version(core::Deadline::after(kEngineDeadline, clock)));
  (*client)->stop();
  io.join();
  if (!version) {
    return {failed_at("milvus", settings.text("milvus_address"), version.error(),
                   "is milvus_address right, the server up, the user known, TLS as milvus_tls says, nothing in between closed?")};
  }
  return {passed("milvus", settings.text("milvus_address") + ": Milvus " + *version)};
}

}  // namespace scalestyle::app
