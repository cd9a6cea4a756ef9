"""A sandbox, and what both sides do in it: register, produce, consume, run pipelines."""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from confluent_kafka import Producer

from reader import records

SECRET = "interop"


def expect(found, wanted, what: str):
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r:.600}, wanted {wanted!r:.600}")


class Sandbox:
    """`reseal sandbox` in a process of its own."""

    def __init__(self, reseal: str, topics: dict[str, int], options: list[str] = []):
        self.reseal = reseal
        self.partitions = topics
        arguments = [reseal, "sandbox", "--json", "--log-level", "critical", *options]
        for name, partitions in topics.items():
            arguments += ["--topic", f"{name}:{partitions}"]
        self.process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, env={**os.environ, "LOCAL_SECRET": SECRET}, text=True)
        addresses = json.loads(self.process.stdout.readline() or "{}")
        if not addresses:
            raise RuntimeError("the sandbox did not start")
        self.brokers = addresses["bootstrapServers"]
        self.registry = addresses["schemaRegistryUrl"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    # Kafka

    def produce(self, messages: list[dict]):
        """`messages` are keyword arguments of `Producer.produce`."""
        failures = []

        def delivered(error, message):
            if error is not None:
                failures.append(f"{message.topic()}: {error}")

        producer = Producer({"bootstrap.servers": self.brokers})
        for message in messages:
            producer.produce(**message, on_delivery=delivered)
        producer.flush()
        if failures:
            raise RuntimeError("; ".join(failures))

    def consume(self, topics: list[str]) -> dict[str, list]:
        """Everything in these topics, each partition in order."""
        found = {topic: [] for topic in topics}
        for message in records(self.brokers, *topics):
            found[message.topic()].append(message)
        return found

    # Pipelines

    def run(self, pipelines: list[dict], at_once: int = 40) -> dict[str, str]:
        """Runs pipelines side by side, few processes for many; returns what went wrong, by pipeline name."""
        problems: dict[str, str] = {}
        for start in range(0, len(pipelines), at_once):
            problems |= self._run(pipelines[start:start + at_once])
        return problems

    def file(self, folder: str, pipeline: dict) -> str:
        """Writes a pipeline file, with the sandbox's addresses."""
        file = Path(folder) / f"{pipeline['name']}.json"
        file.write_text(json.dumps({
            "kafka": {"bootstrap.servers": self.brokers}, "schemaRegistry": {"url": self.registry},
            "rules": {"rule.executors._default_.param.secret": SECRET}, **pipeline}))
        return str(file)

    def _run(self, pipelines: list[dict]) -> dict[str, str]:
        with tempfile.TemporaryDirectory() as folder:
            files = [self.file(folder, pipeline) for pipeline in pipelines]
            outcome = subprocess.run(
                [self.reseal, "run", "--log-level", "critical", *files], capture_output=True, text=True)
        problems: dict[str, str] = {}
        for line in outcome.stderr.splitlines():
            match = re.match(r"error (\S+?): (.*)", line)
            if match is not None:
                problems.setdefault(Path(match[1]).stem if match[1].endswith(".json") else match[1], match[2])
        if outcome.returncode != 0 and not problems:
            text = f"reseal run ended with {outcome.returncode}: {outcome.stderr[-500:]}"
            problems = {pipeline["name"]: text for pipeline in pipelines}
        return problems

    def job(
        self, pipeline: dict | Path, *options: str, command: str = "run", killed_after: float | None = None,
        **environment: str
    ) -> "JobRun":
        """Runs one pipeline, or the file it stands in, and tells how that ended."""
        surroundings = {
            **os.environ, "KAFKA_BOOTSTRAP_SERVERS": self.brokers, "SCHEMA_REGISTRY_URL": self.registry,
            "LOCAL_SECRET": SECRET, **environment}
        with tempfile.TemporaryDirectory() as folder:
            file = str(pipeline) if isinstance(pipeline, Path) else self.file(folder, pipeline)
            try:
                outcome = subprocess.run(
                    [self.reseal, command, file, *options], capture_output=True, text=True, env=surroundings,
                    timeout=killed_after)
            except subprocess.TimeoutExpired:
                return JobRun(-9, "", "")
        return JobRun(outcome.returncode, outcome.stdout, outcome.stderr)


class JobRun:
    """How a run ended, and what its last log line counted."""

    def __init__(self, code: int, output: str, log: str):
        self.code, self.output, self.log = code, output, log
        lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        ends = [line for line in lines if line["message"].startswith("job ")]
        self.counts = {name: int(value) for name, value in (ends[-1] if ends else {}).items() if value.isdigit()}
