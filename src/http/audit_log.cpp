#include "http/audit_log.hpp"

#include <chrono>
#include <utility>

#include "core/hash.hpp"
#include "core/hmac.hpp"

namespace scalestyle::http {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kShownBytes = 8;

std::string_view outcome(int status) {
  if (status == 0) return "client_gone";
  if (status < 400) return "done";
  if (status == 401 || status == 403) return "refused";
  return status < 500 ? "invalid" : "failed";
}

}  // namespace

SubjectHasher::SubjectHasher(std::string key) : key_(key.empty() ? core::random_key(kKeyBytes) : std::move(key)) {}

std::string SubjectHasher::operator()(std::string_view subject) const {
  if (subject.empty()) return {};
  const core::Sha256Digest digest = core::hmac_sha256(key_, subject);
  return core::to_hex(std::span(digest).first(kShownBytes));
}

bool AuditLog::has_room_for_unknown() {
  const std::lock_guard lock(mutex_);
  const core::SteadyTime now = clock_.steady_now();
  if (now - minute_ >= std::chrono::minutes(1)) {
    minute_ = now;
    in_minute_ = 0;
    if (left_out_ > 0) log_.warning("audit: calls without a good key were left out", {{"calls", left_out_}});
    left_out_ = 0;
  }
  if (in_minute_ >= kUnknownCallersPerMinute) {
    ++left_out_;
    return false;
  }
  ++in_minute_;
  return true;
}

void AuditLog::write(const FinishedCall& call) {
  const AuditNote& note = *call.audit;
  if (call.status == 401 && !has_room_for_unknown()) return;
  log_.info("audit", {{"key", note.key_id.empty() ? std::string_view("none") : std::string_view(note.key_id)},
                      {"action", note.action},
                      {"route", call.route},
                      {"subject", std::string_view(note.subject)},
                      {"article", std::string_view(note.article)},
                      {"outcome", outcome(call.status)},
                      {"status", call.status},
                      {"request_id", call.request_id}});
}

}  // namespace scalestyle::http
