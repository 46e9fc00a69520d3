#include "agent/io/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "agent/io/settings.h"

namespace flintgauge {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// "" when the text is taken, else the message.
std::string fault_of(std::string_view yaml, Config* config = nullptr) {
  Config scratch;
  Origins origins;
  const Status status = read_config_text(yaml, "a.yaml", config != nullptr ? *config : scratch, origins);
  return status ? "" : status.error().message;
}

TEST(ConfigFile, ReadsEveryKindOfSetting) {
  Config config;
  ASSERT_EQ(fault_of("# comment\n"
                     "web:\n  listen_address: '127.0.0.1:0'\n  max_requests: 4\n"
                     "kubelet: {interval: 15s, body_limit: 8MiB, insecure_skip_verify: true}\n"
                     "spark:\n"  // a section may be empty
                     "series:\n  namespace: 100\n"
                     "hints:\n  drain_target: 1m\n  max_executors: 12\n",
                     &config),
            "");
  EXPECT_EQ(config.web.listen_address, "127.0.0.1:0");
  EXPECT_EQ(config.web.max_requests, 4);
  EXPECT_EQ(config.kubelet.interval_ms, 15'000);
  EXPECT_EQ(config.kubelet.body_limit_bytes, 8 * 1024 * 1024);
  EXPECT_TRUE(config.kubelet.insecure_skip_verify);
  EXPECT_EQ(config.series.namespace_, 100U);
  EXPECT_EQ(config.hints.drain_target_seconds, 60);
  EXPECT_EQ(config.hints.max_executors, 12);
  EXPECT_EQ(config.log.level, "info") << "untouched";
}

TEST(ConfigFile, NothingIsFineToo) {
  for (const char* const yaml : {"", "\n", "# only a comment\n", "---\n", "{}\n"})
    EXPECT_EQ(fault_of(yaml), "") << yaml;
}

struct Case {
  const char* yaml;
  const char* message;
};
class ConfigFault : public testing::TestWithParam<Case> {};

TEST_P(ConfigFault, NamesFileLineColumnAndKey) {
  EXPECT_THAT(fault_of(GetParam().yaml), StartsWith(GetParam().message)) << GetParam().yaml;
}
INSTANTIATE_TEST_SUITE_P(
    ConfigFile, ConfigFault,
    testing::Values(
        Case{"web:\n  port: 1\n", "a.yaml:2:3: unknown setting web.port"},
        Case{"kubelet:\n  url: https://a\n  intervall: 5s\n",
             "a.yaml:3:3: unknown setting kubelet.intervall; did you mean kubelet.interval?"},
        Case{"kublet:\n  url: x\n", "a.yaml:1:1: unknown setting kublet; did you mean kubelet?"},
        Case{"kubelet.interval: 5s\n",
             "a.yaml:1:1: kubelet.interval: write it as a key in its section, not with a dot"},
        Case{"kubelet:\n  interval: 5s\n  interval: 6s\n",
             "a.yaml:3:3: kubelet.interval: is already set in line 2"},
        Case{"web: {}\nlog: {}\nweb: {}\n", "a.yaml:3:1: web: is already set in line 1"},
        Case{"kubelet:\n  interval: ten\n",
             "a.yaml:2:13: kubelet.interval: \"ten\" is not a duration: a number and a unit, such as"},
        Case{"kubelet:\n  interval: 10\n", "a.yaml:2:13: kubelet.interval: \"10\" is not a duration"},
        Case{"kubelet:\n  interval: [10s]\n",
             "a.yaml:2:13: kubelet.interval: expected duration, found a list"},
        Case{"kubelet:\n  url: {host: a}\n", "a.yaml:2:8: kubelet.url: expected text, found a map"},
        Case{"kubelet:\n  interval:\n  url: http://a\n",
             "a.yaml:2:3: kubelet.interval: has no value; give one or remove the line"},
        Case{"kubelet: https://a\n",
             "a.yaml:1:10: kubelet: is a section; expected settings in it, found a value"},
        Case{"spark:\n  enabled: yes\n", "a.yaml:2:12: spark.enabled: \"yes\" is not true or false"},
        Case{"series:\n  app: 5.5\n", "a.yaml:2:8: series.app: \"5.5\" is not a whole number"},
        Case{"- a\n- b\n", "a.yaml:1:1: expected sections and settings, found a list"},
        Case{"just text\n", "a.yaml:1:1: expected sections such as \"kubelet:\", found a single value"},
        Case{"log: &x\n  level: info\n", "a.yaml:1:6: anchors are not allowed"},
        Case{"log:\n  level: &x info\n", "a.yaml:2:10: anchors are not allowed"},
        Case{"log: *x\n", "a.yaml:1:6: not YAML: "},
        Case{"<<: {log: {}}\n", "a.yaml:1:1: unknown setting <<"},
        Case{"? [a]\n: b\n", "a.yaml:1:3: expected sections and settings, found a list"},
        Case{"? {a: b}\n: c\n", "a.yaml:1:3: a map as a key"}, Case{"log: {}\n---\nlog: {}\n", "a.yaml:"},
        Case{"log: {level: info\n", "a.yaml:"},
        Case{"log:\n\tlevel: info\n", "a.yaml:2:2: log: is a section; expected settings in it"}));

TEST(ConfigFile, BombsAreRefusedWhereTheyStart) {
  for (const char* const piece : {"[", "{", "- ", "? ", "{a: ", "web: {", "&a [", "!!a "}) {
    std::string bomb;
    while (bomb.size() < 1'000'000) bomb += piece;
    EXPECT_THAT(fault_of(bomb), StartsWith("a.yaml:")) << piece;
  }
  EXPECT_EQ(fault_of(std::string(kConfigFileLimit, '#')), "");
  EXPECT_EQ(fault_of(std::string(kConfigFileLimit + 1, '#')), "a.yaml: larger than 1048576 bytes");
  EXPECT_THAT(fault_of(std::string(1'000, 'k') + "\x1b[31m: 1\n"), StartsWith("a.yaml:"));
}

TEST(ConfigFile, ForeignBytesAreEscapedInMessages) {
  const std::string message = fault_of("\"a\\nb\\e[31m\": 1\n");
  EXPECT_THAT(message, HasSubstr("unknown setting a\\nb\\x1b[31m"));
}

TEST(ConfigFile, MissingFileIsNamed) {
  Config config;
  Origins origins;
  const Status status = read_config_file("/nonexistent/agent.yaml", config, origins);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "/nonexistent/agent.yaml: cannot be read: No such file or directory");
  EXPECT_FALSE(read_config_file("/", config, origins)) << "a directory";
}

TEST(LoadConfig, OverridesWinInOrderAndValuesAreChecked) {
  const std::string path = testing::TempDir() + "load_config." + std::to_string(getpid()) + ".yaml";
  std::ofstream(path) << "kubelet:\n  interval: 20s\n  url: http://127.0.0.1:1\nspark:\n  interval: 7s\n";
  const auto load = [&path](std::vector<std::string> overrides) { return load_config(path, overrides); };
  EXPECT_EQ(load({})->kubelet.interval_ms, 20'000);
  EXPECT_EQ(load({})->hints.hint_max_age_ms, 21'000) << "three Spark intervals";
  EXPECT_EQ(load({"kubelet.interval=1s", "kubelet.interval=2s"})->kubelet.interval_ms, 2'000);
  EXPECT_EQ(load({"node.name=a=b"})->node.name, "a=b");
  EXPECT_EQ(load({"kubelet.intervall=1s"}).error().message,
            "--set kubelet.intervall=1s: unknown setting kubelet.intervall; did you mean kubelet.interval?");
  EXPECT_EQ(load({"nonsense"}).error().message, "--set nonsense: expected KEY=VALUE");
  EXPECT_THAT(load({"kubelet.interval=1"}).error().message,
              StartsWith("--set kubelet.interval=1: kubelet.interval: \"1\" is not a duration"));
  EXPECT_EQ(load({"kubelet.interval=1ms"}).error().message,
            "--set: kubelet.interval: must be from 100ms to 1h");
  std::ofstream(path) << "hints:\n  min_executors: 0\n  max_executors: -1\n";
  EXPECT_EQ(load({}).error().message, path + ":3:18: hints.max_executors: must be from 1 to 100000");
  EXPECT_EQ(load_config("", std::vector<std::string>{"series.node=3"}).error().message,
            "configuration: series.namespace: must be at least 1 and not above series.node");
}

/// Values that read well and make no sense.
class LoadFault : public testing::TestWithParam<Case> {};

TEST_P(LoadFault, NamesFileLineColumnAndKey) {
  const std::string path = testing::TempDir() + "load_fault." + std::to_string(getpid()) + ".yaml";
  std::ofstream(path) << GetParam().yaml;
  const auto loaded = load_config(path, {});
  ASSERT_FALSE(loaded) << GetParam().yaml;
  EXPECT_THAT(loaded.error().message, StartsWith(path + GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    ConfigFile, LoadFault,
    testing::Values(Case{"kubelet:\n  server_name: a b\n", ":2:16: kubelet.server_name: must be a host name"},
                    Case{"kubelet:\n  server_name: \"node_1\"\n", ":2:16: kubelet.server_name: must be"},
                    Case{"kubelet:\n  url: node:10250\n", ":2:8: kubelet.url: must be http://HOST:PORT"},
                    Case{"targets:\n  disabled_collectors: spark_stages,nonsense\n",
                         ":2:24: targets.disabled_collectors: no collector \"nonsense\"; there are: "},
                    Case{"targets:\n  disabled_collectors: kubelet_pods\n",
                         ":2:24: targets.disabled_collectors: kubelet_pods cannot be left out"}));

TEST(ExpandVariables, ReplacesOrNamesTheVariable) {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOST_IP") return "10.0.0.7";
    if (name == "SIX") return "fd00::7";
    if (name == "EMPTY") return "";
    return std::nullopt;
  };
  const auto expanded = [&](const std::string& url) {
    Config config;
    config.node.name = "n";
    config.kubelet.url = url;
    const Status status = expand_variables(environment, config);
    return status ? config.kubelet.url : status.error().message;
  };
  EXPECT_EQ(expanded("https://$HOST_IP:10250"), "https://10.0.0.7:10250");
  EXPECT_EQ(expanded("https://${HOST_IP}:10250"), "https://10.0.0.7:10250");
  EXPECT_EQ(expanded("https://$SIX:10250"), "https://[fd00::7]:10250");
  EXPECT_EQ(expanded("https://$NODE_IP:10250"),
            "kubelet.url: the environment variable NODE_IP is not set (value \"https://$NODE_IP:10250\"); "
            "set it, or "
            "give kubelet.url a value without it");
  EXPECT_THAT(expanded("https://$EMPTY"), HasSubstr("variable EMPTY is not set"));
  for (const char* const url : {"https://$:1", "https://${HOST_IP", "https://${}", "https://a$"})
    EXPECT_THAT(expanded(url), HasSubstr("starts no variable")) << url;
  Config config;
  EXPECT_THAT(expand_variables(environment, config).error().message,
              StartsWith("node.name: the environment variable NODE_NAME is not set"));
}

TEST(ConfigYaml, ReadsBackAsTheSameConfiguration) {
  Config config;
  const std::vector<std::string> texts = {
      "plain",       "null", "~",   "true",      "5",        "[::]:1",   "a: b", "# x",
      "*alias",      "&a",   "'q'", "\"dq\" \\", "$HOST_IP", " spaces ", "",     "10s",
      "caf\xc3\xa9", "a\nb", "- x", "%tag",      "@at",      "`tick"};
  for (const std::string& text : texts) {
    config.node.name = text;
    config.kubelet.token_file = text;
    config.kubelet.interval_ms = 1'234;
    config.hints.startup_seconds = 0.25;
    Config again;
    ASSERT_EQ(fault_of(config_yaml(config), &again), "") << config_yaml(config);
    for (const Setting& setting : settings())
      EXPECT_EQ(value_text(setting, again), value_text(setting, config)) << setting.key;
  }
}

}  // namespace
}  // namespace flintgauge
