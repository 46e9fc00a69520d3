// Compression of a page for scrapers that ask for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "flintgauge/error.h"

struct libdeflate_compressor;

namespace flintgauge {

/// Makes gzip members (RFC 1952) at libdeflate's level 1: a page shrinks to about a seventh at a fraction of
/// what zlib's level 1 costs. Keeps its work space (about 0.3 MB) between calls. One thread at a time.
class GzipCompressor {
 public:
  GzipCompressor();

  /// Replaces `out` by the compressed bytes; reuses its capacity. kInternal when there is no memory for it.
  Status compress(std::string_view bytes, std::string& out);

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const noexcept;
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
};

}  // namespace flintgauge
