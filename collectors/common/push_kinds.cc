#include "collectors/common/push_kinds.h"

#include <utility>

namespace flintgauge {

std::unique_ptr<PushDecoder> make_push_decoder(PushProtocol protocol, PushSender sender) {
  return protocol == PushProtocol::kGraphite ? make_push_graphite(std::move(sender))
                                             : make_push_statsd(std::move(sender));
}

}  // namespace flintgauge
