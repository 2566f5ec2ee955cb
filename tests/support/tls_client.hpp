#pragma once
// A blocking TLS client for tests. It checks no certificate, but tells whose it saw.

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "support/raw_client.hpp"

namespace scalestyle::support {

class TlsClient {
 public:
  struct Options {
    int least_version = TLS1_2_VERSION;
    int most_version = TLS1_3_VERSION;
    std::string ciphers{};   // of TLS 1.2
    std::string protocol{};  // one, for ALPN
  };

  // Connects and shakes hands; is_open() tells whether that worked.
  TlsClient(std::uint16_t port, const Options& options) : socket_(port), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_security_level(context_.get(), 0);  // clients that a server has to refuse
    SSL_CTX_set_min_proto_version(context_.get(), options.least_version);
    SSL_CTX_set_max_proto_version(context_.get(), options.most_version);
    if (!options.ciphers.empty()) SSL_CTX_set_cipher_list(context_.get(), options.ciphers.c_str());
    connection_.reset(SSL_new(context_.get()));
    if (!options.protocol.empty()) {
      const std::string list = static_cast<char>(options.protocol.size()) + options.protocol;
      SSL_set_alpn_protos(connection_.get(), reinterpret_cast<const unsigned char*>(list.data()), static_cast<unsigned>(list.size()));
    }
    socket_.limit_waiting(std::chrono::seconds(10));
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to a socket that the server has closed
    SSL_set_fd(connection_.get(), socket_.descriptor());
    open_ = SSL_connect(connection_.get()) == 1;
  }
  explicit TlsClient(std::uint16_t port) : TlsClient(port, Options{}) {}

  [[nodiscard]] bool is_open() const { return open_; }
  [[nodiscard]] std::string version() const { return SSL_get_version(connection_.get()); }
  [[nodiscard]] std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(connection_.get(), &name, &length);
    return {reinterpret_cast<const char*>(name), length};
  }
  // Common name of the server's certificate.
  [[nodiscard]] std::string server_name() const {
    const std::unique_ptr<X509, Free> certificate(SSL_get1_peer_certificate(connection_.get()));
    if (certificate == nullptr) return {};
    std::array<char, 128> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name.data(), static_cast<int>(name.size()));
    return name.data();
  }

  bool send(std::string_view bytes) {
    std::size_t written = 0;
    return bytes.empty() || SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &written) == 1;
  }

  // One response with a Content-Length; nothing when the connection ends before it is complete.
  [[nodiscard]] std::optional<RawResponse> read() {
    while (input_.find("\r\n\r\n") == std::string::npos) {
      if (!receive()) return std::nullopt;
    }
    const std::size_t body = input_.find("\r\n\r\n") + 4;
    RawResponse response;
    response.status = std::atoi(input_.substr(9, 3).c_str());
    const std::size_t length = input_.find("Content-Length: ");
    const auto size = length < body ? static_cast<std::size_t>(std::atoll(input_.c_str() + length + 16)) : 0;
    while (input_.size() < body + size) {
      if (!receive()) return std::nullopt;
    }
    response.body = input_.substr(body, size);
    input_.erase(0, body + size);
    return response;
  }

  // Reads to the end: true where the server said that it is one (close_notify), and did not just cut.
  [[nodiscard]] bool ends_orderly() {
    while (receive()) continue;
    return ended_;
  }

  // Says that it ends, and closes.
  void close() {
    SSL_shutdown(connection_.get());
    socket_.close();
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* connection) const { SSL_free(connection); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };

  bool receive() {
    std::array<char, 16 * 1024> bytes{};
    std::size_t count = 0;
    const int outcome = SSL_read_ex(connection_.get(), bytes.data(), bytes.size(), &count);
    if (outcome != 1) {
      ended_ = SSL_get_error(connection_.get(), outcome) == SSL_ERROR_ZERO_RETURN;
      return false;
    }
    input_.append(bytes.data(), count);
    return true;
  }

  RawClient socket_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> connection_;
  std::string input_;
  bool open_ = false;
  bool ended_ = false;
};

}  // namespace scalestyle::support
