#!/usr/bin/env python3
"""How the program starts and ends: usage lifecycle_test.py FLINTGAUGE [--sanitized]

SIGTERM at random moments, also with servers that hang: exit 0 within 5 s. A port that is taken, a configuration that is wrong:
exit 1 with a message that says what and where.
"""
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # no cache beside the sources
from processes import TOOLS, Processes, free_port, get

SETTINGS = {"kubelet.interval": "200ms", "spark.interval": "200ms", "targets.allow_loopback": "true", "node.name": "node-1",
            "kubelet.token_file": "", "web.listen_address": "127.0.0.1:0"}


def expect(condition, message):
    if not condition:
        raise SystemExit(f"FAILED: {message}")


def command(program, **overrides):
    settings = SETTINGS | {key.replace("__", "."): text for key, text in overrides.items()}
    return [program, "node"] + [part for key, text in settings.items() for part in ("--set", f"{key}={text}")]


def check_sigterm(processes, program, folder, rounds):
    data = folder / "node"
    subprocess.run([TOOLS / "gen_node", "--out", data, "--pods", "12", "--apps", "2", "--quiet", "--pod-net",
                    f"127.{200 + os.getpid() % 40}"],
                   check=True)
    port = free_port()
    node = processes.start("serve_node", TOOLS / "serve_node", data, "--now", "--port", port, "--at-pod-ips", "--stall", "60",
                           "--fault", "stall:3", "--fault", "slow:5")
    processes.wait_for(node, "never served", lambda: get(f"http://127.0.0.1:{port}/-/stats"))
    dice = random.Random(7)
    slowest = 0
    for number in range(rounds):
        agent = processes.start(f"agent-{number}", *command(program, kubelet__url=f"http://127.0.0.1:{port}"))
        time.sleep(dice.uniform(0, 1) ** 2 * 3)  # early moments more often: they are the delicate ones
        agent.send_signal(signal.SIGINT if number % 4 == 3 else signal.SIGTERM)
        began = time.monotonic()
        try:
            code = agent.wait(5)
        except subprocess.TimeoutExpired:
            raise SystemExit(f"FAILED: still there 5 s after SIGTERM\n{agent.log.read_text()}") from None
        slowest = max(slowest, time.monotonic() - began)
        # Before the program blocks the signal, it ends as any program does.
        expect(code == 0 or (code == -agent_signal(number) and not agent.log.read_text()),
               f"round {number}: exit code {code}\n{agent.log.read_text()}")
    print(f"{rounds} times SIGTERM or SIGINT, slowest end {slowest:.2f} s")


def check_sigterm_before_serving(program, folder):
    """The signal is there before the program is: it waits, blocked, through exec. The kubelet takes the connection and never answers."""
    def die_early():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        os.kill(os.getpid(), signal.SIGTERM)
    log = folder / "early.log"
    with socket.socket() as kubelet, log.open("w") as out:
        kubelet.bind(("127.0.0.1", 0))
        kubelet.listen()
        url = f"http://127.0.0.1:{kubelet.getsockname()[1]}"
        agent = subprocess.Popen([str(part) for part in command(program, kubelet__url=url)], stdout=out, stderr=subprocess.STDOUT,
                                 preexec_fn=die_early)
        try:
            code = agent.wait(5)
        except subprocess.TimeoutExpired:
            agent.kill()
            agent.wait()
            raise SystemExit(f"FAILED: SIGTERM before serving was lost\n{log.read_text()}") from None
    said = log.read_text()
    expect(code == 0, f"SIGTERM before serving: exit code {code}\n{said}")
    expect("msg=stopping signal=SIGTERM" in said, f"SIGTERM before serving: no word of it\n{said}")
    print("SIGTERM before serving:", said.strip().splitlines()[-1])


def check_sigterm_while_the_kubelet_hangs(processes, program):
    with socket.socket() as kubelet:
        kubelet.bind(("127.0.0.1", 0))
        kubelet.listen()
        kubelet.settimeout(20)
        agent = processes.start("hanging", *command(program, kubelet__url=f"http://127.0.0.1:{kubelet.getsockname()[1]}"))
        with kubelet.accept()[0]:  # now the agent waits for an answer
            agent.send_signal(signal.SIGTERM)
            try:
                code = agent.wait(5)
            except subprocess.TimeoutExpired:
                raise SystemExit(f"FAILED: a kubelet that hangs holds the end up\n{agent.log.read_text()}") from None
    said = agent.log.read_text()
    expect(code == 0 and "msg=stopping signal=SIGTERM" in said, f"SIGTERM while the kubelet hangs: exit code {code}\n{said}")
    print("SIGTERM while the kubelet hangs: exit code 0")


def agent_signal(number):
    return signal.SIGINT if number % 4 == 3 else signal.SIGTERM


def refused(command_line):
    done = subprocess.run([str(part) for part in command_line], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def check_port_in_use(program):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = refused(command(program, web__listen_address=address, kubelet__url="http://127.0.0.1:1"))
    expect(code == 1, f"port in use: exit code {code}, {said}")
    expect(address in said and "in use" in said, f"port in use: {said}")
    print("port in use:", said.strip().splitlines()[-1])


def check_wrong_configuration(program, folder):
    cases = [
        ("kubelet:\n  interval: 10s\n  intervall: 5s\n", ["3", "intervall", "interval"]),
        ("kubelet:\n  interval: soon\n", ["2", "kubelet.interval"]),
        ("spark:\n  interval: 10s\nspark:\n  enabled: true\n", ["3", "spark"]),
        ("web: [1, 2]\n", ["1", "web"]), ("web:\n  listen_address: \"x\n", ["2"]),
    ]
    file = folder / "wrong.yaml"
    for text, words in cases:
        file.write_text(text)
        for verb in (["node", "--config", file], ["check-config", file]):
            code, said = refused([program, *verb])
            expect(code == 1, f"{text!r}: {verb[0]}: exit code {code}, {said}")
            expect(all(word in said for word in [f"{file}:{words[0]}", *words[1:]]), f"{text!r}: {verb[0]}: {said}")
    code, said = refused(command(program, kubelet__interval="0s", kubelet__url="http://127.0.0.1:1"))
    expect(code == 1 and "kubelet.interval" in said, f"interval of 0: {code}, {said}")
    code, said = refused([program, "node", "--config", folder / "absent.yaml"])
    expect(code == 1 and "absent.yaml" in said, f"absent file: {code}, {said}")
    code, said = refused([program, "nood"])
    expect(code == 2, f"unknown command: {code}, {said}")
    print("wrong configurations are refused by file, line and key")


def main():
    program, rounds = pathlib.Path(sys.argv[1]), 20
    with tempfile.TemporaryDirectory(prefix="flintgauge-lifecycle-") as name, Processes(name) as processes:
        folder = pathlib.Path(name)
        check_port_in_use(program)
        check_wrong_configuration(program, folder)
        check_sigterm_before_serving(program, folder)
        check_sigterm_while_the_kubelet_hangs(processes, program)
        check_sigterm(processes, program, folder, rounds)


if __name__ == "__main__":
    main()
