#pragma once
// TextGenerator on any server with OpenAI's chat completions (OpenAI itself, vLLM, llama.cpp, Ollama, …).
//
// The answer is streamed; nothing waits on a thread. Completes, and calls on_piece, on the HTTP client's I/O thread.
// The key comes from the environment, goes to the server's origin alone and into no message. Where the address is http it
// travels in the clear: that is for a server on this machine or in a closed network.
// Thread safety: as the port.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "ports/http_client.hpp"
#include "ports/text_generator.hpp"

namespace scalestyle::adapters::remote_inference {

class HttpTextGenerator final : public ports::TextGenerator {
 public:
  struct Options {
    std::string base_url;  // "https://api.openai.com/v1": what comes before /chat/completions
    std::string model;     // as the server names it
    std::string api_key_variable = "OPENAI_API_KEY";  // of the environment; empty, or not set there: no key is sent
    std::size_t max_context = 32'768;                 // what info() says; the server has the last word
    std::size_t max_running = 4;                      // texts under way at once; more are refused
    std::uint64_t max_answer_bytes = std::uint64_t{4} << 20U;
  };

  // `client` must outlive the generator. Errors: kInvalidArgument (field "generation_url" or "generation_model") for an
  // address that is not http or https, has a user, a query or a fragment, or an empty model; for a key of characters that a
  // header may not have.
  [[nodiscard]] static core::Result<std::unique_ptr<HttpTextGenerator>> create(const Options& options,
                                                                               ports::HttpClient& client);

  [[nodiscard]] const ports::GeneratorInfo& info() const override { return info_; }
  [[nodiscard]] core::Task<core::Result<ports::GeneratedText>> generate(
      ports::GenerationRequest request, core::Deadline deadline,
      std::function<bool(std::string_view piece)> on_piece) override;

 private:
  HttpTextGenerator(const Options& options, std::string api_key, ports::HttpClient& client);
  [[nodiscard]] ports::HttpRequest http_request(std::string body, ports::HttpBodySink& sink) const;
  [[nodiscard]] std::string without_key(std::string text) const;
  [[nodiscard]] core::Error refusal(const ports::HttpResponse& response) const;

  Options options_;
  std::string url_;
  std::string api_key_;
  ports::HttpClient& client_;
  ports::GeneratorInfo info_;
  std::atomic<std::size_t> running_{0};
};

}  // namespace scalestyle::adapters::remote_inference
