// A page of the node's own kubelet as a target: the token goes there and nowhere else.
#pragma once

#include <cstdint>
#include <string_view>

#include "flintgauge/collector.h"

namespace flintgauge {

/// Key and collector name are the same: a node has one kubelet. Times of kubelet-cadvisor.md section 9.
Target kubelet_target(const Discovery& discovery, std::string_view collector, std::string_view path,
                      Expect expect, std::int64_t interval_ms, std::int64_t timeout_ms);

}  // namespace flintgauge
