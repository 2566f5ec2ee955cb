#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "adapters/redis/transport_impl.hpp"

namespace scalestyle::adapters::redis {

namespace asio = boost::asio;
using boost::system::error_code;
using core::ErrorCode;
using core::fail;

core::Result<std::shared_ptr<TlsContext>> make_tls_context(const std::string& ca_file) {
  auto context = std::make_shared<TlsContext>(TlsContext::tls_client);
  context->set_options(TlsContext::default_workarounds | TlsContext::no_sslv2 | TlsContext::no_sslv3 | TlsContext::no_tlsv1 |
                       TlsContext::no_tlsv1_1);
  context->set_verify_mode(asio::ssl::verify_peer);
  error_code error;
  if (ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(ca_file, error);
  }
  if (error) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("the certificate authorities of {} cannot be read: {}", ca_file.empty() ? "the system" : ca_file,
                            error.message()),
                "ca_file");
  }
  return context;
}

Transport::Transport(asio::io_context& io, Endpoint endpoint, std::shared_ptr<TlsContext> tls)
    : endpoint_(std::move(endpoint)), context_(std::move(tls)), resolver_(io), socket_(io) {}

void Transport::finish(const core::Status& status) {
  if (const auto opened = std::exchange(opened_, nullptr)) opened(status);
}

void Transport::open(Opened opened) {
  opened_ = std::move(opened);
  error_code not_numeric;
  const auto address = asio::ip::make_address(endpoint_.host, not_numeric);
  if (!not_numeric) {
    // Without the resolver, which works in a thread of its own.
    return connect(Tcp::resolver::results_type::create(Tcp::endpoint(address, endpoint_.port), endpoint_.host, ""));
  }
  resolver_.async_resolve(endpoint_.host, std::to_string(endpoint_.port),
                          [self = shared_from_this()](const error_code& error, const Tcp::resolver::results_type& addresses) {
                            if (!error) return self->connect(addresses);
                            self->finish(fail(ErrorCode::kUnavailable,
                                              fmt::format("its name cannot be resolved: {}", error.message())));
                          });
}

void Transport::connect(const Tcp::resolver::results_type& addresses) {
  asio::async_connect(socket_, addresses, [self = shared_from_this()](const error_code& error, const Tcp::endpoint&) {
    if (error) return self->finish(fail(ErrorCode::kUnavailable, error.message()));
    error_code ignored;  // both are improvements only
    self->socket_.set_option(Tcp::no_delay(true), ignored);
    self->socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    if (self->context_) return self->shake_hands();
    self->finish({});
  });
}

// The server's certificate must be for the very name or address that was configured.
core::Status Transport::prepare_verification() {
  SSL* const handle = tls_->native_handle();
  error_code not_numeric;
  (void)asio::ip::make_address(endpoint_.host, not_numeric);
  const char* const host = endpoint_.host.c_str();
  // What SSL_set_tlsext_host_name() is, which casts as C does.
  const auto name_server = [&] {
    return SSL_ctrl(handle, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host)) == 1;
  };
  const bool set = not_numeric ? name_server() && SSL_set1_host(handle, host) == 1
                               : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), host) == 1;
  if (!set) return fail(ErrorCode::kUnavailable, fmt::format("TLS: no certificate can be for the name '{}'", endpoint_.host));
  return {};
}

void Transport::shake_hands() {
  tls_.emplace(socket_, *context_);
  if (const auto prepared = prepare_verification(); !prepared) return finish(prepared);
  tls_->async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](const error_code& error) {
    if (!error) return self->finish({});
    const long verdict = SSL_get_verify_result(self->tls_->native_handle());
    self->finish(fail(ErrorCode::kUnavailable,
                      verdict == X509_V_OK ? fmt::format("TLS: {}", error.message())
                                           : fmt::format("TLS: the server's certificate is refused: {}",
                                                         X509_verify_cert_error_string(verdict))));
  });
}

void Transport::write(std::string bytes, Written written) {
  outgoing_ = std::move(bytes);
  auto done = [self = shared_from_this(), written = std::move(written)](const error_code& error, std::size_t) { written(error); };
  if (tls_) {
    asio::async_write(*tls_, asio::buffer(outgoing_), std::move(done));
  } else {
    asio::async_write(socket_, asio::buffer(outgoing_), std::move(done));
  }
}

void Transport::read(Received received) {
  auto done = [self = shared_from_this(), received = std::move(received)](const error_code& error, std::size_t count) {
    received(error, std::string_view(self->incoming_.data(), count));
  };
  if (tls_) {
    tls_->async_read_some(asio::buffer(incoming_), std::move(done));
  } else {
    socket_.async_read_some(asio::buffer(incoming_), std::move(done));
  }
}

void Transport::close() {
  opened_ = nullptr;
  resolver_.cancel();
  error_code ignored;
  socket_.shutdown(Tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

}  // namespace scalestyle::adapters::redis
