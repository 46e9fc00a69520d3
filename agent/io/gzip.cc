#include "agent/io/gzip.h"

#include <libdeflate.h>

namespace flintgauge {
namespace {
constexpr int kLevel = 1;  // the fastest that compresses
}  // namespace

void GzipCompressor::Free::operator()(libdeflate_compressor* compressor) const noexcept {
  libdeflate_free_compressor(compressor);
}

GzipCompressor::GzipCompressor() : compressor_(libdeflate_alloc_compressor(kLevel)) {}

Status GzipCompressor::compress(std::string_view bytes, std::string& out) {
  if (!compressor_) return fail(Reason::kInternal, "gzip: no memory for the compressor");
  out.resize(libdeflate_gzip_compress_bound(compressor_.get(), bytes.size()));
  const std::size_t size =
      libdeflate_gzip_compress(compressor_.get(), bytes.data(), bytes.size(), out.data(), out.size());
  out.resize(size);
  if (size == 0) return fail(Reason::kInternal, "gzip: libdeflate needs more room than its own bound");
  return {};
}

}  // namespace flintgauge
