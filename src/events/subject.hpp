#pragma once
// Subject: whose features these are: a user, or an anonymous session.

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "core/ids.hpp"

namespace scalestyle::events {

enum class SubjectKind : std::uint8_t { kUser, kSession };

struct Subject {
  SubjectKind kind = SubjectKind::kUser;
  std::string id{};

  [[nodiscard]] static Subject user(const core::UserId& id) { return {SubjectKind::kUser, id.value()}; }
  [[nodiscard]] static Subject session(const core::SessionId& id) { return {SubjectKind::kSession, id.value()}; }

  // "u:<id>" or "s:<id>": the key in logs and stores; users and sessions of one id are different subjects.
  [[nodiscard]] std::string key() const { return (kind == SubjectKind::kUser ? "u:" : "s:") + id; }

  friend auto operator<=>(const Subject&, const Subject&) = default;
};

}  // namespace scalestyle::events
