// The part of the store that allocates: once, at start.
#include "flintgauge/store.h"

namespace flintgauge {

Store::Store() : pools_(std::make_unique<std::array<Pool, kShards>>()) {}
Store::~Store() = default;

}  // namespace flintgauge
