#pragma once
// One function a sub-command; commands.cpp puts them together.

#include "command.hpp"

namespace scalestyle::app {

[[nodiscard]] Command serve_command();
[[nodiscard]] Command gateway_command();
[[nodiscard]] Command consumer_command();
[[nodiscard]] Command inference_command();
[[nodiscard]] Command ingest_command();
[[nodiscard]] Command models_list_command();
[[nodiscard]] Command models_fetch_command();
[[nodiscard]] Command models_verify_command();
[[nodiscard]] Command sample_command();
[[nodiscard]] Command evaluate_search_command();
[[nodiscard]] Command evaluate_recommend_command();
[[nodiscard]] Command evaluate_vectors_command();
[[nodiscard]] Command events_export_command();
[[nodiscard]] Command events_import_command();
[[nodiscard]] Command events_verify_command();
[[nodiscard]] Command events_rebuild_command();
[[nodiscard]] Command train_ranker_command();
[[nodiscard]] Command doctor_command();
[[nodiscard]] Command keys_create_command();
[[nodiscard]] Command keys_list_command();
[[nodiscard]] Command keys_revoke_command();
[[nodiscard]] Command keys_rotate_command();
[[nodiscard]] Command keys_token_command();
#ifdef SCALESTYLE_WITH_KAFKA
[[nodiscard]] Command events_audit_command();
[[nodiscard]] Command dlq_list_command();
[[nodiscard]] Command dlq_show_command();
[[nodiscard]] Command dlq_replay_command();
[[nodiscard]] Command dlq_drop_command();
#endif

}  // namespace scalestyle::app
