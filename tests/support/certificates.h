// Certificates made on the spot, for tests of TLS.
#pragma once

#include <filesystem>
#include <string>

namespace flintgauge::testing {

struct CertificateWish {
  std::string common_name = "node-1";
  std::string alternative_names = "IP:127.0.0.1";  ///< in the words of openssl.cnf; "" = none
  long valid_from_s = -3600;                       ///< from now
  long valid_for_s = 24L * 3600;                   ///< from then
  bool self_signed = false;                        ///< by its own key, as a kubelet's without rotation
};

/// A certificate authority and certificates signed by it, as PEM files in a directory of their own that goes
/// with the object.
class Certificates {
 public:
  Certificates();
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::string ca_file() const { return path("ca.crt"); }
  /// Writes NAME.crt and NAME.key.
  void issue(const std::string& name, const CertificateWish& wish);
  std::string certificate_file(const std::string& name) const { return path(name + ".crt"); }
  std::string key_file(const std::string& name) const { return path(name + ".key"); }
  std::string path(const std::string& file) const { return (directory_ / file).string(); }

 private:
  struct Authority;
  std::filesystem::path directory_;
  Authority* authority_;
};

}  // namespace flintgauge::testing
