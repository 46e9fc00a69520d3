#include "agent/io/collector_choice.h"

#include <algorithm>
#include <string>
#include <utility>

#include "agent/io/log.h"

namespace flintgauge {
namespace {

constexpr std::string_view kSetting = "targets.disabled_collectors: ";
constexpr std::string_view kPods = "kubelet_pods";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

std::string names_of(const std::vector<std::unique_ptr<Collector>>& collectors) {
  std::string names;
  for (const auto& collector : collectors) {
    if (collector->name() != kPods) names.append(names.empty() ? "" : ", ").append(collector->name());
  }
  return names;
}

}  // namespace

Result<std::vector<std::unique_ptr<Collector>>> choose_collectors(std::string_view disabled) {
  std::vector<std::unique_ptr<Collector>> collectors = make_collectors();
  const std::string known = names_of(collectors);
  while (!disabled.empty()) {
    const std::size_t comma = std::min(disabled.find(','), disabled.size());
    const std::string_view name = trimmed(disabled.substr(0, comma));
    disabled.remove_prefix(std::min(comma + 1, disabled.size()));
    if (name.empty()) continue;
    if (name == kPods)
      return fail(Reason::kConfig,
                  std::string(kSetting) + "kubelet_pods cannot be left out, it says whose pod is whose");
    if (std::erase_if(collectors, [name](const auto& collector) { return collector->name() == name; }) == 0)
      return fail(Reason::kConfig, std::string(kSetting) + "no collector \"" + log::printable(name) +
                                       "\"; there are: " + known);
  }
  return collectors;
}

}  // namespace flintgauge
