#pragma once
// A whole server with fakes behind it, on a free port of the loopback interface.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http/api.hpp"
#include "http/server.hpp"
#include "search/search_service.hpp"
#include "support/compute_threads.hpp"
#include "support/fake_catalog_store.hpp"
#include "support/fake_text_encoder.hpp"
#include "support/raw_client.hpp"

namespace scalestyle::http {

class RunningServer {
 public:
  explicit RunningServer(ServerOptions options = {}, search::SearchOptions search_options = {})
      : log_({telemetry::LogLevel::kError, telemetry::LogFormat::kHuman}, compute_.clock()),
        search_({holder_, encoder_, index_, compute_.pool(), compute_.timers(), compute_.clock(), metrics_}, std::move(search_options)),
        api_({search_, holder_, compute_.pool(), compute_.clock(), metrics_, log_}, {.version = "1.2.3"}) {
    options.port = 0;
    server_ = Server::open(options, {api_, compute_.clock(), metrics_, log_}).value();
    thread_ = std::thread([this] {
      server_->run();
      ended_.store(true);
    });
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;
  ~RunningServer() {
    encoder_.release();
    drain();
    compute_.stop();
  }

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
    store_.publish(snapshot);
    core::sync_wait(holder_.refresh(core::Deadline::never())).value();
    api_.mark_warm();
  }

  void begin_drain() { server_->begin_drain(); }
  void drain() {
    if (!thread_.joinable()) return;
    server_->begin_drain();
    thread_.join();
  }
  [[nodiscard]] bool ended() const { return ended_.load(); }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] support::RawClient connect() const { return support::RawClient(server_->port()); }

  // One request on a connection of its own.
  [[nodiscard]] support::RawResponse get(const std::string& target, const std::string& extra = {}, const std::string& method = "GET") const {
    auto client = connect();
    client.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + extra + "\r\n");
    return client.read(method == "HEAD").value_or(support::RawResponse{});
  }

  [[nodiscard]] support::FakeTextEncoder& encoder() { return encoder_; }
  [[nodiscard]] support::FakeVectorIndex& index() { return index_; }
  [[nodiscard]] telemetry::Metrics& metrics() { return metrics_; }

 private:
  telemetry::Metrics metrics_;
  support::ComputeThreads compute_;
  support::FakeTextEncoder encoder_{compute_.pool()};
  support::FakeCatalogStore store_;
  support::FakeVectorIndex index_{store_, compute_.pool()};
  search::SnapshotHolder holder_{store_, index_, encoder_.info()};
  telemetry::Logger log_;
  search::SearchService search_;
  Api api_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  std::atomic<bool> ended_{false};
};

}  // namespace scalestyle::http
