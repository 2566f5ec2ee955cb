#include "telemetry/otlp_json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string_view>
#include <variant>

#include "telemetry/json_text.hpp"

namespace scalestyle::telemetry {

namespace {

constexpr unsigned kKnowsRemote = 0x100;  // SpanFlags of trace.proto
constexpr unsigned kIsRemote = 0x200;
constexpr int kStatusError = 2;

void append_value(std::string& out, const decltype(SpanAttribute::value)& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    out += R"({"stringValue":)";
    append_json_quoted(out, *text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out += fmt::format(R"({{"intValue":"{}")", *integer);
  } else if (const auto* number = std::get_if<double>(&value)) {
    if (std::isfinite(*number)) {
      out += fmt::format(R"({{"doubleValue":{})", *number);
    } else {
      out += fmt::format(R"({{"doubleValue":"{}")", std::isnan(*number) ? "NaN" : *number > 0 ? "Infinity" : "-Infinity");
    }
  } else {
    out += std::get<bool>(value) ? R"({"boolValue":true)" : R"({"boolValue":false)";
  }
  out += '}';
}

void append_attribute(std::string& out, std::string_view key, const decltype(SpanAttribute::value)& value) {
  if (out.back() != '[') out += ',';
  out += R"({"key":)";
  append_json_quoted(out, key);
  out += R"(,"value":)";
  append_value(out, value);
  out += '}';
}

void append_attributes(std::string& out, const Span& span) {
  if (!span.attributes.empty()) {
    out += R"(,"attributes":[)";
    for (const SpanAttribute& attribute : span.attributes) append_attribute(out, attribute.key, attribute.value);
    out += ']';
  }
  if (span.dropped_attributes > 0) out += fmt::format(R"(,"droppedAttributesCount":{})", span.dropped_attributes);
}

void append_links(std::string& out, const Span& span) {
  if (!span.links.empty()) {
    out += R"(,"links":[)";
    for (const SpanLink& link : span.links) {
      if (out.back() != '[') out += ',';
      out += fmt::format(R"({{"traceId":"{}","spanId":"{}"}})", link.trace.hex(), link.span.hex());
    }
    out += ']';
  }
  if (span.dropped_links > 0) out += fmt::format(R"(,"droppedLinksCount":{})", span.dropped_links);
}

void append_status(std::string& out, const Span& span) {
  if (!span.failed) return;
  out += fmt::format(R"(,"status":{{"code":{})", kStatusError);
  if (!span.error.empty()) {
    out += R"(,"message":)";
    append_json_quoted(out, span.error);
  }
  out += '}';
}

void append_span(std::string& out, const Span& span) {
  if (out.back() != '[') out += ',';
  out += fmt::format(R"({{"traceId":"{}","spanId":"{}")", span.trace.hex(), span.id.hex());
  if (!span.state.empty()) {
    out += R"(,"traceState":)";
    append_json_quoted(out, span.state);
  }
  if (span.parent.is_valid()) out += fmt::format(R"(,"parentSpanId":"{}")", span.parent.hex());
  const unsigned flags = (span.sampled ? 1U : 0U) | kKnowsRemote | (span.parent_is_remote ? kIsRemote : 0U);
  out += fmt::format(R"(,"flags":{},"name":)", flags);
  append_json_quoted(out, span.name);
  out += fmt::format(R"(,"kind":{},"startTimeUnixNano":"{}","endTimeUnixNano":"{}")", static_cast<int>(span.kind), span.begin_unix_ns,
                     span.end_unix_ns);
  append_attributes(out, span);
  append_links(out, span);
  append_status(out, span);
  out += '}';
}

}  // namespace

std::string otlp_json(const OtlpResource& resource, std::span<const Span> spans) {
  std::string out;
  out.reserve(512 + 512 * spans.size());
  out += R"({"resourceSpans":[{"resource":{"attributes":[)";
  const auto told = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) append_attribute(out, key, value);
  };
  told("service.name", resource.service_name);
  told("service.version", resource.service_version);
  told("service.instance.id", resource.instance_id);
  told("scalestyle.role", resource.role);
  out += R"(]},"scopeSpans":[{"scope":{"name":"scalestyle"},"spans":[)";
  for (const Span& span : spans) append_span(out, span);
  out += "]}]}]}";
  return out;
}

}  // namespace scalestyle::telemetry
