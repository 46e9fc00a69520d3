// An HTTP/1.1 request to the Pushgateway, read as its bytes come. Strict: what two programs could read
// differently is refused. Pure; knows no sockets and no time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "flintgauge/push.h"

namespace flintgauge {

/// One answer with a reason, after which the connection ends.
struct PushAnswer {
  int status = 0;
  std::string text;  ///< one line for people
};

/// The bytes of an answer. Statuses that are not of this listener are 500.
std::string http_answer(const PushAnswer& answer);

class PushRequest {
 public:
  static constexpr std::size_t kMaxHead = 16UL * 1024;  ///< request line and headers
  static constexpr std::size_t kMaxHeaders = 64;

  enum class State : std::uint8_t {
    kHead,  ///< wants more
    kBody,  ///< the head is whole and good: path, action and length are known
    kFault  ///< fault() is to be answered
  };

  /// Takes bytes of the head off `bytes`; what is left belongs to the body.
  State feed(std::string_view& bytes);

  const PushAnswer& fault() const { return fault_; }

  PushAction action() const { return action_; }
  std::string_view path() const { return path_; }
  std::size_t length() const { return length_; }  ///< of the body, at most kMaxPushBody
  bool wants_continue() const { return wants_continue_; }

 private:
  State fail(int status, std::string text);
  State read_head();
  bool read_request_line(std::string_view line);
  bool read_header(std::string_view line);
  bool read_length(std::string_view value);
  bool read_coding(std::string_view name, std::string_view value);
  bool refuse(int status, std::string text);

  std::string head_;
  State state_ = State::kHead;
  PushAnswer fault_;
  PushAction action_ = PushAction::kMerge;
  std::string path_;
  std::size_t length_ = 0;
  bool has_length_ = false;
  bool wants_continue_ = false;
};

}  // namespace flintgauge
