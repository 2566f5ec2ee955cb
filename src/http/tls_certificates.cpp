#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <chrono>
#include <ctime>
#include <string_view>
#include <utility>

#include "http/tls_certificates_impl.hpp"

namespace scalestyle::http {

namespace {

using boost::system::error_code;
using core::ErrorCode;

constexpr auto kLookInterval = std::chrono::seconds(1);
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";  // of TLS 1.2; those of TLS 1.3 are all of this kind
constexpr std::string_view kProtocol("\x08http/1.1", 9);         // as ALPN sends it: its length, then its name

// Chooses http/1.1; a client that offers other protocols only is refused (RFC 7301, section 3.2).
int choose_protocol(SSL* /*connection*/, const unsigned char** chosen, unsigned char* chosen_bytes, const unsigned char* offered,
                    unsigned int offered_bytes, void* /*unused*/) {
  const auto* own = reinterpret_cast<const unsigned char*>(kProtocol.data());
  unsigned char* found = nullptr;
  const int outcome = SSL_select_next_proto(&found, chosen_bytes, own, static_cast<unsigned int>(kProtocol.size()), offered,
                                            offered_bytes);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::chrono::system_clock::time_point expiry(SSL_CTX* context) {
  const X509* const certificate = SSL_CTX_get0_certificate(context);
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&end));
}

core::Status set_limits(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // of idle connections
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(context, kCiphers) == 1) return {};
  return core::fail(ErrorCode::kInternal, "TLS cannot be set up on this machine");
}

}  // namespace

core::Result<std::shared_ptr<TlsContext>> TlsCertificates::load(const Files& files) {
  auto context = std::make_shared<TlsContext>(TlsContext::tls_server);
  SSL_CTX* const handle = context->native_handle();
  CORE_CHECK(set_limits(handle));
  error_code error;
  const auto refuse = [&error](std::string_view what, const std::string& path, const char* field) {
    ERR_clear_error();
    return core::fail(ErrorCode::kInvalidArgument, fmt::format("{}: {} cannot be used: {} ({})", field, what, error.message(), path),
                      field);
  };
  context->use_certificate_chain_file(files.certificate, error);
  if (error) return refuse("this certificate", files.certificate, "tls_certificate");
  // Without this an encrypted key would be asked for on the terminal.
  context->set_password_callback([](std::size_t, TlsContext::password_purpose) { return std::string(); }, error);
  if (!error) context->use_private_key_file(files.key, TlsContext::pem, error);
  if (error) return refuse("this key", files.key, "tls_key");
  if (SSL_CTX_check_private_key(handle) != 1) {
    ERR_clear_error();
    return core::fail(ErrorCode::kInvalidArgument,
                      fmt::format("tls_key: {} is not the key of the certificate {}", files.key, files.certificate), "tls_key");
  }
  return context;
}

TlsCertificates::TlsCertificates(Files files, const core::Clock& clock, telemetry::Logger& log, telemetry::Metrics& metrics)
    : files_(std::move(files)),
      clock_(clock),
      log_(log),
      reloads_(metrics.counter({"scalestyle_http_tls_reloads_total", "Times that a changed certificate was taken into use."})),
      failures_(metrics.counter({"scalestyle_http_tls_reload_failures_total", "Changed certificates that could not be used."})),
      expires_(metrics.gauge({"scalestyle_http_tls_certificate_expires_seconds", "When the certificate in use ends, in Unix time."})) {}

core::Result<std::unique_ptr<TlsCertificates>> TlsCertificates::open(Files files, const core::Clock& clock, telemetry::Logger& log,
                                                                     telemetry::Metrics& metrics) {
  std::unique_ptr<TlsCertificates> certificates(new TlsCertificates(std::move(files), clock, log, metrics));
  certificates->seen_ = certificates->look();
  CORE_TRY(auto context, load(certificates->files_));
  certificates->use(std::move(context));
  certificates->next_look_ = clock.steady_now() + kLookInterval;
  return certificates;
}

void TlsCertificates::use(std::shared_ptr<TlsContext> context) {
  context_ = std::move(context);
  expires_.set(std::chrono::duration<double>(expiry(context_->native_handle()).time_since_epoch()).count());
}

TlsCertificates::PairState TlsCertificates::look() const {
  const auto state = [](const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return FileState();
    return FileState{found.st_dev, found.st_ino, found.st_size,
                     static_cast<std::int64_t>(found.st_mtim.tv_sec) * 1'000'000'000 + found.st_mtim.tv_nsec};
  };
  return {state(files_.certificate), state(files_.key)};
}

void TlsCertificates::refresh() {
  const core::SteadyTime now = clock_.steady_now();
  if (now < next_look_) return;
  next_look_ = now + kLookInterval;
  const PairState state = look();
  if (state == seen_) return;
  seen_ = state;
  auto context = load(files_);
  if (!context) {
    failures_.add();
    log_.error("the new TLS certificate is not used; the one before stays", {{"cause", context.error().message}});
    return;
  }
  use(std::move(*context));
  reloads_.add();
  log_.info("a new TLS certificate is in use", {{"certificate", files_.certificate}});
}

}  // namespace scalestyle::http
