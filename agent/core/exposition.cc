#include "flintgauge/exposition.h"

namespace flintgauge {

void append_escaped(std::string_view label_value, std::string& out) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < label_value.size(); ++i) {
    const char c = label_value[i];
    if (c != '\\' && c != '"' && c != '\n') continue;
    out += label_value.substr(begin, i - begin);
    out += '\\';
    out += c == '\n' ? 'n' : c;
    begin = i + 1;
  }
  out += label_value.substr(begin);
}

}  // namespace flintgauge
