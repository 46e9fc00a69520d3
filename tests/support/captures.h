// Captured bodies of tests/fixtures (README.md there has their origins).
#pragma once

#include <string>
#include <vector>

namespace flintgauge {

/// The bytes of tests/fixtures/PATH, or of PATH.gz unpacked. Throws when there is neither: the test fails.
std::string read_capture(const std::string& path);

/// Relative paths (without .gz) below tests/fixtures whose file name contains `part`, sorted.
std::vector<std::string> list_captures(const std::string& part);

}  // namespace flintgauge
