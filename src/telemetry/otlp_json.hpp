#pragma once
// Spans as the body of an OTLP/HTTP request in JSON.
// Source: OpenTelemetry Protocol Specification 1.x, "JSON Protobuf Encoding": names in lowerCamelCase, ids in hexadecimal
// digits, 64-bit numbers as texts of decimal digits, enumerations as numbers; what is unset is left out.
// Thread safety: a free function and a plain value.

#include <span>
#include <string>

#include "telemetry/span.hpp"

namespace scalestyle::telemetry {

// Who made the spans.
struct OtlpResource {
  std::string service_name = "scalestyle";
  std::string service_version{};
  std::string instance_id{};  // of this process; empty: not told, as the others
  std::string role{};         // "serve", "gateway", "inference", "consumer"
};

// An ExportTraceServiceRequest.
[[nodiscard]] std::string otlp_json(const OtlpResource& resource, std::span<const Span> spans);

}  // namespace scalestyle::telemetry
