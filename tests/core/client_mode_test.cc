// Drivers without labels, found by the executors that name them their controller.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "flintgauge/identity.h"

namespace flintgauge {
namespace {

Pod pod(const std::string& name, const std::string& uid) {
  Pod made;
  made.namespace_name = "team-a";
  made.name = name;
  made.uid = uid;
  return made;
}

Pod executor_of(const std::string& owner_uid, const std::string& app_id, std::int64_t created_ms = 1'000) {
  Pod made = pod(app_id + "-exec-1", owner_uid + app_id);
  made.labels = {{"spark-app-selector", app_id}, {"spark-exec-id", "1"}, {"spark-role", "executor"}};
  made.owner_kind = "Pod";
  made.owner_uid = owner_uid;
  made.created_at = WallTime{created_ms};
  return made;
}

TEST(ClientModeDriver, IsWhoItsExecutorSays) {
  ClientModeDrivers drivers;
  PodList list{{pod("notebook", "u-1"), executor_of("u-1", "spark-1"), pod("other", "u-2")}};
  drivers.mark(list);
  const PodIdentity who = identify(list.pods[0]);
  EXPECT_EQ(who.app_id, "spark-1");
  EXPECT_EQ(who.role, Role::kDriver);
  EXPECT_EQ(who.job_name, "notebook");
  EXPECT_EQ(who.workload, "spark");
  EXPECT_EQ(identify(list.pods[1]).role, Role::kExecutor);
  EXPECT_EQ(identify(list.pods[2]).app_id, "");
}

TEST(ClientModeDriver, StaysTheToolThatItsLabelsName) {
  ClientModeDrivers drivers;
  Pod notebook = pod("jupyter-alice", "u-1");
  notebook.labels = {{"app.kubernetes.io/name", "jupyterhub"}};
  PodList list{{std::move(notebook), executor_of("u-1", "spark-1")}};
  drivers.mark(list);
  EXPECT_EQ(identify(list.pods[0]).workload, "jupyter");
  EXPECT_EQ(identify(list.pods[0]).app_id, "spark-1");
}

TEST(ClientModeDriver, IsNeverOneOfAnotherNamespaceOrWithALabelOfItsOwn) {
  ClientModeDrivers drivers;
  Pod stranger = executor_of("u-1", "spark-9");
  stranger.namespace_name = "team-b";
  Pod labelled = pod("etl-driver", "u-3");
  labelled.labels = {{"spark-app-selector", "spark-3"}, {"spark-role", "driver"}};
  Pod of_a_job = executor_of("u-4", "spark-4");
  of_a_job.owner_kind = "Job";
  PodList list{{pod("notebook", "u-1"), std::move(stranger), std::move(labelled),
                executor_of("u-3", "spark-8"), pod("job", "u-4"), std::move(of_a_job)}};
  drivers.mark(list);
  EXPECT_EQ(identify(list.pods[0]).app_id, "");
  EXPECT_EQ(identify(list.pods[2]).app_id, "spark-3");
  EXPECT_EQ(identify(list.pods[4]).app_id, "");
}

TEST(ClientModeDriver, OfSeveralSessionsTheYoungestExecutorsCounts) {
  ClientModeDrivers drivers;
  for (const bool swapped : {false, true}) {
    PodList list{
        {pod("notebook", "u-1"), executor_of("u-1", "spark-1", 2'000), executor_of("u-1", "spark-2", 5'000)}};
    if (swapped) std::swap(list.pods[1], list.pods[2]);
    drivers.mark(list);
    EXPECT_EQ(list.pods[0].client_app_id, "spark-2");
  }
}

TEST(ClientModeDriver, IsRememberedWhileItsPodLives) {
  ClientModeDrivers drivers;
  PodList first{{pod("notebook", "u-1"), executor_of("u-1", "spark-1")}};
  drivers.mark(first);
  PodList idle{{pod("notebook", "u-1")}};
  drivers.mark(idle);
  EXPECT_EQ(idle.pods[0].client_app_id, "spark-1");
  PodList gone;
  drivers.mark(gone);
  PodList again{{pod("notebook", "u-1")}};
  drivers.mark(again);
  EXPECT_EQ(again.pods[0].client_app_id, "");
}

}  // namespace
}  // namespace flintgauge
