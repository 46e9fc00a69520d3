#include "support/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace flintgauge::testing {
namespace {

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct CertificateDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FileDeleter {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyDeleter>;
using Certificate = std::unique_ptr<X509, CertificateDeleter>;
using File = std::unique_ptr<std::FILE, FileDeleter>;

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  if (!extension) throw std::runtime_error("bad extension " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make_certificate(const CertificateWish& wish, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  static long serial = 1;
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wish.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.valid_from_s + wish.valid_for_s);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), issuer ? X509_get_subject_name(issuer) : name);
  if (!issuer) add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  if (!wish.alternative_names.empty())
    add_extension(certificate.get(), NID_subject_alt_name, wish.alternative_names);
  if (X509_sign(certificate.get(), issuer_key, EVP_sha256()) == 0) throw std::runtime_error("cannot sign");
  return certificate;
}

File open_file(const std::string& path) {
  File file(std::fopen(path.c_str(), "w"));
  if (!file) throw std::runtime_error("cannot write " + path);
  return file;
}

}  // namespace

struct Certificates::Authority {
  Key key{EVP_EC_gen("P-256")};
  Certificate certificate = make_certificate({.common_name = "test authority", .alternative_names = ""},
                                             key.get(), nullptr, key.get());
};

Certificates::Certificates() : authority_(new Authority) {
  std::string name = (std::filesystem::temp_directory_path() / "flintgauge-tls-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
  directory_ = name;
  PEM_write_X509(open_file(ca_file()).get(), authority_->certificate.get());
}

Certificates::~Certificates() {
  delete authority_;
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void Certificates::issue(const std::string& name, const CertificateWish& wish) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate =
      wish.self_signed
          ? make_certificate(wish, key.get(), nullptr, key.get())
          : make_certificate(wish, key.get(), authority_->certificate.get(), authority_->key.get());
  PEM_write_X509(open_file(certificate_file(name)).get(), certificate.get());
  PEM_write_PrivateKey(open_file(key_file(name)).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
}

}  // namespace flintgauge::testing
