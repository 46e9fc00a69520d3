// Text for people inside HTML: escaping, and numbers with units.
#pragma once

#include <string>
#include <string_view>

namespace flintgauge::html {

/// Appends text with & < > " ' replaced, safe between tags and inside quoted attributes.
void append_escaped(std::string_view text, std::string& out);
std::string escaped(std::string_view text);

/// "1.5 GiB", "512 MiB", "0 B"; a dash when not finite.
std::string bytes_text(double bytes);

/// "4 s", "3 min", "2 h", "5 d": one unit, rounded down.
std::string age_text(double seconds);

/// At most `decimals` digits after the point, zeros at the end left out; a dash when not finite.
std::string number_text(double value, int decimals = 0);

}  // namespace flintgauge::html
