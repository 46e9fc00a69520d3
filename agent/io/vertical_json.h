// The vertical hint as JSON: what an executor should have, what it has, and why. Private to hints_json.
#pragma once

#include "agent/io/json_object.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {

/// `since`: seconds since the evaluation; `explain`: inputs and terms too.
void write_vertical(json::Object& object, json::Writer& writer, const AppVerticalHint& one, double since,
                    bool explain);

}  // namespace flintgauge
