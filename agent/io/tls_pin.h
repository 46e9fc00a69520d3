// The public key of a pinned certificate, as libcurl wants it.
#pragma once

#include <string>

#include "flintgauge/error.h"

namespace flintgauge {

/// "sha256//BASE64" of the public key of the first certificate in a PEM file (RFC 7469 section 2.4).
/// kIo when the file cannot be read, kConfig when it holds no certificate.
Result<std::string> public_key_pin(const std::string& pem_file);

}  // namespace flintgauge
