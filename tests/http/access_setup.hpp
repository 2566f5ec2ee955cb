#pragma once
// A running server with keys in force, one of each kind that tests want.

#include <chrono>
#include <memory>
#include <string>

#include "core/files.hpp"
#include "events/timestamp.hpp"
#include "http/running_server.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::http {

class AccessSetup {
 public:
  explicit AccessSetup(ServerSetup setup = {}) {
    const KeyWish all{.scopes = {Scope::kSearch, Scope::kEvents, Scope::kUsers, Scope::kAdmin}};
    const KeyWish page{.kind = KeyKind::kBrowser, .scopes = {Scope::kSearch, Scope::kEvents, Scope::kUsers}};
    const KeyWish reader{.scopes = {Scope::kSearch}};
    KeySet keys;
    server_ = add(keys, all);
    browser_ = add(keys, page);
    reader_ = add(keys, reader);
    EXPECT_TRUE(core::write_file_atomically(folder_ / "keys", keys.format()));
    file_ = KeyFile::open(folder_ / "keys").value();
    AccessControl::Options options{.token_secrets = {kSecret}, .origins = CrossOrigin::parse("https://shop.example").value()};
    access_ = std::make_unique<AccessControl>(AccessControl::Dependencies{.keys = file_.get(), .clock = clock_, .metrics = metrics_},
                                              std::move(options));
    setup.access = access_.get();
    setup.audit = &audit_;
    running_ = std::make_unique<RunningServer>(ServerOptions(), setup);
    running_->publish();
  }

  [[nodiscard]] RunningServer& running() { return *running_; }
  [[nodiscard]] const AccessControl& access() const { return *access_; }
  [[nodiscard]] const SubjectHasher& hasher() const { return audit_.hasher(); }

  // Header lines.
  [[nodiscard]] std::string server() const { return header(server_); }
  [[nodiscard]] std::string browser() const { return header(browser_); }
  [[nodiscard]] std::string reader() const { return header(reader_); }
  [[nodiscard]] std::string id_of_server() const { return server_.key.id; }
  [[nodiscard]] std::string browser_of(const std::string& user) const {
    const auto until = std::chrono::floor<std::chrono::seconds>(clock_.wall_now()) + std::chrono::hours(1);
    return browser() + "X-User-Token: " + TokenSigner({kSecret}).sign(TokenPurpose::kUser, user, until) + "\r\n";
  }
  static std::string cookie(const support::RawResponse& response) {
    const auto found = response.headers.find("Set-Cookie");
    if (found == response.headers.end()) return {};
    return "Cookie: " + found->second.substr(0, found->second.find(';')) + "\r\n";
  }

  // With the headers of a JSON body.
  [[nodiscard]] support::RawResponse post(const std::string& target, const std::string& body, const std::string& headers,
                                          const std::string& method = "POST") const {
    return running_->post(target, body, "Content-Type: application/json\r\n" + headers, method);
  }

 private:
  static constexpr const char* kSecret = "a secret of the tests, 32 bytes or more";

  NewKey add(KeySet& keys, const KeyWish& wish) {
    NewKey made = make_key(wish, events::to_epoch_ms(clock_.wall_now())).value();
    EXPECT_TRUE(keys.add(made.key));
    return made;
  }
  static std::string header(const NewKey& key) { return "X-API-Key: " + key.text + "\r\n"; }

  core::SystemClock clock_;
  telemetry::Metrics metrics_;
  telemetry::Logger log_{{telemetry::LogLevel::kInfo, telemetry::LogFormat::kJson}, clock_};
  AuditLog audit_{log_, clock_, "hash key"};
  support::TemporaryFolder folder_;
  NewKey server_;
  NewKey browser_;
  NewKey reader_;
  std::unique_ptr<KeyFile> file_;
  std::unique_ptr<AccessControl> access_;
  std::unique_ptr<RunningServer> running_;
};

}  // namespace scalestyle::http
