// Property: an id is 64 hex digits at the end of the path, before ".scope" at most; a UID has one of its two
// shapes and stands in the path behind "pod"; a cgroup below the path has the same pod and no container.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "flintgauge/identity.h"

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool is_uid(std::string_view uid) {
  if (uid.size() == 32) return uid.find_first_not_of(kHex) == std::string_view::npos;
  if (uid.size() != 36) return false;
  for (std::size_t i = 0; i < uid.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? uid[i] != '-' : kHex.find(uid[i]) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flintgauge;
  const std::string path(reinterpret_cast<const char*>(data), size);
  const CgroupIds ids = parse_cgroup_path(path);
  const std::string id(ids.container_id);
  if (!id.empty()) {
    const std::string_view whole(path);
    if (id.size() != 64 || id.find_first_not_of(kHex) != std::string::npos) std::abort();
    if (!whole.ends_with(id) && !whole.ends_with(id + ".scope")) std::abort();
  }
  if (!ids.pod_uid.empty()) {
    std::string dashed = path;
    std::ranges::replace(dashed, '_', '-');
    if (!is_uid(ids.pod_uid) || dashed.find("pod" + ids.pod_uid) == std::string::npos) std::abort();
  }
  const std::string below = path + "/x";
  const CgroupIds of_below = parse_cgroup_path(below);
  if (!of_below.container_id.empty() || of_below.pod_uid != ids.pod_uid) std::abort();
  return 0;
}
