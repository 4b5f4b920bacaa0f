#!/usr/bin/env python3
"""Measures what looking at rows (docs/activity.md) and checking them (docs/guarantees.md) cost a server as a whole, with
nothing but Python:

    tests/docs/server_costs.py build/release/server/relud build/release/client/reluctl

Servers that differ in one setting are called in turn, and the CPU time of each process is read before and after. Prints
the medians by call, and beside them those of two servers that do not differ: what is smaller cannot be told.
"""
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

RELUD, RELUCTL = sys.argv[1:]
MODEL = pathlib.Path("deploy/models/digits_mlp")
CALLS, ROUNDS = 10000, 9
DOMAIN = ('parameters { key: "input_domain.input" value { string_value: "[-1e6, 1e6]" } }\n'
          'parameters { key: "domain_policy" value { string_value: "flag" } }\n')
OFF = "--activity-sample-every=0"
SERVERS = {"nothing": (OFF, ""), "nothing, another server": (OFF, ""), "a domain for each element": (OFF, DOMAIN),
           "rows looked at, at the chosen rate": ("--activity-sample-every=-1", ""),
           "every row looked at": ("--activity-sample-every=1", "")}


class Server:
    def __init__(self, folder, flag, config):
        shutil.copytree(MODEL, folder / "digits_mlp")
        if config:
            (folder / "digits_mlp" / "config.pbtxt").write_text(config)
        self.process = subprocess.Popen(
            [RELUD, f"--model-repository={folder}", "--grpc-address=127.0.0.1", "--grpc-port=0", "--allow-http=false",
             "--metrics-port=0", "--lame-duck=0", flag], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if ready := re.search(r"gRPC on ([0-9.]+:\d+)", line):
                self.address = ready[1]
                return
        sys.exit("relud does not get ready")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def call(self):
        """The CPU time of a call, in microseconds."""
        before = self.cpu_seconds()
        subprocess.run([RELUCTL, "load", "digits_mlp", "--server", self.address, "--concurrency=16", f"--count={CALLS}",
                        "--warmup=0", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        return (self.cpu_seconds() - before) / CALLS * 1e6


with tempfile.TemporaryDirectory() as folder:
    servers = {name: Server(pathlib.Path(folder) / str(i), *settings)
               for i, (name, settings) in enumerate(SERVERS.items())}
    took = {name: [] for name in servers}
    for _ in range(ROUNDS):
        for name, server in servers.items():
            took[name].append(server.call())
    for server in servers.values():
        server.process.kill()
        server.process.wait()
for name, times in took.items():
    ratios = [time / plain for time, plain in zip(times, took["nothing"])]
    print(f"{name}: {statistics.median(times):.2f} us of CPU a call, {statistics.median(ratios):.3f} times that of nothing "
          f"({min(ratios):.2f} to {max(ratios):.2f})")
