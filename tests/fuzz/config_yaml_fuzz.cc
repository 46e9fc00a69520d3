// Property: whatever the bytes, they are refused with a message of one printable line that begins with the
// file's name, or taken; and what was taken is written by config_yaml() as text that reads back as the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/io/config_file.h"
#include "agent/io/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Config config;
  Origins origins;
  const Status status = read_config_text(text, "a.yaml", config, origins);
  if (!status) {
    const std::string& message = status.error().message;
    const bool is_line = std::all_of(message.begin(), message.end(), [](char c) { return c >= ' '; });
    if (!message.starts_with("a.yaml:") || !is_line || message.size() > 1'000) std::abort();
    return 0;
  }
  Config again;
  Origins of_again;
  if (!read_config_text(config_yaml(config), "b.yaml", again, of_again)) std::abort();
  for (const Setting& setting : settings()) {
    if (value_text(setting, again) != value_text(setting, config)) std::abort();
  }
  return 0;
}
