#include "support/tls_files.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace scalestyle::support {

namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void check(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("a test's certificate cannot be made: ") + what);
}

Owned<std::FILE> create(const std::filesystem::path& path) {
  Owned<std::FILE> file(std::fopen(path.c_str(), "w"));
  check(file != nullptr, path.c_str());
  return file;
}

}  // namespace

TlsFiles write_tls_files(const std::filesystem::path& folder, const std::string& name) {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Owned<X509> certificate(X509_new());
  check(key != nullptr && certificate != nullptr, "key");
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  check(X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0, "signature");
  const TlsFiles files{folder / (name + ".crt"), folder / (name + ".key")};
  check(PEM_write_X509(create(files.certificate).get(), certificate.get()) == 1, "certificate file");
  check(PEM_write_PrivateKey(create(files.key).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "key file");
  return files;
}

}  // namespace scalestyle::support
