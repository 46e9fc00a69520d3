#include "flintgauge/quota.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace flintgauge {
namespace {

constexpr double kGi = 1024.0 * 1024 * 1024;

QuotaResource resource(const char* name, const char* hard, const char* used) {
  const Result<QuotaResource> parsed = parse_quota_resource(name, hard, used);
  EXPECT_TRUE(parsed) << name;
  return parsed.value_or(QuotaResource{});
}

Quota quota(std::string name, std::vector<QuotaResource> resources) {
  Quota out;
  out.name = std::move(name);
  out.resources = std::move(resources);
  return out;
}

/// One core, two GiB, no CPU limit: what Spark makes unless it is told otherwise.
PodShape executor() {
  PodShape pod;
  pod.cpu_request_cores = 1;
  pod.memory_request_bytes = pod.memory_limit_bytes = 2 * kGi;
  return pod;
}

TEST(Quota, ReadsQuantitiesInBaseUnits) {
  const QuotaResource cpu = resource("requests.cpu", "1500m", "0.5");
  EXPECT_EQ(cpu.hard, 1.5);
  EXPECT_EQ(cpu.used, 0.5);
  EXPECT_EQ(resource("limits.memory", "8Gi", "512Mi").hard, 8 * kGi);
  EXPECT_EQ(resource("pods", "20", "3").used, 3);
  EXPECT_FALSE(parse_quota_resource("pods", "many", "1"));
  EXPECT_FALSE(parse_quota_resource("pods", "1", ""));
}

TEST(Quota, EveryQuotaBindsAndTheTightestResourceIsNamed) {
  const NamespaceQuotas team{"team-a",
                             {quota("compute", {resource("requests.cpu", "10", "4"),            // room for 6
                                                resource("requests.memory", "32Gi", "16Gi")}),  // 8
                              quota("objects", {resource("pods", "9", "5")})}};                 // 4
  const QuotaRoom room = quota_room(team, executor());
  EXPECT_EQ(room.headroom_executors, 4);
  EXPECT_EQ(room.quota, "objects");
  EXPECT_EQ(room.resource, "pods");
  EXPECT_DOUBLE_EQ(room.used_ratio, 5.0 / 9);
  EXPECT_TRUE(room.must_specify.empty());
}

TEST(Quota, NeverBelowZeroAndAbsentWithoutAQuota) {
  const NamespaceQuotas over{"a", {quota("q", {resource("requests.cpu", "4", "6")})}};
  EXPECT_EQ(quota_room(over, executor()).headroom_executors, 0);
  EXPECT_FALSE(quota_room(NamespaceQuotas{"a", {}}, executor()).headroom_executors);
  const NamespaceQuotas others{"a", {quota("q", {resource("count/secrets", "4", "4")})}};
  EXPECT_FALSE(quota_room(others, executor()).headroom_executors);
}

TEST(Quota, RoundingDoesNotCostAnExecutor) {
  PodShape small = executor();
  small.cpu_request_cores = 0.1;
  const NamespaceQuotas team{"a", {quota("q", {resource("cpu", "1", "700m")})}};
  EXPECT_EQ(quota_room(team, small).headroom_executors, 3);
}

// kubeflow/spark-operator#810: "must specify limits.cpu".
TEST(Quota, OnLimitsRefusesAPodWithoutALimit) {
  const NamespaceQuotas team{"a",
                             {quota("q", {resource("limits.cpu", "100", "0"), resource("pods", "9", "0")})}};
  const QuotaRoom room = quota_room(team, executor());
  EXPECT_TRUE(room.requires_limits);
  EXPECT_EQ(room.must_specify, (std::vector<std::string_view>{"limits.cpu"}));
  EXPECT_EQ(room.headroom_executors, 0);
  PodShape limited = executor();
  limited.cpu_limit_cores = 2;
  EXPECT_EQ(quota_room(team, limited).headroom_executors, 9);
}

TEST(Quota, ScopesBindOnlyThePodsTheyName) {
  Quota none = quota("q", {resource("pods", "5", "5")});
  const auto binds = [&](auto set) {
    Quota scoped = none;
    set(scoped.scopes);
    PodShape pod = executor();
    pod.priority_class = "batch";
    return quota_room({"a", {scoped}}, pod).headroom_executors.has_value();
  };
  EXPECT_TRUE(binds([](QuotaScopes&) {}));
  EXPECT_FALSE(binds([](QuotaScopes& s) { s.best_effort = true; }));
  EXPECT_TRUE(binds([](QuotaScopes& s) { s.not_best_effort = true; }));
  EXPECT_FALSE(binds([](QuotaScopes& s) { s.terminating = true; }));
  EXPECT_TRUE(binds([](QuotaScopes& s) { s.not_terminating = true; }));
  EXPECT_TRUE(binds([](QuotaScopes& s) { s.priority_class = true; }));
  EXPECT_FALSE(binds([](QuotaScopes& s) {
    s.priority_class = true;
    s.priority_classes = {"urgent"};
  }));
}

TEST(QuotaView, FindsANamespace) {
  const QuotaView view{{{"a", {}}, {"c", {}}}};
  EXPECT_NE(view.find("a"), nullptr);
  EXPECT_EQ(view.find("b"), nullptr);
}

/// real-parts.md: target 8, needs 363, 2 registered, no pending pod.
QuotaPressureInput measured() {
  QuotaPressureInput in;
  in.executors = in.executor_pods = 2;
  in.target = 8;
  in.to_add = 4;
  in.max_needed = 363;
  in.max_executors = 8;
  in.shortfall_seconds = 40;
  in.pending_pods = 0;
  return in;
}

TEST(QuotaAdvice, StarvedByItsFigures) {
  QuotaPressureInput in = measured();
  in.headroom = 0;
  const QuotaAdvice advice = quota_advice(in);
  EXPECT_EQ(to_string(advice.pressure), "starved");
  EXPECT_EQ(advice.confidence, 1);
  EXPECT_EQ(advice.dynamic_allocation_max_executors, 2);
  EXPECT_EQ(advice.executor_max_num_failures, 1e6);
}

TEST(QuotaAdvice, SuspectedBySignsOnly) {
  QuotaPressureInput in = measured();
  EXPECT_EQ(to_string(quota_advice(in).pressure), "suspected");
  EXPECT_EQ(quota_advice(in).confidence, 0.5);
  in.pending_pods = 1;
  EXPECT_EQ(to_string(quota_advice(in).pressure), "unknown") << "a pod that starts explains it";
  in.pending_pods = std::nullopt;
  EXPECT_EQ(to_string(quota_advice(in).pressure), "unknown");
  in = measured();
  in.shortfall_seconds = 29;
  EXPECT_EQ(to_string(quota_advice(in).pressure), "unknown") << "they may still come";
}

// Spark 4.3 ends the application seconds after the quota is full: the word must come before.
TEST(QuotaAdvice, WarnsBeforeTheNextStepExceedsTheRoom) {
  QuotaPressureInput in = measured();
  in.executors = in.executor_pods = 4;
  in.target = 4;
  in.to_add = 4;
  in.shortfall_seconds = 0;
  in.max_executors.reset();
  in.headroom = 3;
  QuotaAdvice advice = quota_advice(in);
  EXPECT_EQ(advice.next_target, 8);
  EXPECT_EQ(to_string(advice.pressure), "next_step");
  EXPECT_EQ(advice.dynamic_allocation_max_executors, 7);
  in.headroom = 4;
  EXPECT_EQ(to_string(quota_advice(in).pressure), "none");
  in.headroom = 3;
  in.max_needed = 7;
  EXPECT_EQ(to_string(quota_advice(in).pressure), "none") << "there are no tasks for more";
  in.max_needed = 363;
  in.max_executors = 7;
  EXPECT_EQ(to_string(quota_advice(in).pressure), "none") << "its maximum is lower";
}

TEST(QuotaAdvice, NothingIsKnownWithoutDynamicAllocation) {
  QuotaPressureInput in;
  in.executors = in.executor_pods = 3;
  EXPECT_EQ(to_string(quota_advice(in).pressure), "unknown");
  in.headroom = 0;
  EXPECT_EQ(to_string(quota_advice(in).pressure), "none") << "nobody wants more";
}

TEST(Lendable, TheVectorOfTheReference) {
  EXPECT_DOUBLE_EQ(lendable(100, 40, 50, 10), 35);
  EXPECT_DOUBLE_EQ(lendable(100, 60, 50, 10), 24);
  EXPECT_EQ(lendable(100, 99, 50, 0), 0);
}

TEST(ShareQuota, LendsByWeightToThoseWhoLack) {
  const std::vector<Tenant> tenants = {{.hard = 100, .used = 40, .used_p95 = 50, .reserve = 10},
                                       {.hard = 50, .used = 50, .limit = 100, .weight = 3, .unmet = 40},
                                       {.hard = 50, .used = 50, .limit = 5, .weight = 1, .unmet = 40},
                                       {.hard = 10, .used = 9, .limit = 100, .weight = 9}};
  const std::vector<TenantShare> shares = share_quota(tenants);
  EXPECT_DOUBLE_EQ(shares[0].lendable, 35);
  EXPECT_DOUBLE_EQ(shares[1].borrowable, 26.25 + 0.1 * 0.75);  // 10 - 9 * 1.1 = 0.1 from the fourth
  EXPECT_DOUBLE_EQ(shares[2].borrowable, 5);
  EXPECT_EQ(shares[3].borrowable, 0) << "lacks nothing";
  double sum = 0;
  for (const TenantShare& share : shares) sum += share.suggested_hard;
  EXPECT_NEAR(sum, 210, 1e-9);
}

TEST(ShareQuota, ReclaimsWhenALenderLacks) {
  std::vector<Tenant> tenants = {{.hard = 100, .used = 60}, {.hard = 50, .used = 80}};
  EXPECT_FALSE(share_quota(tenants)[1].reclaim);
  tenants[0].unmet = 10;
  EXPECT_TRUE(share_quota(tenants)[1].reclaim);
  EXPECT_FALSE(share_quota(tenants)[0].reclaim) << "it is within its own";
  tenants[1].used = 50;
  EXPECT_FALSE(share_quota(tenants)[1].reclaim);
}

TEST(ShareQuota, NeverLendsMoreThanThereIs) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> amount(0, 100);
  for (int round = 0; round < 500; ++round) {
    std::vector<Tenant> tenants(1 + random() % 6);
    double hard = 0;
    for (Tenant& tenant : tenants) {
      tenant = {amount(random),
                amount(random),
                amount(random),
                amount(random) / 10,
                amount(random),
                amount(random),
                random() % 2 == 0 ? amount(random) : 0};
      hard += tenant.hard;
    }
    double pool = 0;
    double borrowable = 0;
    double suggested = 0;
    for (const TenantShare& share : share_quota(tenants)) {
      pool += share.lendable;
      borrowable += share.borrowable;
      suggested += share.suggested_hard;
      EXPECT_GE(share.lendable, 0);
      EXPECT_GE(share.suggested_hard, 0);
    }
    EXPECT_LE(borrowable, pool + 1e-9);
    EXPECT_NEAR(suggested, hard, 1e-9);
  }
}

// More quota never means fewer executors.
TEST(Quota, RoomGrowsWithTheQuota) {
  for (int hard = 0; hard < 40; ++hard) {
    const auto room = [](int cores) {
      const std::string text = std::to_string(cores);
      return *quota_room({"a", {quota("q", {resource("cpu", text.c_str(), "3")})}}, executor())
                  .headroom_executors;
    };
    EXPECT_LE(room(hard), room(hard + 1));
  }
}

}  // namespace
}  // namespace flintgauge
