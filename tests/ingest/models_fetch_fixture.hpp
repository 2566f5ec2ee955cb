#pragma once
// A model of two files, a hub and a Maven repository on loopback that serve it, and what records a fetch.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "adapters/embedded/http_client_curl.hpp"
#include "core/files.hpp"
#include "core/hash.hpp"
#include "ingest/models/bert_conversion.hpp"
#include "ingest/models/fetch.hpp"
#include "ingest/models/model_store.hpp"
#include "models_samples.hpp"
#include "support/loopback_http_server.hpp"
#include "support/temporary_folder.hpp"

namespace scalestyle::ingest::models {

namespace fs = std::filesystem;
using core::ErrorCode;
using support::LoopbackHttpServer;
using support::LoopbackReply;
using support::LoopbackRequest;

inline const std::string kRevision = "0123456789abcdef0123456789abcdef01234567";

inline PinnedFile pin(const std::string& name, const std::string& content) {
  return {name, content.size(), core::sha256_hex(content)};
}

inline void write(const fs::path& path, std::string_view content) {
  ASSERT_TRUE(core::make_folders(path.parent_path()));
  ASSERT_TRUE(core::write_file_atomically(path, content));
}

inline std::string read(const fs::path& path) { return core::read_text_file(path, 1 << 24).value_or("(unreadable)"); }

class RecordingObserver final : public FetchObserver {
 public:
  void progress(std::string_view what, std::uint64_t done_bytes, std::uint64_t) override {
    last[std::string(what)] = done_bytes;
  }
  void note(std::string_view text) override { notes += std::string(text) + "\n"; }
  std::map<std::string, std::uint64_t> last;
  std::string notes;
};

// Puts `archive` into the folder when it has one.
class FakePackageTool final : public PackageTool {
 public:
  core::Status download(const PackageSource& package, const fs::path& folder, core::Deadline) override {
    ++calls;
    if (archive.empty()) return core::fail(ErrorCode::kNotFound, "mvn is not installed");
    return core::write_file_atomically(folder / package.archive.name, archive);
  }
  int calls = 0;
  std::string archive;
};

class ModelsFetchTest : public ::testing::Test {
 protected:
  ModelsFetchTest()
      : hub_([this](const LoopbackRequest& request) { return answer(request); }),
        client_(std::move(*adapters::HttpClientCurl::create({}, clock_))),
        loop_([this](const std::stop_token& stop) { client_->run(stop); }) {
    weights_ = std::string(600'000, 'w') + "end";
    model_.name = "tiny";
    model_.hub = {"owner/tiny-repo", kRevision, {pin("config.json", "{}"), pin("model.safetensors", weights_)}};
    serve("config.json", "{}");
    serve("model.safetensors", weights_);
    options_.models_folder = folder_ / "models";
    options_.hub_url = hub_.url();
    options_.retry_pause = std::chrono::milliseconds(1);
  }

  void serve(const std::string& name, LoopbackReply reply) {
    replies_["/owner/tiny-repo/resolve/" + kRevision + "/" + name] = std::move(reply);
  }
  void serve(const std::string& name, const std::string& content) { serve(name, LoopbackReply{.body = content}); }

  // A static file server with ranges; `once_` is used for the first request to a path.
  LoopbackReply answer(const LoopbackRequest& request) {
    if (const auto found = once_.find(request.target); found != once_.end()) {
      const LoopbackReply reply = found->second;
      once_.erase(found);
      return reply;
    }
    const auto found = replies_.find(request.target);
    if (found == replies_.end()) return {.status = 404};
    LoopbackReply reply = found->second;
    const auto range = request.headers.find("range");
    if (range == request.headers.end() || ignore_ranges_ || reply.status != 200) return reply;
    const std::size_t start = std::stoul(range->second.substr(6));
    if (start >= reply.body.size()) return {.status = 416};
    reply.status = 206;
    reply.headers.emplace_back("Content-Range",
                               fmt::format("bytes {}-{}/{}", start, reply.body.size() - 1, reply.body.size()));
    reply.body = reply.body.substr(start);
    return reply;
  }

  // Gives the model a package whose ONNX entry converts to its weights.
  void add_package() {
    const std::string onnx = samples::tiny_bert().onnx();
    std::vector<F32Tensor> tensors =
        convert_bert(*read_onnx(std::as_bytes(std::span(onnx.data(), onnx.size()))),
                     *bert_shape_of_config(samples::kTinyConfig)).value();
    ASSERT_TRUE(write_safetensors(folder_ / "expected.safetensors", tensors));
    converted_ = read(folder_ / "expected.safetensors");
    archive_ = samples::make_zip({{"inside/tiny.onnx", onnx, true}});
    PackageSource package;
    package.coordinates = "org.example:tiny-model:1.2";
    package.archive = pin("tiny-model-1.2.jar", archive_);
    package.files = {{pin("config.json", samples::kTinyConfig), Recipe::kText, samples::kTinyConfig, "", 0},
                     {pin("model.safetensors", converted_), Recipe::kBertFromOnnx, "", "inside/tiny.onnx", onnx.size()}};
    model_.package = package;
  }

  core::Result<FetchedModel> fetch() {
    return fetch_model(model_, options_, {*client_, tool_, clock_, observer_});
  }
  [[nodiscard]] fs::path installed() const { return options_.models_folder / "tiny"; }
  void expect_installed(const std::string& weights) const {
    EXPECT_EQ(read(installed() / "model.safetensors"), weights);
    EXPECT_TRUE(inspect_model(model_, installed(), CheckDepth::kChecksums).is_good());
    EXPECT_FALSE(fs::exists(staging_folder(options_.models_folder, model_)));
  }
  [[nodiscard]] fs::path part() const {
    return staging_folder(options_.models_folder, model_) / "model.safetensors.part";
  }
  [[nodiscard]] std::string weights_path() const {
    return "/owner/tiny-repo/resolve/" + kRevision + "/model.safetensors";
  }

  support::TemporaryFolder folder_;
  core::SystemClock clock_;
  std::map<std::string, LoopbackReply> replies_;
  std::map<std::string, LoopbackReply> once_;
  bool ignore_ranges_ = false;
  LoopbackHttpServer hub_;
  std::unique_ptr<adapters::HttpClientCurl> client_;
  std::jthread loop_;
  FakePackageTool tool_;
  RecordingObserver observer_;
  FetchOptions options_;
  Model model_;
  std::string weights_;
  std::string converted_;
  std::string archive_;
};

}  // namespace scalestyle::ingest::models
