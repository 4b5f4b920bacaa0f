#!/usr/bin/env python3
"""Counts what telemetry takes of a ModelInfer call: instructions of relud, as
callgrind counts them, which no other load of the machine changes. Those of the
kernel are not counted, so the share of a call's time is smaller. Counted as
telemetry are all counters and histograms, the sampling of activity, the access
log, and every reading of a clock, although deadlines need some of them too.
Runs from the root of the source tree; needs Debian's valgrind.

  telemetry_cost.py RELUD RELUCTL [MODEL] [FLAG of relud...]
"""

import os
import re
import signal
import subprocess
import sys
import tempfile

CALLS = 4000
QUIET = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
TELEMETRY = (
    r'relu::ModelMetrics::Count\w+\(',
    r'relu::ModelActivity::Sample\(',
    r'relu::ModelActivity::ProcessDue\(',
    r'relu::InferExchange::NoteForLog\(',
    r'relu::InferExchange::LogAccess\(',
    r'std::chrono::_V2::(?:steady|system)_clock::now\(',
)


def load(reluctl, address, model, calls):
    subprocess.run([reluctl, '--server', address, 'load', model, '-n', str(calls), '-c', '1', '-q', '--warmup', '0'],
                   check=True, **QUIET)


def instructions(profile):
    """Of the program, and of each function with what it calls."""
    text = subprocess.run(['callgrind_annotate', '--inclusive=yes', '--threshold=100', '--auto=no', profile],
                          check=True, capture_output=True, text=True).stdout
    of = {}
    for count, name in re.findall(r'^ *([\d,]+) \([ \d.]+%\)  (.*)$', text, re.MULTILINE):
        # FILE:FUNCTION [PROGRAM]; inlined functions have a line for each file.
        name = re.sub(r' \[.*\]$', '', name).partition(':')[2] or name
        of[name] = max(of.get(name, 0), int(count.replace(',', '')))
    return of['PROGRAM TOTALS'], of


def measure(relud, reluctl, model, flags):
    with tempfile.TemporaryDirectory() as folder:
        profile = os.path.join(folder, 'profile')
        server = subprocess.Popen(
            ['valgrind', '--tool=callgrind', f'--callgrind-out-file={profile}', relud, '--model-repository=deploy/models',
             '--grpc-port=0', '--allow-http=false', '--metrics-port=0', '--threads=1', '--lame-duck=0', *flags],
            stderr=subprocess.PIPE, text=True)
        try:
            address = next(found[1] for found in (re.search(r'gRPC on (\S+:\d+)', line) for line in server.stderr) if found)
            load(reluctl, address, model, CALLS // 8)
            subprocess.run(['callgrind_control', '-z', str(server.pid)], check=True, **QUIET)
            load(reluctl, address, model, CALLS)
            subprocess.run(['callgrind_control', '-d', str(server.pid)], check=True, **QUIET)
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate()
        return instructions(profile + '.1')


def main():
    relud, reluctl, *rest = sys.argv[1:]
    model, *flags = rest or ['credit_embed']
    total, of = measure(relud, reluctl, model, flags)
    print(f'{model}, {CALLS} calls, one in flight: {total / CALLS:.0f} instructions each')
    telemetry = 0
    for name, count in sorted(of.items(), key=lambda item: -item[1]):
        if any(re.match(pattern, name) for pattern in TELEMETRY):
            telemetry += count
            print(f'{count / CALLS:8.1f}  {100 * count / total:5.2f} %  {name.split("(")[0]}')
    print(f'{telemetry / CALLS:8.1f}  {100 * telemetry / total:5.2f} %  telemetry')


if __name__ == '__main__':
    main()
