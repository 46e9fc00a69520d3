// The sideways hint as JSON: how executors of an application fit on this node. Private to the JSON API.
#pragma once

#include <array>
#include <string_view>

#include "agent/io/json_object.h"
#include "flintgauge/evaluate.h"

namespace flintgauge {

/// What no kubelet tells: only a hub with the API server's nodes, pods and quotas knows it.
inline constexpr auto kUnknownOnANode = std::to_array<std::string_view>(
    {"allocatable", "podLimit", "taints", "affinity", "otherNodes", "pools", "quota", "volumes"});

void write_sideways(json::Object& object, json::Writer& writer, const AppSideways& one);

}  // namespace flintgauge
