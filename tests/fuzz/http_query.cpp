// Query strings and the headers beside them: whatever is accepted is UTF-8 and within the route's limits.

#include "core/result.hpp"
#include "fuzz/target.hpp"
#include "http/base64.hpp"
#include "http/list_parameters.hpp"
#include "http/parameters.hpp"
#include "http/query_string.hpp"
#include "telemetry/trace_context.hpp"
#include "text/unicode.hpp"

namespace scalestyle::fuzz {
namespace {

void refused(const core::Error& error) {
  require(error.code == core::ErrorCode::kInvalidArgument && !error.message.empty());
  require(text::is_valid_utf8(error.message));
}

void check_query(std::string_view query) {
  auto pairs = http::parse_query(query);
  if (!pairs) return refused(pairs.error());
  for (const auto& [name, value] : *pairs) {
    require(text::is_valid_utf8(name) && text::is_valid_utf8(value) && !value.contains('\0'));
    require(name.size() + value.size() <= query.size());
  }
  const auto parameters = http::Parameters::check(http::search_parameters(), std::move(*pairs));
  if (!parameters) return refused(parameters.error());
  const std::size_t k = parameters->integer("k");
  require(k >= 1 && k <= 100);
}

}  // namespace

std::vector<std::string> seeds() {
  return {"query=red+dress&k=10&offset=20&sort=price_asc&colour=Red&colour=Dark%20Blue&price_min=1.5&price_max=20&userId=u1",
          "query=%C3%BCber&facets=true&cursor=abc&rerank=false&debug=true&deadline_ms=600&in_stock=true",
          "data:image/png;base64,iVBORw0KGgo=", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=%00", "=&&=&a"};
}

std::vector<std::string> words() {
  return {"%", "%00", "%FF", "%C3%A9", "+", "&", "=", "query=", "k=", "offset=", "&colour=", "true", "1e999", "-1",
          "data:;base64,", "00-"};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scalestyle;  // NOLINT: one function
  const std::string_view input = fuzz::text_of(data, size);
  fuzz::check_query(input);
  if (const auto trace = telemetry::parse_traceparent(input)) {
    fuzz::require(trace->trace.is_valid() && trace->parent.is_valid());
    fuzz::require(telemetry::parse_traceparent(telemetry::write_traceparent(*trace)).has_value());
  }
  fuzz::require(telemetry::usable_tracestate(input).size() <= 512);
  if (const auto encoded = http::without_data_url(input)) {
    if (const auto bytes = http::base64_decode(*encoded)) fuzz::require(bytes->size() <= encoded->size());
  }
  return 0;
}
