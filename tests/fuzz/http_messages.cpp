// A connection's bytes, sent to a whole server over the loopback interface. What comes back is a sequence of complete answers and
// an orderly end, and the server goes on serving. Where all is answered at once, as many good answers come however it
// is cut.
// The first byte of an input says where the rest is cut: into one to three pieces.

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "fuzz/target.hpp"
#include "http/running_server.hpp"

namespace scalestyle::fuzz {
namespace {

using namespace std::string_literals;

constexpr std::chrono::seconds kPatience{15};  // for the end of one connection
constexpr std::size_t kLookEvery = 16;         // inputs, at the server's health

const http::RunningServer& server() {
  class Serving {
   public:
    Serving() { server_.publish(); }
    [[nodiscard]] const http::RunningServer& get() const { return server_; }

   private:
    static http::ServerOptions options() {
      http::ServerOptions limits;
      limits.idle_timeout = limits.header_timeout = limits.body_timeout = std::chrono::milliseconds(2'000);
      return limits;
    }
    http::RunningServer server_{options(), {.vision = true}};
  };
  static const Serving serving;
  return serving.get();
}

struct Answers {
  std::size_t good = 0;  // below 400, without "go on" (100)
  bool busy = false;     // one was a 503
};

// Nothing where `text` has no whole number in digits, or anything else.
std::optional<std::size_t> number(std::string_view text, int base = 10) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The text up to `end`, which is taken away with it.
std::string_view take_until(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  require(at != std::string_view::npos);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return taken;
}

void take_chunks(std::string_view& text) {
  while (true) {
    const auto size = number(take_until(text, "\r\n"), 16);
    require(size && *size + 2 <= text.size() && text.substr(*size, 2) == "\r\n");
    text.remove_prefix(*size + 2);
    if (*size == 0) return;
  }
}

struct Head {
  std::size_t status = 0;
  std::optional<std::size_t> length{};
  bool chunked = false;
  bool close = false;
};

Head take_head(std::string_view& text) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  const std::string_view line = take_until(text, "\r\n");
  require(line.starts_with(kVersion) && line.size() > kVersion.size() + 4 && line[kVersion.size() + 3] == ' ');
  const auto status = number(line.substr(kVersion.size(), 3));
  require(status && *status >= 100 && *status < 600);
  Head head{.status = *status};
  bool named = false;
  for (std::string_view field = take_until(text, "\r\n"); !field.empty(); field = take_until(text, "\r\n")) {
    const std::string_view name = take_until(field, ": ");
    require(!name.empty() && field.find_first_of("\r\n"s + '\0') == std::string_view::npos);
    if (name == "Content-Length") {
      require(!head.length);
      head.length = number(field);
      require(head.length.has_value());
    }
    head.chunked = head.chunked || (name == "Transfer-Encoding" && field == "chunked");
    head.close = head.close || (name == "Connection" && field == "close");
    named = named || (name == "X-Request-Id" && !field.empty());
  }
  require(named || head.status == 100);
  return head;
}

// `head_only`: some answers may have no body.
Answers check_answers(std::string_view text, bool head_only) {
  Answers answers;
  bool last = false;
  while (!text.empty()) {
    require(!last);
    const Head head = take_head(text);
    if (head.status == 100) continue;
    require(head.status < 500 || head.status == 501 || head.status == 503 || head.status == 505);
    if (head.status < 400) ++answers.good;
    answers.busy = answers.busy || head.status == 503;
    last = head.close;
    const bool at_next = text.empty() || text.starts_with("HTTP/1.1 ");
    if (head.status == 204 || head.status == 304 || (head_only && at_next)) continue;
    require(head.length.has_value() != head.chunked);
    if (head.chunked) {
      take_chunks(text);
    } else {
      require(*head.length <= text.size());
      text.remove_prefix(*head.length);
    }
  }
  return answers;
}

// Where to cut `size` bytes: one to three pieces, at places that `choice` says.
std::array<std::size_t, 2> cuts(std::uint8_t choice, std::size_t size) {
  constexpr std::size_t kPlaces = 85;
  const std::size_t first = size * (choice / 3U) / kPlaces;
  if (choice % 3 == 0) return {size, size};
  return choice % 3 == 1 ? std::array{first, size} : std::array{first, std::min(first + 1, size)};
}

Answers ask(std::string_view bytes, std::array<std::size_t, 2> at) {
  auto client = server().connect();
  require(client.connected());
  // A server that has refused what came may have closed before it has all.
  const bool taken = client.send(bytes.substr(0, at[0])) && client.send(bytes.substr(at[0], at[1] - at[0])) &&
                     client.send(bytes.substr(at[1]));
  if (taken) client.end_sending();
  const auto [text, orderly] = client.read_to_end(kPatience);
  require(orderly);
  return check_answers(text, bytes.find("HEAD ") != std::string_view::npos);
}

void check(std::uint8_t choice, std::string_view bytes) {
  const auto at = cuts(choice, bytes.size());
  const Answers cut = ask(bytes, at);
  // A client that ends while its answer is made is taken for gone: which answers it still gets is then a matter of time.
  const bool at_once = bytes.find("/api/") == std::string_view::npos && bytes.find("/images/") == std::string_view::npos;
  if (at_once && at[0] < bytes.size()) {
    const Answers whole = ask(bytes, {bytes.size(), bytes.size()});
    // A request that ends before its header does may be refused or not: its fault is seen early or late.
    require(whole.good == cut.good || whole.busy || cut.busy);
  }
  static std::size_t inputs = 0;
  if (++inputs % kLookEvery == 0) require(server().get("/live").status == 200);
}

std::string request(const std::string& line, const std::string& fields = {}, const std::string& body = {}) {
  return line + " HTTP/1.1\r\nHost: x\r\n" + fields + (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") +
         "\r\n" + body;
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string live = request("GET /live");
  const std::string search = "/api/recommendation/search";
  const std::string json = "Content-Type: application/json\r\n";
  const std::string click = R"({"event_id":"e1","event_type":"click","user_id":"ann","article_id":"0000001003","position":1})";
  const std::string part = "--b\r\nContent-Disposition: form-data; name=\"";
  const std::string form = part + "mode\"\r\n\r\nimage\r\n" + part + "image\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n" +
                           http::RunningServer::photo_of(1003) + "\r\n--b--\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::vector<std::string> all{
      live,
      live + live + request("GET " + search + "?query=name%203&k=3") + live,
      request("GET /ready", "Connection: close\r\n") + live,
      request("GET /api/articles/0000001003", "Accept: */*\r\nX-Request-Id: 0123456789abcdef\r\nAuthorization: Bearer x\r\n"),
      request("GET /api/recommendation/for-you?user_id=ann&k=5") + request("GET /api/recommendation/similar/0000001003"),
      request("GET /api/suggest?prefix=na") + request("GET /openapi.json"),
      request("POST /api/events/click", json, click) + live,
      request("POST /api/events", json, R"({"events":[)" + click + "]}") + live,
      request("POST " + search + "/image", json, R"({"mode":"image","article_id":"1003","k":2})"),
      request("POST " + search + "/image", "Content-Type: multipart/form-data; boundary=b\r\n", form) + live,
      request("POST /api/events/click", json + chunked) + "5\r\n{\"a\":\r\n2;x=y\r\n1}\r\n0\r\nT: u\r\n\r\n" + live,
      request("POST /api/events/click", json + "Expect: 100-continue\r\n", click) + live,
      request("HEAD /live") + live + request("HEAD " + search + "?query=name"),
      request("OPTIONS *") + request("OPTIONS " + search, "Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n") + live,
      request("DELETE /api/users/ann") + request("PUT /live") + request("TRACE /live") + request("CONNECT x:443"),
      request("GET http://other.example/live?a=b") + request("GET /images/..%2f..%2fx") + request("GET /%00"),
      "\r\n" + live + "\r\n" + live,
      "GET /live HTTP/1.0\r\n\r\n" + live,
      "GET /live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + live,
      "GET /live HTTP/1.1\nHost: x\n\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      request("POST /api/events/click", "Content-Length: 3\r\n" + chunked) + "0\r\n\r\n" + live,
      request("POST /api/events/click", chunked) + "-1\r\nh\r\n0\r\n\r\n" + live,
      request("POST /api/events/click", "Content-Length: 5\r\nContent-Length: 6\r\n") + "hello" + live,
      request("GET /live", "A: b\r\n c\r\nD : e\r\n") + live,
      request("GET /live", "Upgrade: h2c\r\nConnection: Upgrade\r\n") + live,
      request("GET /" + std::string(9'000, 'a'), "B: " + std::string(7'000, 'b') + "\r\n"),
  };
  std::vector<std::string> cut;
  for (std::size_t i = 0; i < all.size(); ++i) cut.push_back(static_cast<char>(static_cast<std::uint8_t>(i * 10)) + all[i]);
  return cut;
}

std::vector<std::string> words() {
  return {"\r\n", "\r", "\n", "\r\n\r\n", ": ", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "Host: x\r\n", "Content-Length: 1\r\n", "Content-Length: 0\r\n",
          "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "HEAD ", "POST ",
          "OPTIONS ", "GET /live HTTP/1.1\r\nHost: x\r\n\r\n", "0\r\n\r\n", "1\r\na\r\n", "%00", "?", "\0"s, "\x7F", "\t"};
}

}  // namespace scalestyle::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace scalestyle::fuzz;  // NOLINT: one function
  if (size > 1) check(data[0], text_of(data + 1, size - 1));
  return 0;
}
