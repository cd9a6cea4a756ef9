"""Compares the engine's ratios with the recorded ones: check.py RESEAL RECORDED.json [--record]

Only ratios are compared, each of the engine to a C loop measured in the same run, so that another machine or a busy one
makes little difference. Fails when one is below what was recorded by more than the tolerance, or when anything is
allocated per record.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


def measure(reseal: Path) -> dict[str, dict]:
    counter = reseal.parent / "libAllocationCounter.so"
    output = subprocess.run(
        [reseal, "bench", "engine", "--json", "--lanes", "1", "--shape", "500B", "2KB"], stdout=subprocess.PIPE, check=True,
        text=True, env={**os.environ, "LD_PRELOAD": str(counter)}).stdout
    results = [json.loads(line) for line in output.splitlines()]
    return {f"{result['format']}/{result['shape']}/{result['work']}": result for result in results}


def main(reseal: Path, recorded: Path, records: bool):
    results = measure(reseal)
    if records:
        ratios = {name: result["ratio"] for name, result in results.items()}
        recorded.write_text(json.dumps({"tolerance": 0.2, "ratios": ratios}, indent=2) + "\n")
        return
    known = json.loads(recorded.read_text())
    failures = 0
    for name, result in results.items():
        least = known["ratios"].get(name, 0) * (1 - known["tolerance"])
        # A copy is so fast that the machine's mood decides the ratio; passing records on is checked for allocations only.
        slow = result["ratio"] < least and result["work"] != "pass"
        allocates = result.get("allocationsPerRecord", 0) > 0
        failures += slow or allocates
        print(f"{name:24} ratio {result['ratio']:6.3f}, at least {least:6.3f}"
              + (" TOO SLOW" if slow else "") + (" ALLOCATES" if allocates else ""))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]), "--record" in sys.argv)
