// Keys in force at the inference role: models for servers, metrics for admins, probes for everybody.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "core/files.hpp"
#include "events/timestamp.hpp"
#include "http/access_control.hpp"
#include "support/fake_text_encoder.hpp"
#include "support/inference_server.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::http {
namespace {

namespace json = boost::json;

TEST(AccessInference, ModelsAreForServersAndMetricsForAdmins) {
  const support::TemporaryFolder folder;
  const core::SystemClock clock;
  const events::EpochMs now = events::to_epoch_ms(clock.wall_now());
  const NewKey gateway = make_key({.scopes = {Scope::kSearch}}, now).value();
  const NewKey admin = make_key({.scopes = {Scope::kAdmin}}, now).value();
  const NewKey page = make_key({.kind = KeyKind::kBrowser, .scopes = {Scope::kSearch}}, now).value();
  KeySet keys;
  for (const NewKey* key : {&gateway, &admin, &page}) ASSERT_TRUE(keys.add(key->key));
  ASSERT_TRUE(core::write_file_atomically(folder / "keys", keys.format()));
  const auto file = KeyFile::open(folder / "keys").value();
  support::InferenceServer server;
  support::FakeTextEncoder texts(server.threads().pool());
  const AccessControl access({.keys = file.get(), .clock = clock, .metrics = server.metrics()}, {});
  server.guard(access);
  server.serve({.text = &texts});

  const auto header = [](const NewKey& key) { return "Authorization: Bearer " + key.text + "\r\n"; };
  const std::string body = R"({"inputs":"dress"})";
  const auto embed = [&](const std::string& extra) { return server.post("/embed", body, "Content-Type: application/json\r\n" + extra); };
  EXPECT_EQ(embed(header(gateway)).status, 200);
  const auto refused = embed("");
  EXPECT_EQ(refused.status, 401);
  EXPECT_TRUE(refused.headers.contains("WWW-Authenticate"));
  EXPECT_FALSE(json::parse(refused.body).at("error").as_string().empty()) << "the envelope of the role";
  EXPECT_EQ(embed(header(admin)).status, 403);
  EXPECT_EQ(embed(header(page)).status, 403);
  EXPECT_EQ(server.get("/info", header(gateway)).status, 200);
  EXPECT_EQ(server.get("/info").status, 401);
  EXPECT_EQ(server.get("/metrics", header(gateway)).status, 403);
  EXPECT_EQ(server.get("/metrics", header(admin)).status, 200);
  for (const char* probe : {"/live", "/ready", "/health"}) EXPECT_EQ(server.get(probe).status, 200) << probe;
  server.stop();
}

}  // namespace
}  // namespace scalestyle::http
