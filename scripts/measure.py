#!/usr/bin/env python3
"""Measures unjam against the lab over TCP in cold processes, and prints the table of docs/numbers.md.

    python3 scripts/measure.py [--write]

It builds the program, serves worlds with `unjam lab` and runs `unjam diagnose` as a user would. Every figure is the
median of several runs on the machine it runs on; --write puts the table into docs/numbers.md.
"""
import json, os, re, statistics, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REGIONS = ["eu-west-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-southeast-1",
           "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-west-2", "eu-west-3", "eu-north-1", "sa-east-1", "eu-south-1"]
STAGE = """# Measured
account 111111111111 alias=acme-prod regions={regions}
github acme owner=olga members=ada repos=acme/web
role Admin allow=*
caller deploy role=Admin session=terraform agent=terraform
caller ada you role=Admin session=ada@acme.example
set latency={latency}
-60d deploy creates connection good provider=GitHub
-60d ada completes handshake good as=olga org=acme
-9d deploy creates connection team-github provider=GitHub
"""


def world(pipelines, regions=("eu-west-1",), latency="50ms"):
    """A world: pipelines is a list of (name, connection, Region)."""
    text = STAGE.format(regions=",".join(regions), latency=latency)
    for name, connection, region in pipelines:
        text += f"-9d deploy creates pipeline {name} connection={connection} repo=acme/web stages=Build region={region}\n"
    return text


class Lab:
    """A lab process that serves one world."""

    def __init__(self, binary, text):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".world")
        self.file.write(text)
        self.file.flush()
        self.process = subprocess.Popen([binary, "lab", "--world", self.file.name, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.file.name + "-home"}
        while "AWS_SESSION_TOKEN" not in self.env:
            line = self.process.stdout.readline()
            if not line:
                sys.exit("the lab did not start")
            key, _, value = line.strip().removeprefix("export ").partition("=")
            self.env[key] = value

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def diagnose(binary, env, *args):
    """One cold process: seconds to the verdict, seconds in all, the report, peak resident memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "report.json")
        began = time.monotonic()
        p = subprocess.Popen([binary, "diagnose", *args], env=dict(env, UNJAM_HOME=folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        verdict = None
        for line in p.stderr:
            if verdict is None and line.startswith("found:"):
                verdict = time.monotonic() - began
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        total = time.monotonic() - began
        report = subprocess.run([binary, "diagnose", *args, "--output", "json", "--out", out], env=dict(env, UNJAM_HOME=folder), stderr=subprocess.DEVNULL)
        with open(out) as f:
            doc = json.load(f)
        if p.returncode != report.returncode:
            sys.exit(f"exit codes differ: {p.returncode}, {report.returncode}")
        return verdict, total, doc, usage.ru_maxrss / 1024


def row(name, value, bound):
    print(f"| {name} | {value} | {bound} |")
    return f"| {name} | {value} | {bound} |\n"


def main():
    folder = tempfile.mkdtemp()
    binary = os.path.join(folder, "unjam")
    subprocess.run(["go", "build", "-o", binary, "./cmd/unjam"], cwd=ROOT, check=True)
    stripped = os.path.join(folder, "stripped")
    subprocess.run(["go", "build", "-ldflags=-s -w", "-o", stripped, "./cmd/unjam"], cwd=ROOT, check=True)
    table = row("what", "measured", "bound") + row("---", "---", "---")
    helps = []
    for _ in range(11):
        began = time.monotonic()
        subprocess.run([binary, "--help"], stdout=subprocess.DEVNULL, check=True)
        helps.append((time.monotonic() - began) * 1000)
    table += row("`unjam --help`, cold process", f"{statistics.median(helps):.0f} ms", "60 ms")
    table += row("stripped binary", f"{os.path.getsize(stripped) / 1e6:.1f} MB", "reported")

    five = [("web", "team-github", "eu-west-1")] + [(f"other{i}", "good", "eu-west-1") for i in range(4)]
    with Lab(binary, world(five)) as lab:
        runs = [diagnose(binary, lab.env, "web") for _ in range(3)]
        table += row("one stuck pipeline of 5, 50 ms a call: verdict", f"{statistics.median(r[0] for r in runs):.2f} s", "1 s")
        table += row("the same: cause, end of the diagnosis", f"{statistics.median(r[1] for r in runs):.2f} s", "4 s")
        table += row("the same: calls", str(runs[0][2]["calls"]["total"]), "120")
        table += row("the same: peak resident memory", f"{max(r[3] for r in runs):.0f} MB", "80 MB")

    wide = [("web", "team-github", "eu-west-1")] + [(f"p{i}-{j}", "team-github" if j == 0 else "good", r) for i, r in enumerate(REGIONS) for j in range(20)]
    with Lab(binary, world(wide, REGIONS)) as lab:
        v, t, doc, mem = diagnose(binary, lab.env, "web")
        affected = len(doc["findings"][0]["affects"])
        table += row("17 Regions, 341 pipelines, 50 ms a call: verdict", f"{v:.2f} s", "first")
        table += row(f"the same: all {affected} waiting pipelines found", f"{t:.1f} s, {doc['calls']['total']} calls, {mem:.0f} MB", "reported")
        v, t, doc, _ = diagnose(binary, lab.env, "web", "--quick")
        table += row("the same with `--quick`", f"{t:.2f} s, {doc['calls']['total']} calls, {len(doc['gaps'])} gap", "reported")
        v, t, doc, _ = diagnose(binary, lab.env, "web", "--timeout", "1500ms")
        table += row("the same with `--timeout 1500ms`", f"{t:.2f} s, found {doc['findings'][0]['code']}, {len(doc['gaps'])} gaps", "reported")

    many = [(f"p{i}", "team-github" if i < 10 else "good", "eu-west-1") for i in range(1000)]
    with Lab(binary, world(many)) as lab:
        v, t, doc, mem = diagnose(binary, lab.env)
        affected = len(doc["findings"][0]["affects"])
        table += row(f"1,000 pipelines in one Region, {affected} stuck, 50 ms a call", f"{t:.1f} s, {doc['calls']['total']} calls, {mem:.0f} MB", "reported")

    if "--write" in sys.argv:
        path = os.path.join(ROOT, "docs", "numbers.md")
        with open(path) as f:
            text = f.read()
        text = re.sub(r"(?s)(<!-- measured -->\n).*?(<!-- end -->)", lambda m: m[1] + table + m[2], text)
        with open(path, "w") as f:
            f.write(text)


if __name__ == "__main__":
    main()
