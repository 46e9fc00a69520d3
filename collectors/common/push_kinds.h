// The decoders of the push protocols, one in each collectors/push_NAME.cc.
#pragma once

#include <memory>

#include "flintgauge/push.h"

namespace flintgauge {

std::unique_ptr<PushDecoder> make_push_graphite(PushSender sender);
std::unique_ptr<PushDecoder> make_push_statsd(PushSender sender);

}  // namespace flintgauge
