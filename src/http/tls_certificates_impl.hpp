#pragma once
// The server's certificate and key, as what new connections shake hands with. Private to the server.
//
// TLS 1.2 and 1.3 with forward secrecy and authenticated encryption only; ALPN "http/1.1"; no renegotiation; no sessions kept in
// memory (tickets let clients resume). The two files are looked at once a second: when either changes they are read again, and
// connections made from then on get the new pair. A new pair that cannot be used (damaged, or a key of another certificate) is
// told as an error once, and the one in use stays.
//
// Thread safety: refresh() and current() on the I/O thread only.

#include <boost/asio/ssl/context.hpp>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::http {

using TlsContext = boost::asio::ssl::context;

class TlsCertificates {
 public:
  struct Files {
    std::string certificate{};  // PEM: the server's, then those that lead to the authority
    std::string key{};          // PEM, not encrypted
  };

  // kInvalidArgument with the setting (tls_certificate, tls_key) as field: a file cannot be read or used, or they do not belong
  // together.
  [[nodiscard]] static core::Result<std::unique_ptr<TlsCertificates>> open(Files files, const core::Clock& clock, telemetry::Logger& log,
                                                                           telemetry::Metrics& metrics);

  [[nodiscard]] const std::shared_ptr<TlsContext>& current() const { return context_; }

  // Reads changed files again; at most once a second.
  void refresh();

 private:
  // What tells one state of a file from another.
  struct FileState {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t bytes = -1;  // no such file
    std::int64_t changed_ns = 0;
    bool operator==(const FileState&) const = default;
  };
  using PairState = std::array<FileState, 2>;

  TlsCertificates(Files files, const core::Clock& clock, telemetry::Logger& log, telemetry::Metrics& metrics);
  [[nodiscard]] static core::Result<std::shared_ptr<TlsContext>> load(const Files& files);
  [[nodiscard]] PairState look() const;
  void use(std::shared_ptr<TlsContext> context);

  const Files files_;
  const core::Clock& clock_;
  telemetry::Logger& log_;
  telemetry::Counter reloads_;
  telemetry::Counter failures_;
  telemetry::Gauge expires_;
  std::shared_ptr<TlsContext> context_;
  PairState seen_{};
  core::SteadyTime next_look_{};
};

}  // namespace scalestyle::http
