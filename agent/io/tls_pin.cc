#include "agent/io/tls_pin.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

namespace flintgauge {
namespace {

struct BioDeleter {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct X509Deleter {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

}  // namespace

Result<std::string> public_key_pin(const std::string& pem_file) {
  errno = 0;
  const std::unique_ptr<BIO, BioDeleter> file(BIO_new_file(pem_file.c_str(), "r"));
  const int code = errno;
  if (!file) {
    ERR_clear_error();
    return fail(Reason::kIo, pem_file + ": " + std::generic_category().message(code));
  }
  const std::unique_ptr<X509, X509Deleter> certificate(
      PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
  unsigned char* key = nullptr;
  const int key_size = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &key) : 0;
  ERR_clear_error();
  if (key_size <= 0) return fail(Reason::kConfig, pem_file + ": no PEM certificate in this file");
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(key, static_cast<std::size_t>(key_size), digest.data());
  OPENSSL_free(key);
  std::array<unsigned char, 4 * (SHA256_DIGEST_LENGTH + 2) / 3 + 1> base64;
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return "sha256//" + std::string(base64.begin(), base64.begin() + length);
}

}  // namespace flintgauge
