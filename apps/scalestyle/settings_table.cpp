#include "settings_table.hpp"

#include <cstdlib>
#include <string>

namespace scalestyle::app {

namespace {

using core::SettingKind;
using core::SettingSpec;

SettingSpec text(std::string name, std::string default_value, std::string help, std::vector<std::string> choices = {}) {
  return {.name = std::move(name), .kind = SettingKind::kText, .default_value = std::move(default_value),
          .help = std::move(help), .choices = std::move(choices)};
}

SettingSpec boolean(std::string name, std::string default_value, std::string help) {
  return {.name = std::move(name), .kind = SettingKind::kBoolean, .default_value = std::move(default_value),
          .help = std::move(help)};
}

SettingSpec integer(std::string name, std::string default_value, std::string help, double minimum, double maximum) {
  return {.name = std::move(name), .kind = SettingKind::kInteger, .default_value = std::move(default_value),
          .help = std::move(help), .minimum = minimum, .maximum = maximum};
}

std::string default_models_folder() {
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr && *home != '\0' ? home : ".") + "/.cache/scalestyle/models";
}

std::vector<SettingSpec> make_table() {
  return {
      text("data", "", "folder of the catalogue's generations"),
      text("models", default_models_folder(), "folder of the models"),
      text("model", "bge-small-en-v1.5", "text embedding model", {"bge-small-en-v1.5", "all-MiniLM-L6-v2"}),
      integer("compute_threads", "0", "compute threads; 0: one a core", 0, 256),
      text("isa", "auto", "instruction set of the kernels; auto: the best that this CPU has"),
      text("log_level", "info", "least severe log line written", {"debug", "info", "warning", "error"}),
      text("log_format", "auto", "auto: human on a terminal, JSON lines otherwise", {"auto", "human", "json"}),
      boolean("json", "false", "print the result as JSON"),

      text("host", "127.0.0.1", "address to bind"),
      integer("port", "8080", "port to bind; 0: any free one", 0, 65535),
      text("query_precision", "int8", "arithmetic of query embedding", {"f32", "bf16", "int8"}),
      boolean("query_prefix", "false", "put the model's search instruction before queries"),
      integer("max_connections", "1024", "connections held at once; more are refused", 1, 65'535),
      integer("max_concurrent_requests", "256", "searches in progress; more are refused with Retry-After", 1, 65'535),
      integer("idle_timeout_ms", "60000", "a connection without a request is closed after this", 100, 3'600'000),
      integer("read_timeout_ms", "10000", "time in which a request must have arrived whole", 100, 600'000),
      integer("drain_timeout_ms", "4000", "time for requests in progress after SIGTERM", 0, 600'000),

      text("articles", "", "articles table: CSV or Parquet"),
      text("images", "", "folder of photos: <first 3 digits>/<id>.jpg|.png|.webp"),
      text("transactions", "", "purchases: CSV or Parquet with article_id and price"),
      text("embeddings", "", "Parquet file of ready-made text vectors"),
      text("document_precision", "int8", "arithmetic of document embedding", {"f32", "bf16", "int8"}),
      boolean("update", "false", "embed only texts that the current generation does not have"),
      {.name = "price_scale", .kind = SettingKind::kNumber, .default_value = "1", .help = "prices are multiplied by this",
       .minimum = 1e-9, .maximum = 1e9},
      text("currency", "", "currency of the scaled prices, for example EUR"),

      text("out", "", "folder to write"),
      integer("products", "500", "products to make; each has one to five colour variants", 1, 100'000),
      integer("seed", "1", "seed; the same seed gives the same bytes", 0, 9e15),

      text("from", "", "look for model files in this folder first"),
      text("maven_url", "", "Maven repository that has the package of bge-small-en-v1.5"),
      boolean("default", "false", "the default set of models"),
      boolean("all", "false", "every model of the manifest"),

      text("queries", "", "queries: JSON lines or CSV of query_id, query"),
      text("qrels", "", "judgements: TSV of query_id, article_id, grade, or TREC"),
      integer("bootstrap_seed", "1", "seed of the confidence intervals", 0, 9e15),
  };
}

}  // namespace

const std::vector<core::SettingSpec>& settings_table() {
  static const std::vector<core::SettingSpec> table = make_table();
  return table;
}

}  // namespace scalestyle::app
