#include "agent/io/app_page_capacity.h"

#include <algorithm>
#include <string_view>

#include "agent/io/html.h"
#include "agent/io/page_parts.h"
#include "agent/io/sideways_json.h"

namespace flintgauge::html {
namespace {

void append_quota_inputs(const QuotaPressureInput& in, std::string& out) {
  begin_table("Input", "Value", "What it is", out);
  append_row("E", text(in.executors), "executors registered with the driver", out);
  append_row("X", text(in.executor_pods), "executor pods, pending ones included", out);
  append_row("target", text(in.target), "what dynamic allocation asks for; a dash: not told", out);
  append_row("to add", text(in.to_add), "its next step", out);
  append_row("max needed", text(in.max_needed), "executors that it has tasks for", out);
  append_row("max", text(in.max_executors), "spark.dynamicAllocation.maxExecutors", out);
  append_row("short for", text(in.shortfall_seconds) + " s", "the target has been above E", out);
  append_row("pending", text(in.pending_pods), "executor pods of it that start on this node", out);
  append_row("S", text(in.startup_seconds) + " s", "start-up of an executor", out);
  append_row("H", text(in.headroom), "room in the quota, in executors; a dash: a node knows none", out);
  out += "</tbody></table>";
}

void append_quota_steps(const AppQuota& one, std::string& out) {
  const QuotaPressureInput& in = one.input;
  out += "<ol class=\"steps\"><li>next target = min(max(target, E) + to add, max needed, max) = <b>" +
         text(one.advice.next_target) + "</b></li>";
  out += "<li>missing = next target - pods = " + text(one.advice.next_target) + " - " +
         text(std::max(in.executor_pods, in.executors)) + " = <b>" +
         text(one.advice.next_target - std::max(in.executor_pods, in.executors)) + "</b></li>";
  out += "<li>" +
         std::string(in.headroom ? "H is known: starved when H &lt; 1 and target &gt; X, next_step when more "
                                   "are missing than H"
                                 : "H is not known: suspected when the target has been above E for S and no "
                                   "pod is pending, else unknown") +
         ": <b>" + std::string(to_string(one.advice.pressure)) + "</b></li></ol>";
}

std::string_view what_would_change(QuotaPressure pressure) {
  switch (pressure) {
    case QuotaPressure::kNone:
      return "A next step of dynamic allocation that exceeds the room.";
    case QuotaPressure::kUnknown:
      return "The quota itself, which only a hub can know; or a target that stays above the executors.";
    case QuotaPressure::kNextStep:
    case QuotaPressure::kStarved:
      return "Room in the quota, or a lower target.";
    case QuotaPressure::kSuspected:
      return "An executor pod that starts here, or executors that register.";
  }
  return {};
}

std::string amount_of(std::string_view resource, double amount) {
  if (resource == "memory") return bytes_text(amount);
  return text(amount) + (resource == "cpu" ? " cores" : " pods");
}

std::string_view what_would_change(SidewaysCode code) {
  switch (code) {
    case SidewaysCode::kFits:
      return "More pods on this node use the room up.";
    case SidewaysCode::kNoFreeNode:
      return "A pod here that ends, or a smaller executor.";
    case SidewaysCode::kNeverFits:
      return "A smaller executor, as the shape below, or larger nodes.";
    default:
      return "What only a hub can know.";
  }
}

void append_sideways_inputs(const AppSideways& one, std::string& out) {
  begin_table("Input", "Value", "What it is", out);
  const auto both = [](const NodeResources& resources) {
    return text(resources.cpu_cores) + " cores, " + bytes_text(resources.memory_bytes);
  };
  append_row("executor", both(one.executor), "requests of the largest executor here", out);
  append_row("node", both(one.capacity), "its capacity", out);
  append_row("daemonsets", both(one.daemonsets), "requests that every node has", out);
  append_row("requested", both(one.requested), "by all pods here", out);
  out += "</tbody></table>";
}

void append_sideways_steps(const AppSideways& one, std::string& out) {
  const auto step = [&](const std::string& formula, const std::string& value) {
    out += "<li>" + formula + " = <b>" + value + "</b></li>";
  };
  out += "<ol class=\"steps\">";
  step(
      "executors that an empty node like this would hold = min over cpu, memory of floor((node - daemonsets) "
      "/ executor)",
      text(one.packing.executors));
  step("executors that still fit here = the same of (node - requested)", text(one.free_executors));
  step("waste = 1 - executors &middot; executor / (node - daemonsets)",
       percent(one.packing.waste_cpu) + " CPU, " + percent(one.packing.waste_memory) + " memory");
  if (const auto& shape = one.result.shape) {
    step("shape that fills it, " + text(shape->executors_per_node) + " a node, at most",
         text(shape->cores) + " cores, " + bytes_text(shape->memory_bytes) +
             (one.overhead_factor ? ", heap " + bytes_text(shape->heap_bytes) : ", heap not known"));
  }
  out += "</ol>";
}

}  // namespace

void append_quota(const AppQuota* one, std::string& out) {
  if (one == nullptr) return;
  begin_section("Quota", "seen from this node, which knows no quota", out);
  append_quota_inputs(one->input, out);
  append_quota_steps(*one, out);
  const auto& maximum = one->advice.dynamic_allocation_max_executors;
  if (maximum) {
    out += "<p class=\"none\">" + std::string(to_string(one->advice.pressure)) + " (confidence " +
           percent(one->advice.confidence) +
           "): either the namespace's quota refuses the executors that are missing, or no node has room for "
           "them.</p><p class=\"note\">Settings that help: spark.dynamicAllocation.maxExecutors=" +
           text(maximum) + ", spark.executor.maxNumFailures=" + text(one->advice.executor_max_num_failures) +
           "</p>";
  }
  out.append("<p class=\"note\">What would change it: ").append(what_would_change(one->advice.pressure));
  out += "</p></div>";
}

void append_sideways(const AppSideways* one, std::string& out) {
  if (one == nullptr) return;
  begin_section("This node", "upper bounds: capacity is more than what pods may use", out);
  append_sideways_inputs(*one, out);
  append_sideways_steps(*one, out);
  out.append("<p class=\"note\">One more executor here: <b>")
      .append(to_string(one->result.code))
      .append("</b>");
  if (!one->result.resource.empty()) out += ", lacking " + amount_of(one->result.resource, one->result.gap);
  out.append(". What would change it: ").append(what_would_change(one->result.code));
  out += " Not known to a node: ";
  for (const std::string_view name : kUnknownOnANode) {
    if (name != kUnknownOnANode.front()) out += ", ";
    out.append(name);
  }
  out += ".</p></div>";
}

void append_pool(const std::vector<PoolHint>& pools, const AppKey& app, std::string& out) {
  const auto found = std::ranges::find_if(pools, [&](const PoolHint& pool) {
    return pool.cluster.namespace_name == app.namespace_name &&
           std::ranges::find(pool.app_ids, app.app_id) != pool.app_ids.end();
  });
  if (found == pools.end()) return;
  begin_section("Workers of " + escaped(found->cluster.app_id), "of the standalone cluster it runs on", out);
  begin_table("Input", "Value", "What it is", out);
  append_row("workers", text(found->workers), "alive", out);
  append_row("cores", text(found->cores_per_worker), "of a worker, mean of the live ones", out);
  for (std::size_t i = 0; i < found->demands.size(); ++i) {
    const WorkerDemand& demand = found->demands[i];
    append_row(escaped(found->app_ids[i]),
               text(demand.executors) + " &middot; " + text(demand.executor_cores),
               "executors it should have, of a stream the larger of both hints, and cores of each", out);
  }
  const double cores = demand_cores(found->demands);
  out += "</tbody></table><ol class=\"steps\"><li>cores = sum of executors &middot; cores of each = <b>" +
         text(cores) + "</b></li><li>workers = ceil(cores / cores of a worker) = ceil(" + text(cores) +
         " / " + text(found->cores_per_worker) + ") = <b>" + text(found->desired) +
         "</b></li></ol><p class=\"note\">What would change it: Applications that should have more or fewer "
         "executors, or workers of another size.</p></div>";
}

}  // namespace flintgauge::html
