// The model servers that settings name: which model each serves, and what its clock says.

#include <array>
#include <chrono>
#include <cstdlib>
#include <future>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "adapters/embedded/http_client_curl.hpp"
#include "adapters/remote_inference/http_text_encoder.hpp"
#include "adapters/remote_inference/model_answers.hpp"
#include "adapters/remote_inference/server_address.hpp"
#include "core/task.hpp"
#include "doctor_judgement.hpp"
#include "doctor_parts.hpp"

namespace scalestyle::app {

namespace {

namespace json = boost::json;
namespace remote = adapters::remote_inference;

constexpr std::uint64_t kMaxAnswerBytes = 1U << 20U;
constexpr const char* kInferenceKey = "INFERENCE_API_KEY";
constexpr std::chrono::milliseconds kDateUncertainty{1'000};  // a Date has whole seconds

struct Question {
  std::string setting;           // "inference_url"
  std::string url;
  std::string path;              // "/info"; "/models" of OpenAI's interface
  std::string key{};
  std::optional<remote::ModelKind> kind{};  // of /info
  std::string model{};           // wanted
  std::string server_model{};    // what such servers call it; empty: the same
};

// Its base name: makers stand before it.
std::string_view base_name(std::string_view model) {
  while (model.ends_with('/')) model.remove_suffix(1);
  const auto slash = model.rfind('/');
  return slash == std::string_view::npos ? model : model.substr(slash + 1);
}

std::string version_of(const std::string& body) {
  boost::system::error_code error;
  const json::value answer = json::parse(body, error);
  if (error || !answer.is_object()) return {};
  const auto* const version = answer.as_object().if_contains("version");
  return version != nullptr && version->is_string() ? std::string(version->as_string()).substr(0, 64) : std::string();
}

Check judge_answer(const Question& question, const ports::HttpResponse& answer) {
  const std::string where = fmt::format("{} ({})", question.url, question.setting);
  if (answer.status == 401 || answer.status == 403) {
    return failed(question.setting, fmt::format("{} answers {}", where, answer.status),
                  question.setting == "generation_url" ? "OPENAI_API_KEY of the environment is its key"
                      : "INFERENCE_API_KEY of the environment is its key");
  }
  if (answer.status != 200) {
    return failed(question.setting, fmt::format("{}: {} answers {}", where, question.path, answer.status),
                  "does that server speak what inference_api says, is the address right?");
  }
  if (!question.kind) return passed(question.setting, where + " answers");
  const auto info = remote::read_info(answer.body, *question.kind);
  if (!info) return failed(question.setting, fmt::format("{}: {}", where, info.error().message),
                           "name a server that has that model");
  const std::string version = version_of(answer.body);
  std::string found = fmt::format("{} has {}{}{}", where, info->model, info->precision.empty() ? "" : " " + info->precision,
                                  version.empty() ? "" : ", version " + version);
  if (!remote::is_model(info->model, base_name(question.model), question.server_model)) {
    return failed(question.setting, std::move(found), "wanted is " + question.model + ": another server, or another setting");
  }
  return passed(question.setting, std::move(found));
}

Checks ask(ports::HttpClient& http, const Question& question, const core::Clock& clock) {
  ports::HttpRequest request;
  request.url = question.url + question.path;
  request.bearer_token = question.key;
  request.max_body_bytes = kMaxAnswerBytes;
  request.allow_plain_http = true;
  const auto before = clock.wall_now();
  const auto answer = core::sync_wait(http.send(std::move(request), core::Deadline::after(kEngineDeadline, clock)));
  const auto after = clock.wall_now();
  if (!answer) return {failed_at(question.setting, question.url, answer.error(),
                              "is the server up, is the address right, is nothing in between closed?")};
  Checks checks{judge_answer(question, *answer)};
  const auto told = parse_http_date(answer->header("Date"));
  if (!told) return checks;
  const auto middle = before + (after - before) / 2;
  // The second that it names has begun: half of one later is the middle of what it may mean.
  const auto offset = std::chrono::duration_cast<std::chrono::milliseconds>(*told + std::chrono::milliseconds(500) - middle);
  checks.push_back(judge_clock(question.setting + "_clock", question.url, offset, kDateUncertainty));
  return checks;
}

core::Status add(const core::Settings& settings, const char* setting, Question form, const char* key_variable,
                 std::vector<Question>& questions) {
  CORE_TRY(auto urls, remote::parse_server_addresses(settings.text(setting), setting));
  CORE_TRY(form.key, remote::key_from_environment(key_variable));
  form.setting = setting;
  for (auto& url : urls) {
    form.url = std::move(url);
    questions.push_back(form);
  }
  return {};
}

Question info_question(remote::ModelKind kind, std::string model) {
  return {.setting = {}, .url = {}, .path = "/info", .key = {}, .kind = kind, .model = std::move(model)};
}

core::Result<std::vector<Question>> questions_of(const core::Settings& settings) {
  std::vector<Question> questions;
  const Question models_question{.setting = {}, .url = {}, .path = "/models"};
  const bool is_tei = settings.text("inference_api") == "tei";
  if (settings.is_set("inference_url")) {
    Question texts = is_tei ? info_question(remote::ModelKind::kText, settings.text("model")) : models_question;
    texts.server_model = settings.text("inference_model");
    CORE_CHECK(add(settings, "inference_url", texts, kInferenceKey, questions));
  }
  // Those servers rerank and see too, where no others are named.
  const bool both = settings.is_set("inference_url") && is_tei;
  const bool must_rerank = settings.is_set("rerank_url") || (both && !settings.is_default("reranker"));
  if (must_rerank && settings.text("reranker") != "none") {
    CORE_CHECK(add(settings, settings.is_set("rerank_url") ? "rerank_url" : "inference_url",
                   info_question(remote::ModelKind::kPairs, settings.text("reranker")), kInferenceKey, questions));
  }
  if (settings.boolean("vision_enabled") && (settings.is_set("vision_url") || both)) {
    CORE_CHECK(add(settings, settings.is_set("vision_url") ? "vision_url" : "inference_url",
                   info_question(remote::ModelKind::kPictures, settings.text("vision_model")), kInferenceKey, questions));
  }
  if (settings.boolean("generation_enabled") && settings.is_set("generation_url")) {
    CORE_CHECK(add(settings, "generation_url", models_question, "OPENAI_API_KEY", questions));
  }
  return questions;
}

}  // namespace

Checks check_model_servers(const core::Settings& settings, const core::Clock& clock) {
  const auto questions = questions_of(settings);
  if (!questions) return {failed(questions.error().field.empty() ? "model_servers" : questions.error().field, questions.error(),
                                 "correct that setting")};
  if (questions->empty()) return {};
  adapters::HttpClientCurl::Options options;
  options.max_requests = questions->size();
  options.connect_timeout = kEngineDeadline;
  const auto http = adapters::HttpClientCurl::create(options, clock);
  if (!http) return {failed("model_servers", http.error(), "libcurl does not start on this machine")};
  const std::jthread io([client = http->get()](const std::stop_token& stop) { client->run(stop); });
  std::vector<std::future<Checks>> asked;
  for (const Question& question : *questions) {
    asked.push_back(std::async(std::launch::async, [&] { return ask(**http, question, clock); }));
  }
  Checks checks;
  for (auto& answer : asked) {
    for (Check& check : answer.get()) checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace scalestyle::app
