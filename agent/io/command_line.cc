#include "agent/io/command_line.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "agent/io/settings.h"

namespace flintgauge {
namespace {

constexpr int kUsageError = 2;

constexpr const char* kDescription =
    "Metrics and autoscaling hints for Apache Spark on Kubernetes.\n\n"
    "Runs on every node, asks the node's kubelet and the Spark drivers on it, and serves what it\n"
    "finds: /metrics for Prometheus, /api/v1/... as JSON, and a page for people at /.\n";

constexpr const char* kFooter =
    "\nExamples:\n"
    "  flintgauge demo                                     try it: nothing else is needed\n"
    "  flintgauge node --config /etc/flintgauge/flintgauge.yaml\n"
    "  flintgauge once --set kubelet.url=http://127.0.0.1:8001 --set node.name=here\n"
    "  flintgauge print-config | less                      every setting and what is in force\n\n"
    "Exit codes: 0 good, 1 configuration or runtime error, 2 wrong usage.\n";

std::string version_text(const BuildInfo& build) {
  return "flintgauge, version " + build.version + "\n  revision: " + build.revision +
         "\n  compiler: " + build.compiler;
}

/// All commands and options, bound to `line`.
class Parser {
 public:
  Parser(const BuildInfo& build, CommandLine& line) : app_(kDescription, "flintgauge"), line_(line) {
    app_.set_version_flag("--version", version_text(build));
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.require_subcommand(1);
    app_.footer(kFooter);
    app_.get_formatter()->column_width(36);
    add_node();
    add_demo();
    add_once();
    add_config_commands();
    add_completion();
  }
  CLI::App& app() { return app_; }

 private:
  CLI::App* add(Command command, const char* name, const char* help) {
    CLI::App* const sub = app_.add_subcommand(name, help);
    sub->callback([this, command] { line_.command = command; });
    return sub;
  }
  void add_settings(CLI::App* sub) {
    sub->add_option("--config", line_.config_file, "YAML file with settings")->type_name("FILE");
    sub->add_option("--set", line_.overrides,
                    "A setting by its dotted key; may be repeated, wins over the file")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    sub->footer("\nSettings:\n" + settings_help());
  }
  void add_node() { add_settings(add(Command::kNode, "node", "Run the agent of a node until SIGTERM")); }
  void add_once() {
    add_settings(add(Command::kOnce, "once", "Ask everything once, print the page of /metrics, exit"));
  }
  void add_demo() {
    CLI::App* const sub =
        add(Command::kDemo, "demo", "Run with a simulated node and Spark applications, all in this process");
    sub->add_option("--seconds", line_.demo_seconds, "End by itself after so many seconds")
        ->check(CLI::Range(1, 1'000'000));
    sub->add_option("--listen", line_.demo_listen,
                    "Address to serve on; default 127.0.0.1:14040, or the next free port")
        ->type_name("HOST:PORT");
  }
  void add_config_commands() {
    CLI::App* const check = add(Command::kCheckConfig, "check-config", "Check a configuration file and exit");
    check->add_option("FILE", line_.config_file, "YAML file with settings")->required()->type_name("");
    add_settings(
        add(Command::kPrintConfig, "print-config", "Print the configuration in force as YAML and exit"));
  }
  void add_completion() {
    CLI::App* const sub =
        add(Command::kCompletion, "completion", "Print a completion script for a shell and exit");
    sub->add_option("SHELL", line_.shell, "bash, zsh or fish")
        ->required()
        ->type_name("")
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    sub->footer("\nFor instance: flintgauge completion bash > /etc/bash_completion.d/flintgauge\n");
  }

  CLI::App app_;
  CommandLine& line_;
};

/// Names of the commands, or the long options of one, separated by blanks.
std::string commands_of(const CLI::App& app) {
  std::string out;
  for (const CLI::App* sub : app.get_subcommands({})) out += (out.empty() ? "" : " ") + sub->get_name();
  return out;
}
std::string options_of(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) out += (out.empty() ? "--" : " --") + name;
  }
  return out;
}
std::string keys() {
  std::string out;
  for (const Setting& setting : settings()) out += (out.empty() ? "" : " ") + std::string(setting.key) + '=';
  return out;
}

std::string bash_script(const CLI::App& app) {
  std::string out =
      "# bash completion of flintgauge\n_flintgauge() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  COMPREPLY=()\n  case $previous in\n"
      "    --set) compopt -o nospace; mapfile -t COMPREPLY < <(compgen -W '" +
      keys() +
      "' -- \"$word\"); return ;;\n"
      "    --config|check-config) compopt -o default; return ;;\n"
      "    completion) mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- \"$word\"); return ;;\n"
      "  esac\n  case ${COMP_WORDS[1]} in\n";
  for (const CLI::App* sub : app.get_subcommands({})) {
    out += "    " + sub->get_name() + ") mapfile -t COMPREPLY < <(compgen -W '" + options_of(*sub) +
           "' -- \"$word\") ;;\n";
  }
  return out + "    *) mapfile -t COMPREPLY < <(compgen -W '" + commands_of(app) + " " + options_of(app) +
         "' -- \"$word\") ;;\n  esac\n}\ncomplete -F _flintgauge flintgauge\n";
}

std::string zsh_script(const CLI::App& app) {
  std::string out =
      "#compdef flintgauge\n_flintgauge() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const CLI::App* sub : app.get_subcommands({}))
    out += "      '" + sub->get_name() + ":" + sub->get_description() + "'\n";
  out +=
      "    )\n    _describe command commands\n    return\n  fi\n  case ${words[CURRENT-1]} in\n"
      "    --set) compadd -S '' -- " +
      keys() +
      "; return ;;\n"
      "    --config|check-config) _files; return ;;\n"
      "    completion) compadd bash zsh fish; return ;;\n  esac\n  case ${words[2]} in\n";
  for (const CLI::App* sub : app.get_subcommands({}))
    out += "    " + sub->get_name() + ") compadd -- " + options_of(*sub) + " ;;\n";
  return out + "  esac\n}\n_flintgauge \"$@\"\n";
}

std::string fish_script(const CLI::App& app) {
  const std::string commands = commands_of(app);
  std::string out = "# fish completion of flintgauge\ncomplete -c flintgauge -f\n";
  for (const CLI::App* sub : app.get_subcommands({})) {
    out += "complete -c flintgauge -n 'not __fish_seen_subcommand_from " + commands + "' -a " +
           sub->get_name() + " -d '" + sub->get_description() + "'\n";
    for (const CLI::Option* option : sub->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        out += "complete -c flintgauge -n '__fish_seen_subcommand_from " + sub->get_name() + "' -l " + name;
        if (name == "set") out += " -x -a '" + keys() + "'";
        if (name == "config") out += " -r -F";
        out += " -d '" + option->get_description() + "'\n";
      }
    }
  }
  return out +
         "complete -c flintgauge -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
         "complete -c flintgauge -n '__fish_seen_subcommand_from check-config' -F\n";
}

}  // namespace

tl::expected<CommandLine, int> parse_command_line(int argc, const char* const* argv, const BuildInfo& build) {
  CommandLine line;
  Parser parser(build, line);
  if (argc < 2) {
    std::cerr << parser.app().help();
    return tl::unexpected(kUsageError);
  }
  try {
    parser.app().parse(argc, argv);
    return line;
  } catch (const CLI::ParseError& stopped) {
    const bool is_fault = parser.app().exit(stopped) != 0;  // prints
    return tl::unexpected(is_fault ? kUsageError : 0);
  }
}

std::string completion_script(const std::string& shell) {
  CommandLine line;
  Parser parser({}, line);
  if (shell == "zsh") return zsh_script(parser.app());
  if (shell == "fish") return fish_script(parser.app());
  return bash_script(parser.app());
}

}  // namespace flintgauge
