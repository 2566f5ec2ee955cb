#include "settings_table.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

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

SettingSpec number(std::string name, std::string default_value, std::string help, double minimum, double maximum) {
  return {.name = std::move(name), .kind = SettingKind::kNumber, .default_value = std::move(default_value),
          .help = std::move(help), .minimum = minimum, .maximum = maximum};
}

// Set by a plain variable of the environment too: deployments know it by that name.
SettingSpec also_by(SettingSpec spec, std::string variable) {
  spec.plain_variable = std::move(variable);
  return spec;
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
      boolean("compute_lanes", "true",
              "what a search waits for goes before pictures, reranking and changes of articles: each on threads of its own"),
      text("isa", "auto", "instruction set of the kernels; auto: the best that this CPU has"),
      also_by(boolean("vision_enabled", "false", "search by pictures; ingest embeds photos"), "VISION_ENABLED"),
      text("vision_model", "clip-vit-base-patch32", "image and text embedding model: a model's name, or a path to its folder"),
      text("vision_precision", "f32", "arithmetic of embedding pictures", {"f32", "bf16", "int8"}),
      text("log_level", "info", "least severe log line written", {"debug", "info", "warning", "error"}),
      text("log_format", "auto", "auto: human on a terminal, JSON lines otherwise", {"auto", "human", "json"}),
      also_by(text("otlp_endpoint", "", "collector that spans are sent to, such as http://127.0.0.1:4318; not set: nothing is traced"),
              "OTEL_EXPORTER_OTLP_ENDPOINT"),
      number("trace_sample", "0.01", "share of ordinary requests whose spans are kept; slow, degraded and failed ones always are", 0, 1),
      integer("trace_slow_ms", "500", "a request that takes as long is slow", 1, 3'600'000),
      boolean("json", "false", "print the result as JSON"),
      boolean("quick", "false", "measure nothing: no rates of models, no syncs, sizes of files instead of checksums"),
      boolean("strict", "false", "warnings count as failures"),

      text("host", "127.0.0.1", "address to bind"),
      text("keys_file", "", "file of API keys, followed while the server runs; not set: everybody may do everything"),
      boolean("insecure", "false", "serve without API keys on an address that others can reach"),
      boolean("behind_tls", "false", "a proxy speaks TLS for this server: cookies are Secure, browsers are told to stay with it; so it is with tls_certificate"),
      text("user_token_secret", "", "secret that signs user tokens and session cookies; two: \"new,old\"; better in user_token_secret_file"),
      text("user_token_secret_file", "", "file of that secret, or of two, one a line: the first signs, both are accepted"),
      integer("session_cookie_days", "30", "the anonymous session of a browser is good this long", 1, 400),
      text("cors_origins", "", "origins whose pages may call the API from a browser: https://shop.example,https://m.shop.example"),
      boolean("log_queries", "false", "log what shoppers search for, as they typed it"),
      text("log_user_key", "", "secret of the hashes that stand for users in logs, the same for all servers; none: a new one at each start"),
      integer("port", "8080", "port to bind; 0: any free one; not set: 8080, inference 8000, consumers 8081 and (retry) 8082", 0, 65535),
      integer("admin_port", "0", "port of what is for operators only (metrics, changes of articles, why-not …); 0: the same port", 0, 65'535),
      text("tls_certificate", "", "PEM file of the server's certificate and those that lead to its authority, followed; none: plain HTTP"),
      text("tls_key", "", "PEM file of the certificate's key, not encrypted"),
      text("query_precision", "int8", "arithmetic of query embedding", {"f32", "bf16", "int8"}),
      boolean("query_prefix", "false", "put the model's search instruction before queries"),
      integer("retrieval_budget_ms", "250", "time for finding by meaning in a request with the default deadline; late, there are words alone", 1, 10'000),
      text("fusion", "reciprocal_rank", "how words and meaning become one list", {"weighted_sum", "reciprocal_rank"}),
      number("dense_weight", "0.5", "share of meaning in the fused score; the rest is that of words", 0, 1),
      number("image_leg_weight", "0.3", "weight of photos that the query describes, beside words and meaning; where a search asks for them", 0, 1),
      number("reciprocal_rank_constant", "60", "of reciprocal_rank: how little the first ranks stand out", 0, 10'000),
      number("preference_weight", "0.5", "how much more articles score that have the colour, type … of the query; 0: no more", 0, 100),
      number("understand_thing_weight", "1", "weight of a query's types and groups among what it prefers; 0: not understood", 0, 1),
      number("understand_colour_weight", "0.5", "weight of its colours", 0, 1),
      number("understand_audience_weight", "0.5", "weight of whom it is for", 0, 1),
      number("understand_appearance_weight", "0.5", "weight of looks: striped, lace", 0, 1),
      number("understand_place_weight", "0.25", "weight of names of the shop's sections and departments", 0, 1),
      boolean("understand_audience_filters", "true", "\"for men\" leaves out what is for others; false: it only comes first"),
      number("lexical_name_weight", "1", "weight of words in the name", 0, 100),
      number("lexical_type_weight", "3", "weight of words in the product type", 0, 100),
      number("lexical_colour_weight", "1", "weight of words in colours and their families", 0, 100),
      number("lexical_category_weight", "0.5", "weight of words in groups, sections, departments and the like", 0, 100),
      number("lexical_description_weight", "0.25", "weight of words in the description", 0, 100),
      text("rules", "", "JSON file of merchandising rules (pin, boost, bury, hide, redirect), followed while the server runs"),
      text("synonyms", "", "file of synonyms, followed while the server runs: \"tee => t-shirt\" or \"jumper, sweater\" a line"),
      integer("list_cache_mb", "64", "memory for ranked lists of recent queries; 0: none is kept", 0, 65'536),
      integer("list_cache_stale_ms", "500", "how long after a switch of catalogue an older list may be given", 0, 60'000),
      text("fallback", "all", "what may stand in for a search that cannot be answered, to try one out: some of words, other_side, cached, "
           "popular_24h, popular_7d, global_popular; all; none"),
      text("configurations", "", "JSON file of named parameters of searches, for config=NAME; followed while the server runs"),
      integer("picture_cache_mb", "16", "memory for vectors of pictures that were searched by; 0: none is kept", 0, 65'536),
      text("reranker", "bge-reranker-base", "cross-encoder: a model's name, a path to its folder, or none"),
      text("rerank_precision", "f32", "arithmetic of reranking; doctor recommends one", {"f32", "bf16", "int8"}),
      integer("rerank_depth", "50", "most articles reranked, unless a request asks for more", 1, 200),
      integer("rerank_budget_ms", "250", "time for reranking of a request with the default deadline", 1, 10'000),
      text("rerank_cascade", "", "a smaller cross-encoder that chooses what the reranker judges: MODEL:DEPTH"),
      integer("pair_cache_mb", "32", "memory of scores that the reranker has given; 0: none is kept", 0, 65'536),
      also_by(boolean("generation_enabled", "false", "reasons worded by a language model"), "GENERATION_ENABLED"),
      text("generation_model", "qwen2-1.5b-instruct", "language model: a name, or a path to its folder; with generation_url its name there"),
      text("generation_precision", "bf16", "arithmetic of the language model in this process", {"f32", "bf16", "int8"}),
      text("generation_url", "", "OpenAI-compatible server, such as http://127.0.0.1:8000/v1; not set: in this process"),
      integer("generation_max_tokens", "48", "most tokens of a reason", 1, 256),
      number("generation_temperature", "0", "how freely its words are drawn; 0: always the likeliest", 0, 2),
      number("generation_top_p", "1", "they are drawn from the likeliest that hold this share", 0.0001, 1),
      integer("generation_seed", "0", "of the draws", 0, 9e15),
      integer("generation_budget_ms", "1500", "time for the reasons of one list, within its deadline", 1, 60'000),
      text("inference_url", "",
           "servers that embed queries, such as http://host:8000, separated by commas: the inference role or others; not set: in this process"),
      text("inference_api", "tei", "what inference_url speaks: text-embeddings-inference, or OpenAI's embeddings (then with /v1)", {"tei", "openai"}),
      text("inference_model", "", "what those servers call the model; not set: as here, with any maker's name before it"),
      text("rerank_url", "", "servers that rerank; not set: those of inference_url where they speak tei"),
      text("vision_url", "", "inference roles that embed pictures; not set: those of inference_url where they speak tei"),
      text("inference_device", "cpu", "what the inference role computes on: cpu; accelerators stand behind inference_url"),
      integer("inference_batch_tokens", "16384", "most tokens that the inference role embeds together", 16, 1'048'576),
      integer("inference_queue_tokens", "65536", "tokens that may wait for each of its models; more are refused", 16, 16'777'216),
      integer("breaker_window", "50", "calls of a dependency that its circuit breaker remembers", 1, 10'000),
      integer("breaker_min_calls", "5", "fewer calls than this never open it", 1, 10'000),
      integer("breaker_failure_percent", "50", "it opens once so many of them failed or came late", 1, 100),
      integer("breaker_open_ms", "10000", "and then refuses calls for this long, and up to a tenth longer", 1, 3'600'000),
      integer("breaker_probes", "5", "cheap calls of its own that decide afterwards whether it closes", 1, 1'000),
      integer("max_per_type", "0", "items of one product type in a window of a list; more are deferred; 0: any number", 0, 100),
      integer("max_per_section", "0", "items of one section in a window of a list; more are deferred; 0: any number", 0, 100),
      integer("diversity_window", "10", "items in which max_per_type and max_per_section count", 1, 100),
      text("for_you_weights", "", "weights of a shopper's sources that differ from the tuned ones: own=1,variant=0.5,… (own, variant, "
                                  "bought_together, section, similar_text, similar_picture, new, popular)"),
      text("similar_weights", "", "the same of articles like one: similar_text, similar_picture, bought_together"),
      text("ranker", "auto",
           "order of a shopper's list: auto (the ranker trained last, where it beats the blend), off (the blend), or a ranker's id"),
      boolean("for_you_show_bought", "true", "what a shopper bought is shown again, where a request does not say"),
      boolean("for_you_show_seen", "true", "the same of what they looked at or put into the basket"),
      number("for_you_item_half_life_days", "3", "a shopper's own items lose half their weight in this time", 0.01, 3'650),
      integer("near_cache_mb", "16", "memory for lists of articles near to one; 0: none is kept", 0, 65'536),
      number("exploration_rate", "0", "share of first pages for a shopper that show new or rare articles; 0: none", 0, 1),
      text("exploration_positions", "5", "where such a page shows them: positions from 1 to 100, rising, separated by commas"),
      text("cursor_key", "", "secret that signs page cursors, the same for all gateways; none: a new one at each start"),
      integer("cursor_lifetime_s", "900", "a page cursor is good for this long", 1, 2'592'000),
      integer("suggest_queries", "4096", "queries of shoppers counted for suggestions; 0: none, only the catalogue's phrases", 0, 20'000),
      integer("suggest_min_shoppers", "3", "a query is suggested to others after so many different shoppers asked it", 2, 16),
      integer("suggest_min_anonymous", "20", "or after it was asked so often without a userId or sessionId", 2, 1'000'000),
      number("suggest_half_life_hours", "168", "counts of queries halve in this time", 0.01, 87'600),
      integer("max_connections", "1024", "connections held at once; more are refused", 1, 65'535),
      integer("max_connections_per_address", "0", "of them, from one client address, but for this machine's own and trusted_proxies; 0: no limit", 0, 65'535),
      integer("max_concurrent_requests", "256", "most searches in progress; more are refused with Retry-After", 1, 65'535),
      boolean("admission_adapts", "true", "that limit follows how long searches take; false: it stays"),
      integer("admission_floor", "16", "so many are let in at least, but where more are refused than served", 1, 65'535),
      number("admission_tolerance", "1.5", "a search is slow that takes so many times the quickest of its kind", 1.1, 100),
      integer("admission_grace_ms", "50", "and longer than this", 0, 60'000),
      boolean("brownout", "true", "under pressure leave out rerank depth, then reranking, pictures, meaning; false: nothing"),
      integer("idle_timeout_ms", "60000", "a connection without a request is closed after this", 100, 3'600'000),
      integer("read_timeout_ms", "10000", "time in which a request must have arrived whole", 100, 600'000),
      text("image_url_hosts", "",
           "hosts from which pictures to search for may be fetched: shop.example, *.shop.example, http://host:port; none: image_url is off"),
      integer("image_url_timeout_ms", "2000", "time for fetching such a picture", 10, 10'000),
      integer("image_max_mb", "10", "largest picture to search for, in MiB", 1, 10),
      number("rate_limit_key", "0", "cost a second of one API key; 0: no limit. A plain search costs 1; docs/limits.md lists all", 0, 1e6),
      number("rate_limit_user", "20", "cost a second for one user who is named in the path, the query or the body; 0: no limit", 0, 1e6),
      number("rate_limit_address", "100", "cost a second from one client address, but for this machine's own; 0: no limit", 0, 1e6),
      number("rate_limit_burst_s", "10", "so many seconds' worth of these may be used at once", 0.1, 86'400),
      text("trusted_proxies", "", "addresses and networks whose X-Forwarded-For is believed, and whose connections are not counted: 10.0.0.0/8,192.0.2.7; none: nobody's"),
      integer("drain_timeout_ms", "4000", "time for requests in progress after SIGTERM", 0, 600'000),

      number("event_weight_click", "1", "how much a click counts", 0, 1e6),
      number("event_weight_view", "0.3", "how much a view counts", 0, 1e6),
      number("event_weight_add_to_cart", "3", "how much putting in the cart counts", 0, 1e6),
      number("event_weight_purchase", "5", "how much a purchase counts", 0, 1e6),
      integer("event_deadline_ms", "2000", "time in which events are on disk, or refused; not set with Kafka: kafka_ack_timeout_ms and half a second", 10, 60'000),
      integer("max_events_in_progress", "1024", "requests with events in progress; more are refused", 1, 65'535),
      integer("event_time_past_bound_minutes", "1440", "an event's own time is at most this much before its receipt", 0, 525'600),
      integer("event_time_future_bound_minutes", "5", "and at most this much after it", 0, 10),
      number("event_retention_days", "30", "events are kept this long", 0.001, 36'500),
      integer("event_retention_mb", "4096", "and at most this much of them", 1, 16'777'216),
      number("impression_sample", "1", "share of answers whose shown items are noted", 0, 1),
      number("impression_retention_days", "7", "impressions are kept this long", 0.001, 36'500),
      integer("impression_retention_mb", "1024", "and at most this much of them", 1, 16'777'216),
      number("affinity_half_life_hours", "168", "a shopper's affinity to a category halves in this time", 0.01, 876'000),
      number("popularity_half_life_hours", "48", "all-time popularity of live events halves in this time", 0.01, 876'000),
      number("session_ttl_minutes", "30", "a session without events for this long is forgotten by features", 1, 525'600),
      number("user_ttl_days", "210", "a user without events for this long is forgotten by features", 1, 36'500),
      integer("feature_memory_mb", "256", "memory of all features; the least recently active shoppers go", 1, 1'048'576),
      integer("checkpoint_interval_ms", "30000", "features are written to disk this often", 100, 3'600'000),
      integer("snapshot_budget_ms", "20", "time for reading what is known of a shopper; late, a list is not personalised", 1, 1'000),
      integer("after_wait_ms", "50", "time that the event of `after` is waited for; not set with Kafka: 250", 0, 1'000),
      number("boost_recent_click", "1.5", "factor of an article that the shopper clicked of late", 1, 1e3),
      number("recent_click_days", "7", "how long a click counts as of late", 0.001, 3'650),
      number("boost_category", "0.2", "most that affinity to an article's category adds to its factor", 0, 1e3),
      number("boost_popularity_1h", "0.2", "most that popularity in the last hour adds", 0, 1e3),
      number("boost_popularity_24h", "0.1", "most that popularity in the last day adds", 0, 1e3),
      number("boost_popularity_7d", "0.05", "most that popularity in the last week adds", 0, 1e3),
      number("boost_popularity_floor", "50", "events that the most popular candidate is taken to have at least", 0, 1e9),
      number("boost_cap", "3", "most that all factors together multiply a score by", 1, 1e6),
      text("experiments", "", "running experiments: name=arm:percent/arm:percent[@salted|md5_mod], separated by commas"),
      text("experiment_salt", "", "makes the buckets of this shop's experiments its own"),

      text("articles", "", "articles table: CSV or Parquet"),
      text("images", "", "folder of photos: <first 3 digits>/<id>.jpg|.png|.webp"),
      text("transactions", "", "purchases: CSV or Parquet with article_id and price"),
      text("embeddings", "", "Parquet file of ready-made text vectors"),
      text("image_embeddings", "", "Parquet file of ready-made vectors of photos"),
      text("document_precision", "int8", "arithmetic of document embedding", {"f32", "bf16", "int8"}),
      boolean("update", "false", "embed only texts that the current generation does not have"),
      number("price_scale", "1", "prices are multiplied by this", 1e-9, 1e9),
      text("currency", "", "currency of the scaled prices, for example EUR"),
      integer("neighbours_per_item", "50", "articles bought together with one that are kept; 0: none are looked for", 0, 1'000),
      number("neighbour_half_life_days", "7", "purchases this many days apart count half as bought together", 0.01, 36'500),
      number("neighbour_shrinkage", "30", "how much articles of few customers are held back as bought together", 0, 1e6),
      text("live_changes", "newer", "live changes to keep: newer than the articles file, all or none", {"newer", "all", "none"}),

      text("to", "", "stores that ingest fills besides the data folder, separated by commas: redis, milvus"),
      integer("popular_top", "50000", "most popular articles written to a store for other readers", 1, 200'000),
      boolean("allow_no_purchases", "false", "fill a store without any purchases: then it has no popular articles"),

      text("kafka_brokers", "", "Kafka brokers, host:port with commas between; any of them is enough to find the others"),
      text("kafka_topic", "scalestyle.clicks", "topic of events; retry tiers and dead letters are named after it"),
      text("kafka_security", "plaintext", "how brokers are spoken to", {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}),
      text("kafka_ca_file", "", "certificates that a broker's must come from (PEM); not set: the system's"),
      text("kafka_sasl_mechanism", "SCRAM-SHA-512", "how to log in", {"SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"}),
      text("kafka_username", "", "user of SASL"),
      text("kafka_password", "", "password of SASL; better in kafka_password_file"),
      text("kafka_password_file", "", "file whose first line is the password"),
      text("kafka_group", "event-consumer", "first part of the consumer groups' names"),
      integer("kafka_ack_timeout_ms", "5000", "longest wait for a broker's acknowledgement, within the request's deadline", 100, 60'000),
      integer("kafka_partitions", "12", "partitions of topics that are made", 1, 1'000),
      integer("kafka_replication", "0", "replicas of topics that are made; 0: three, or as many as there are brokers", 0, 9),
      integer("kafka_session_timeout_ms", "10000", "a consumer that Kafka has not heard of for so long has left its group", 6'000, 1'800'000),
      text("mode", "primary", "events of the log, or those that were put off", {"primary", "retry"}),
      text("event_log", "embedded", "where events are kept", {"embedded", "kafka"}),
      text("feature_store", "embedded", "where what is known of shoppers and of popularity is kept", {"embedded", "redis"}),
      text("vector_store", "embedded", "where articles are looked for by meaning and picture", {"embedded", "graph", "milvus"}),
      text("catalog_store", "embedded", "where servers take the catalogue from", {"embedded", "redis"}),
      integer("vector_recall_one_in", "1000", "of so many searches in Milvus or a graph one is compared with an exact scan of the data folder; 0: none", 0, 1'000'000),
      boolean("graph", "false", "build graphs of the vectors, for servers with vector_store=graph"),
      integer("graph_m", "16", "neighbours of a node of a graph", 4, 64),
      integer("graph_ef_construction", "200", "candidates when a node of a graph is added", 8, 2'000),
      integer("graph_ef", "256", "candidates that a walk through a graph keeps; never fewer than a quarter above what it wants", 1, 32'768),
      number("graph_step_cost", "64", "cost of a step of a walk in rows of the exact scan, by which each search goes one way or the other; 0: all walk", 0, 1e6),
      text("milvus_address", "", "Milvus server: host:port"),
      boolean("milvus_tls", "false", "speak TLS with Milvus; certificate and host name are verified"),
      text("milvus_ca_file", "", "certificates (PEM) that sign that of Milvus; not set: the system's"),
      text("milvus_username", "", "user of Milvus"),
      text("milvus_password", "", "password of that user"),
      text("milvus_token", "", "API key of Milvus, instead of a user"),
      integer("milvus_timeout_ms", "10000", "time for one call of Milvus, within its request's deadline", 10, 600'000),
      text("milvus_prefix", "scalestyle_", "what the names of collections begin with"),
      text("milvus_consistency", "bounded", "how much of what was just written a search sees", {"strong", "bounded", "eventually"}),
      text("milvus_index", "HNSW", "index that ingest builds", {"HNSW", "IVF_FLAT", "FLAT"}),
      integer("milvus_m", "16", "neighbours of a node of HNSW", 4, 64),
      integer("milvus_ef_construction", "200", "candidates when HNSW is built", 8, 512),
      integer("milvus_nlist", "1024", "cells of IVF_FLAT", 1, 65'536),
      integer("milvus_ef", "128", "candidates of a search in HNSW; never fewer than it wants", 1, 32'768),
      integer("milvus_nprobe", "64", "cells of IVF_FLAT that are searched", 1, 65'536),
      text("redis_nodes", "", "Redis server, or some nodes of a Redis Cluster: host:port, separated by commas"),
      text("redis_username", "", "user of Redis; not set with a password: its default user"),
      text("redis_password", "", "password of that user"),
      boolean("redis_tls", "false", "speak TLS with Redis; certificate and host name are verified"),
      text("redis_ca_file", "", "certificates (PEM) that sign those of Redis; not set: the system's"),
      text("redis_prefix", "scalestyle:", "what all keys in Redis begin with"),
      integer("redis_timeout_ms", "2000", "time for one command of Redis, within its request's deadline", 10, 60'000),
      integer("redis_shards", "64", "slots that subjects and popularity are spread over; the same for all and for ever", 1, 1'024),
      integer("redis_marker_days", "8", "so long an event is known to have taken effect; longer than Kafka keeps it", 1, 366),
      integer("redis_replicas_acked", "-1", "replicas that must have an effect before it counts; -1: one where there are replicas", -1, 10),
      boolean("redis_allow_eviction", "false", "use a Redis that may evict keys: events may then count twice or not at all"),
      integer("redis_connections", "2", "connections to each node of Redis", 1, 64),

      text("reason", "", "dead letters of this reason, such as permanent_failure or max_retries_exceeded"),
      integer("limit", "20", "so many of the newest", 1, 10'000),
      boolean("keep", "false", "leave what was replayed among the dead letters"),

      text("file", "", "file of API keys to read or change; not set: keys_file"),
      text("kind", "server", "server: may name any user; browser: acts for the shopper who holds it", {"server", "browser"}),
      text("scopes", "", "what the key may do: some of search, events, users, admin, separated by commas"),
      text("expires", "", "the key works until then: 2027-01-01T00:00:00Z; not set: until it is revoked"),
      text("note", "", "what the key is for, for people"),
      integer("grace_s", "86400", "the key that is renewed works on for so long", 0, 31'536'000),
      text("user", "", "user whom the token is for"),
      integer("ttl", "3600", "seconds for which the token is good", 1, 31'536'000),

      text("out", "", "folder or file to write"),
      text("in", "", "file to read; not set: standard input"),
      text("acknowledged", "", "file of event ids, one a line, that must be in the log"),
      text("left_out", "", "file of event ids, one a line, that have not taken effect; dead letters are known anyway"),
      integer("settle_s", "30", "time for consumers to catch up, before a difference counts", 0, 86'400),
      boolean("replace", "false", "put what was rebuilt in the place of the checkpoint; no server may run"),
      integer("products", "500", "products to make; each has one to five colour variants", 1, 100'000),
      integer("seed", "1", "seed; the same seed gives the same bytes, queries and typing errors", 0, 9e15),

      text("from", "", "look for model files in this folder first"),
      text("maven_url", "", "Maven repository that has the package of bge-small-en-v1.5"),
      boolean("default", "false", "the default set of models"),
      boolean("all", "false", "every model of the manifest; every dead letter"),

      text("queries", "", "queries: JSON lines or CSV of query_id, query; or a folder with queries.csv and qrels.csv"),
      text("qrels", "", "judgements: TSV or CSV of query_id, article_id, grade, or TREC"),
      text("measures", "", "such as ndcg@10,mrr@10:2,recall@100,map@12,hit@10; the first one decides what changed most"),
      text("minimum", "", "exit with 1 when the first configuration does not reach it, such as ndcg@10=0.75"),
      text("per_query", "", "write every query's figures to this file (TSV)"),
      text("typos", "none", "one typing error in a long word of each query, or in each long word", {"none", "query", "word"}),
      integer("sample", "0", "only so many queries, drawn by the seed; 0: all, or 200 articles as queries", 0, 10'000'000),
      boolean("allow_degraded", "false", "count degraded answers instead of stopping at the first"),
      text("train_until", "", "last day whose purchases are known (YYYY-MM-DD); those of the days after it are judged"),
      integer("train_days", "0", "so many days up to it are known; 0: all", 0, 36'500),
      integer("test_days", "0", "so many days after it are judged; 0: all", 0, 36'500),
      integer("rolling", "0", "so many splits, each known up to a day earlier, the last up to train_until, judged by one day", 0, 365),
      text("train", "", "file of the purchases that are known"),
      text("test", "", "file of the purchases that are judged, of later days"),
      text("task", "next", "what was bought next, one article of each basket, or each customer's last day", {"next", "basket", "session"}),
      number("item_half_life_days", "3", "a customer's own purchases lose half their weight in this time", 0.01, 3'650),
      boolean("als", "true", "judge matrix factorisation too"),
      text("against", "", "the list that all others are compared with, by its name; not set: the first"),
      boolean("tune", "false", "look for the weights of the blend that order the judged purchases best, instead of judging lists"),
      number("decay_half_life_days", "1.5", "half-life of purchases in the decayed popularity", 0.01, 36'500),
      integer("negatives", "300", "of each list that is learned, so many candidates that were not bought", 2, 300),
      text("objective", "rank:ndcg", "what the trees learn to make large", {"rank:ndcg", "rank:map", "rank:pairwise"}),
      integer("max_trees", "300", "trees of a ranker, at most", 1, 500),
      integer("max_depth", "3", "questions from a tree's root to a leaf, at most", 1, 8),
      number("learning_rate", "0.05", "share of each tree's correction that is taken", 0.001, 1),
      integer("training_seed", "1", "seed of what training draws, and of its confidence intervals", 0, 9e15),
      text("depths", "10,100", "recall within so many articles, such as 10,100"),
      number("eligible_share", "1", "below 1, each search may show only this share of the articles, drawn at random", 0.0001, 1),
      integer("resamples", "10000", "resamples of the confidence intervals and tests", 100, 1'000'000),
      integer("bootstrap_seed", "1", "seed of the confidence intervals", 0, 9e15),
  };
}

// An address may come with a user and a password, right or not: http://user:password@host/.
std::string without_users(std::string text) {
  constexpr std::string_view kScheme = "://";
  for (std::size_t at = text.find(kScheme); at != std::string::npos; at = text.find(kScheme, at)) {
    at += kScheme.size();
    const std::size_t end = text.find_first_of(", ", at);  // a slash may be part of a password
    const std::size_t user_end = text.rfind('@', end);
    if (user_end != std::string::npos && user_end >= at) text.replace(at, user_end - at, "(hidden)");
  }
  return text;
}

}  // namespace

const std::vector<core::SettingSpec>& settings_table() {
  static const std::vector<core::SettingSpec> table = make_table();
  return table;
}

bool is_secret(const std::string& name) {
  if (name == "tls_key" || name == "rate_limit_key") return false;  // a file's name; a rate
  for (const char* const end : {"_password", "_token", "_secret", "_key"}) {
    if (name.ends_with(end)) return true;
  }
  return false;
}

std::string shown_value(const std::string& name, const std::string& value) {
  if (is_secret(name) && !value.empty()) return "(hidden)";
  return without_users(value);
}

}  // namespace scalestyle::app
