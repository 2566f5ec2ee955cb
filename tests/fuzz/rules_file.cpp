// Files that the shop's own people write or that training made: merchandising rules and rankers.

#include "fuzz/target.hpp"
#include "ranking/ranker.hpp"
#include "search/rule_text.hpp"
#include "text/unicode.hpp"

namespace scalestyle::fuzz {
namespace {

void check(std::string_view bytes) {
  const auto rules = search::parse_rules(bytes, "rules.json");
  if (!rules) require(rules.error().code == core::ErrorCode::kInvalidArgument && text::is_valid_utf8(rules.error().message));
  const auto ranker = ranking::parse_ranker(bytes);
  if (!ranker) require(ranker.error().code == core::ErrorCode::kDataLoss || ranker.error().code == core::ErrorCode::kUnsupported);
}

}  // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> all{R"({"rules":[{"id":"summer-dresses","note":"until autumn","when":{"query":{"contains":["summer dress"]},)"
          R"("from":"2026-05-01",)"
          R"("until":"2026-08-31"},"then":{"pin":[{"article_id":"0108775015","position":1},{"product_code":"0111565",)"
          R"("position":4}],)"
          R"("boost":[{"colour":["White","Yellow"],"price_max":40,"factor":1.5}]}},{"id":"no",)"
          R"("then":{"hide":[{"name":"sample"}]}}]})",
          R"({"rules":[{"id":"sale","enabled":false,"when":{"query":{"is":["sale"]},"filters":{"index":["Divided"]},)"
          R"("on":["search"]},)"
          R"("then":{"redirect":{"url":"/sale"}}},{"id":"b","then":{"bury":{"has_image":false,"factor":0.3}}}]})",
          "{\"rules\":[]}"};
  for (const std::string& rules : all) require(search::parse_rules(rules, "rules.json").has_value());
  return all;
}

std::vector<std::string> words() {
  return {"{", "}", "[", "]", "\"id\":", "\"when\":{", "\"then\":{", "\"pin\":[", "\"boost\":", "\"bury\":", "\"hide\":",
          "\"redirect\":", "\"is\":", "1e309", "-1", "null"};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  scalestyle::fuzz::check(scalestyle::fuzz::text_of(data, size));
  return 0;
}
