// One exchange over a plain TCP connection, for bytes that no HTTP client would send.
#pragma once

#include <string>
#include <string_view>

namespace flintgauge::test {

/// Sends the bytes to "127.0.0.1:PORT" or "[::1]:PORT" and returns all that comes back until the server
/// closes or is silent for a second. With `half_close` the write side is shut after the bytes.
std::string talk(const std::string& address, std::string_view bytes, bool half_close = false);

/// A GET with "Connection: close"; `headers` are whole lines with CR LF.
std::string get(const std::string& address, const std::string& target, const std::string& headers = "");

/// Number of the status line, 0 when there is none.
int status_of(std::string_view answer);

/// All after the first empty line.
std::string body_of(const std::string& answer);

/// Value of a header as sent, or "".
std::string header_of(const std::string& answer, std::string_view name);

/// A connected socket (blocking, one second of patience), or -1.
int connect_to(const std::string& address);

}  // namespace flintgauge::test
