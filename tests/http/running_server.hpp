#pragma once
// A whole server with fakes behind it, on a free port of the loopback interface. What is tracked takes effect in the
// feature store before it is acknowledged.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http/api.hpp"
#include "http/rate_limits.hpp"
#include "http/server.hpp"
#include "recommend/popularity.hpp"
#include "search/event_service.hpp"
#include "search/experiments.hpp"
#include "search/impression_recorder.hpp"
#include "search/live_catalog.hpp"
#include "search/reason_service.hpp"
#include "search/search_service.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_catalog_changes.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_event_log.hpp"
#include "support/fake_feature_store.hpp"
#include "support/fake_image_encoder.hpp"
#include "support/fake_image_fetcher.hpp"
#include "support/fake_impression_log.hpp"
#include "support/fake_text_encoder.hpp"
#include "support/fake_text_generator.hpp"
#include "support/raw_client.hpp"

namespace scalestyle::http {

struct ServerSetup {
  search::SearchOptions search{};
  search::EventOptions events{};
  search::LiveCatalogOptions live{};
  std::string experiments{};
  bool popular_lists = true;  // false: a search that fails has nothing to fall back to
  bool generation = false;    // true: there is a language model, generator()
  bool vision = false;        // true: photos are looked into
  bool fetches = true;        // false: no picture is fetched for a client
  std::size_t max_query_image_bytes = 200'000;
  const AccessControl* access = nullptr;  // null: no keys
  AuditLog* audit = nullptr;
  const ConfigurationFile* configurations = nullptr;  // null: no search can name one
  bool log_queries = false;
  telemetry::LogLevel log_level = telemetry::LogLevel::kError;
  std::optional<RateLimitOptions> limits{};  // nothing: nobody is limited
  std::string trusted_proxies{};
  telemetry::Tracer* tracer = nullptr;
};

class RunningServer {
 public:
  explicit RunningServer(ServerOptions options = {}, ServerSetup setup = {})
      : popularity_(features_, compute_.clock()),
        holder_(store_, index_, encoder_.info(), setup.popular_lists ? &popularity_ : nullptr),
        log_({setup.log_level, telemetry::LogFormat::kHuman}, compute_.clock()),
        experiments_(search::Experiments::parse(setup.experiments, "salt").value()),
        reasons_(setup.generation ? std::make_unique<search::ReasonService>(generator_, compute_.timers(), metrics_, search::ReasonOptions())
                                  : nullptr),
        search_({.generations = holder_,
                 .encoder = encoder_,
                 .index = index_,
                 .pool = compute_.pool(),
                 .timers = compute_.timers(),
                 .clock = compute_.clock(),
                 .metrics = metrics_,
                 .features = &features_,
                 .popularity = setup.popular_lists ? &popularity_ : nullptr,
                 .impressions = &recorder_,
                 .experiments = &experiments_,
                 .queries = &queries_,
                 .images = setup.vision ? &images_ : nullptr,
                 .image_index = setup.vision ? &photos_ : nullptr,
                 .reasons = reasons_.get()},
                std::move(setup.search)),
        events_({.generations = holder_, .log = event_log_, .features = features_, .impressions = impressions_,
                 .timers = compute_.timers(), .clock = compute_.clock(), .metrics = metrics_, .queries = &queries_},
                setup.events),
        live_({holder_, changes_, encoder_, compute_.timers(), compute_.clock(), metrics_, log_}, setup.live),
        limits_(setup.limits ? std::make_unique<RateLimits>(*setup.limits, TrustedProxies::parse(setup.trusted_proxies).value(),
                                                            compute_.clock(), metrics_)
                             : nullptr),
        api_({.search = search_, .events = events_, .generations = holder_, .pool = compute_.pool(), .clock = compute_.clock(),
              .metrics = metrics_, .log = log_, .suggest = suggest_, .live = &live_, .fetcher = setup.fetches ? &fetcher_ : nullptr,
              .reasons = reasons_.get(), .timers = &compute_.timers(), .limits = limits_.get(), .access = setup.access, .audit = setup.audit,
              .configurations = setup.configurations},
             {.version = "1.2.3", .max_query_image_bytes = setup.max_query_image_bytes, .log_queries = setup.log_queries}) {
    has_vision_ = setup.vision;
    if (has_vision_) holder_.look_into_pictures(photos_, images_.info());
    change_writer_ = std::thread([this] { live_.write(); });
    change_builder_ = std::thread([this] { live_.build(); });
    event_log_.on_append([this](const std::vector<events::LoggedEvent>& added) {
      core::sync_wait(features_.apply(std::make_shared<const std::vector<events::LoggedEvent>>(added), core::Deadline::never())).value();
    });
    options.port = 0;
    if (options.admin_port) options.admin_port = 0;
    server_ = Server::open(options, {api_, compute_.clock(), metrics_, log_, setup.tracer}).value();
    thread_ = std::thread([this] {
      server_->run();
      ended_.store(true);
    });
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() {
    release();
    drain();
    release();
    live_.stop();
    change_writer_.join();
    change_builder_.join();
    compute_.stop();
  }

  // The photo of an article that publish() made, as bytes: a JPEG for all that the server knows, which is like itself. The last
  // five articles have none.
  static std::string photo_of(int number) { return "\xFF\xD8\xFF photo " + std::to_string(number); }

  // Twenty articles 0000001000 … 1019, named "name 0" …; the first has a picture below `image_folder`.
  void publish(const std::string& generation = "g1", const std::string& image_folder = {}) {
    std::vector<catalog::Article> articles;
    for (int i = 0; i < 20; ++i) {
      auto article = support::make_article(std::to_string(1000 + i), "name " + std::to_string(i));
      article[catalog::Attribute::kColour] = i % 2 == 0 ? "Dark Blue" : "Red";
      if (i > 0) article.price = 10.0 + i;
      if (i == 0) article.image_path = "000/0000001000.png";
      if (i == 1) article.image_path = "../secret.png";
      if (i == 2) article.image_path = "000/link.png";
      if (i == 3) article.image_path = "000/text.png";
      articles.push_back(article);
    }
    auto snapshot = std::make_shared<ports::CatalogSnapshot>(*support::make_snapshot(generation, articles, encoder_.info()));
    snapshot->info.image_folder = image_folder;
    if (has_vision_) snapshot->info.image_encoder = images_.info();
    store_.publish(snapshot);
    core::sync_wait(holder_.refresh(core::Deadline::never())).value();
    api_.mark_warm();
  }

  // Lets everything go on that a test holds.
  void release() {
    encoder_.release();
    images_.gate().release();
    fetcher_.gate().release();
    event_log_.gate().release();
    event_log_.history_gate().release();
    event_log_.erasure_gate().release();
    features_.read_gate().release();
    features_.apply_gate().release();
    generator_.release();
  }

  void begin_drain() { server_->begin_drain(); }
  void drain() {
    if (!thread_.joinable()) return;
    server_->begin_drain();
    thread_.join();
  }
  [[nodiscard]] bool ended() const { return ended_.load(); }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::uint16_t admin_port() const { return server_->admin_port(); }
  [[nodiscard]] support::RawClient connect() const { return support::RawClient(server_->port()); }

  // One request on a connection of its own.
  [[nodiscard]] support::RawResponse get(const std::string& target, const std::string& extra = {}, const std::string& method = "GET") const {
    auto client = connect();
    client.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + extra + "\r\n");
    return client.read(method == "HEAD").value_or(support::RawResponse{});
  }

  // The same with a body.
  [[nodiscard]] support::RawResponse post(const std::string& target, const std::string& body,
                                          const std::string& extra = "Content-Type: application/json\r\n",
                                          const std::string& method = "POST") const {
    auto client = connect();
    client.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + extra + "Content-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
    return client.read().value_or(support::RawResponse{});
  }

  [[nodiscard]] support::FakeTextEncoder& encoder() { return encoder_; }
  [[nodiscard]] support::FakeVectorIndex& index() { return index_; }
  [[nodiscard]] support::FakeTextGenerator& generator() { return generator_; }
  [[nodiscard]] support::FakeEventLog& event_log() { return event_log_; }
  [[nodiscard]] support::FakeFeatureStore& features() { return features_; }
  [[nodiscard]] support::FakeCatalogChanges& changes() { return changes_; }
  [[nodiscard]] support::FakeImpressionLog& impressions() { return impressions_; }
  [[nodiscard]] support::FakeImageEncoder& images() { return images_; }
  [[nodiscard]] support::FakeImageFetcher& fetcher() { return fetcher_; }
  [[nodiscard]] search::SuggestService& suggest() { return suggest_; }
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }

 private:
  telemetry::Metrics metrics_;
  support::ComputeThreads compute_;
  support::FakeTextEncoder encoder_{compute_.pool()};
  support::FakeCatalogStore store_;
  static std::optional<std::string> photo_text(const catalog::ArticleView& article) {
    const int number = std::stoi(std::string(article.id()));
    return number < 1015 ? std::optional(photo_of(number)) : std::nullopt;
  }

  support::FakeVectorIndex index_{store_, compute_.pool()};
  support::FakeImageEncoder images_{compute_.pool()};
  support::FakeVectorIndex photos_{store_, compute_.pool(), photo_text};
  support::FakeFeatureStore features_{&compute_.timers()};
  support::FakeTextGenerator generator_{compute_.pool(), compute_.timers()};
  recommend::Popularity popularity_;
  search::SnapshotHolder holder_;
  telemetry::Logger log_;
  support::FakeEventLog event_log_;
  support::FakeImpressionLog impressions_;
  support::FakeImageFetcher fetcher_;
  search::ImpressionRecorder recorder_{impressions_, 1.0, metrics_};
  search::Experiments experiments_;
  search::FrequentQueries queries_{{.rebuild_seconds = 0}, compute_.clock()};
  search::SuggestService suggest_{holder_, compute_.clock(), &queries_};
  std::unique_ptr<search::ReasonService> reasons_;  // null without generation
  search::SearchService search_;
  search::EventService events_;
  support::FakeCatalogChanges changes_;
  search::LiveCatalog live_;
  std::unique_ptr<RateLimits> limits_;  // null without limits
  Api api_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  std::thread change_writer_;
  std::thread change_builder_;
  std::atomic<bool> ended_{false};
  bool has_vision_ = false;
};

}  // namespace scalestyle::http
