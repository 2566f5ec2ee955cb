#include "commands.hpp"

#include "command_list.hpp"

namespace scalestyle::app {

std::vector<Command> all_commands() {
  return {serve_command(), gateway_command(), inference_command(), consumer_command(), ingest_command(), sample_command(), models_list_command(),
          models_fetch_command(),  models_verify_command(), doctor_command(), evaluate_search_command(),
          evaluate_recommend_command(), evaluate_vectors_command(), train_ranker_command(),
          keys_create_command(), keys_list_command(), keys_revoke_command(), keys_rotate_command(), keys_token_command(),
          events_export_command(), events_import_command(), events_verify_command(), events_rebuild_command(),
#ifdef SCALESTYLE_WITH_KAFKA
          events_audit_command(),
          dlq_list_command(),      dlq_show_command(),      dlq_replay_command(), dlq_drop_command(),
#endif
  };
}

std::string group_help(const std::string& group) {
  if (group == "models") return "List, fetch and verify models";
  if (group == "events") return "Export, import, check and rebuild what shoppers did";
  if (group == "keys") return "Make, list, revoke and renew API keys; sign user tokens";
  if (group == "dlq") return "Look at, replay and drop events that could not take effect (Kafka)";
  if (group == "evaluate") return "Measure the quality of answers";
  if (group == "train") return "Learn from what shoppers did";
  return {};
}

}  // namespace scalestyle::app
