#include "adapters/redis/server_facts.hpp"

#include <charconv>

#include "adapters/redis/replication_impl.hpp"

namespace scalestyle::adapters::redis {
namespace {

using Answer = core::Result<RedisValue>;
enum Question : std::size_t { kPing, kServer, kReplication, kMemory, kPolicy, kCluster, kQuestions };

bool may_not(const Answer& answer) { return !answer && answer.error().code == core::ErrorCode::kPermissionDenied; }

std::string text_of(const Answer& answer) { return answer ? answer->text : std::string(); }

bool evicts(const std::string& policy) { return !policy.empty() && policy != "noeviction"; }

// INFO and CONFIG each need a right of their own; one of them is enough.
std::string policy_of(const Answer& memory, const Answer& configured) {
  std::string policy = info_field(text_of(memory), "maxmemory_policy");
  if (policy.empty() && configured && configured->elements.size() == 2) policy = configured->elements[1].text;
  return policy;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

const std::vector<std::vector<std::string>>& facts_questions() {
  static const std::vector<std::vector<std::string>> questions{
      {"PING"},           {"INFO", "server"}, {"INFO", "replication"}, {"INFO", "memory"}, {"CONFIG", "GET", "maxmemory-policy"},
      {"CLUSTER", "INFO"}};
  return questions;
}

std::string info_field(std::string_view info, std::string_view name) {
  while (!info.empty()) {
    const auto end = info.find('\n');
    std::string_view line = info.substr(0, end);
    info.remove_prefix(end == std::string_view::npos ? info.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
      return std::string(line.substr(name.size() + 1));
    }
  }
  return {};
}

core::Result<RedisFacts> facts_of(const std::vector<Answer>& answers) {
  RedisFacts facts;
  facts.masters = answers.size() / kQuestions;
  for (std::size_t first = 0; first + kQuestions <= answers.size(); first += kQuestions) {
    const Answer* const of = &answers[first];
    if (!of[kPing]) return std::unexpected(of[kPing].error());
    for (const auto question : {kServer, kReplication, kMemory}) {
      if (!of[question] && !may_not(of[question])) return std::unexpected(of[question].error());
    }
    if (facts.version.empty()) facts.version = info_field(text_of(of[kServer]), "redis_version");
    facts.cluster = facts.cluster || of[kCluster].has_value();
    facts.replicas += replicas_online(text_of(of[kReplication]));
    if (first == 0) facts.max_memory_bytes = number(info_field(text_of(of[kMemory]), "maxmemory"));
    const std::string policy = policy_of(of[kMemory], of[kPolicy]);
    if (facts.eviction_policy.empty() || (evicts(policy) && !evicts(facts.eviction_policy))) facts.eviction_policy = policy;
  }
  return facts;
}

}  // namespace scalestyle::adapters::redis
