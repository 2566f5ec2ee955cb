// scalestyle sample: writes the invented catalogue.

#include <fmt/format.h>

#include "catalog/sample.hpp"
#include "command_list.hpp"

namespace scalestyle::app {

namespace {

int run_sample(const Invocation& invocation) {
  const auto& settings = invocation.settings;
  if (!settings.is_set("out")) {
    return report({core::ErrorCode::kInvalidArgument, "--out is missing: name the folder to write the sample catalogue to", "out"});
  }
  catalog::SampleOptions options;
  options.products = static_cast<std::uint32_t>(settings.integer("products"));
  options.seed = static_cast<std::uint64_t>(settings.integer("seed"));
  const auto summary = catalog::write_sample(settings.text("out"), options);
  if (!summary) return report(summary.error());
  fmt::print("{}: {} products, {} articles, {} purchases, {} pictures\n", settings.text("out"), summary->products,
             summary->articles, summary->purchases, summary->images);
  return kExitOk;
}

}  // namespace

Command sample_command() {
  return {.path = {"sample"},
          .help = "Write an invented catalogue: articles, purchases, pictures",
          .settings = {"out", "products", "seed"},
          .run = run_sample};
}

}  // namespace scalestyle::app
