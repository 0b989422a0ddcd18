"""Checks the files of this folder, or of the one that is given, and prints the command lines in them as JSON.

    .venv/bin/python deploy/check.py        # the environment that testkit/python/install makes

Kubernetes' and compose's own schemas; that every container and unit runs without privileges, with a root that is
read-only; that no secret stands in a manifest; and systemd-analyze verify, where there is one.
"""

import json
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
KUBERNETES = ["1.31", "1.37"]
problems = []
command_lines = []


def must(holds, problem):
    if not holds:
        problems.append(problem)


def kubernetes():
    documents = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))
    kinds = {}
    for document in documents:
        name = f"{document['kind']} {document['metadata']['name']}"
        kinds.setdefault(document["kind"], []).append(document)
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except (kubernetes_validate.ValidationError, kubernetes_validate.InvalidSchemaError) as error:
                problems.append(f"kubernetes.yaml, {name}, Kubernetes {version}: {error}")
        pod = document.get("spec", {}).get("template", {}).get("spec")
        if pod:
            hardened_pod(name, pod)
    must("Secret" not in kinds, "kubernetes.yaml holds a secret")
    workers = [one for one in kinds.get("Service", []) if one["spec"].get("clusterIP") == "None"]
    must(len(workers) == 1, "kubernetes.yaml has no headless service")
    for scaler in kinds.get("HorizontalPodAutoscaler", []):
        target = scaler["spec"]["scaleTargetRef"]
        names = [one["metadata"]["name"] for one in kinds.get(target["kind"], [])]
        must(target["name"] in names, f"the autoscaler's {target['name']} is nowhere")
        metric = scaler["spec"]["metrics"][0]["external"]["metric"]["name"]
        must(metric == "tithe_queries_waiting", f"the autoscaler asks for {metric}")


def hardened_pod(name, pod):
    must(pod["securityContext"].get("runAsNonRoot") is True, f"{name} may run as root")
    must(pod.get("automountServiceAccountToken") is False, f"{name} is given a token of the cluster")
    for container in pod["containers"]:
        context = container["securityContext"]
        must(context.get("readOnlyRootFilesystem") is True, f"{name}: its root may be written")
        must(context.get("allowPrivilegeEscalation") is False, f"{name} may gain privileges")
        must(context.get("capabilities", {}).get("drop") == ["ALL"], f"{name} has capabilities")
        must(":" in container["image"] and not container["image"].endswith(":latest"), f"{name}: which version?")
        must(not container.get("env"), f"{name}: its environment is not by reference")
        command_lines.append(container["args"])


def compose():
    path = FOLDER / "compose.yaml"
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path]
    ran = subprocess.run(schema, capture_output=True, text=True)
    must(ran.returncode == 0, f"compose.yaml: {ran.stdout}{ran.stderr}")
    content = yaml.safe_load(path.read_text())
    for name, service in content["services"].items():
        must(service.get("read_only") is True, f"compose.yaml, {name}: its root may be written")
        must("no-new-privileges:true" in service.get("security_opt", []), f"compose.yaml, {name} may gain privileges")
        must(service.get("cap_drop") == ["ALL"], f"compose.yaml, {name} has capabilities")
        must(not str(service.get("user", "0")).startswith("0"), f"compose.yaml, {name} runs as root")
        must("environment" not in service, f"compose.yaml, {name}: its environment is not by reference")
        unknown = set(service.get("secrets", [])) - set(content["secrets"])
        must(not unknown, f"compose.yaml, {name}: no secrets {unknown}")
        command_lines.append(service["command"])
    must(all(list(secret) == ["file"] for secret in content["secrets"].values()), "compose.yaml holds a secret")


def containerfile():
    lines = (FOLDER / "Containerfile").read_text().splitlines()
    users = [line for line in lines if line.startswith("USER ")]
    must(users and not users[-1].split()[1].startswith(("0", "root")), "Containerfile: the container runs as root")
    must(any(line.startswith("HEALTHCHECK ") for line in lines), "Containerfile: nobody asks whether it is ready")
    commands = [json.loads(line.removeprefix("CMD ")) for line in lines if line.startswith("CMD ")]
    command_lines.extend(commands)


def units():
    paths = sorted(FOLDER.glob("*.service"))
    must(len(paths) == 2, f"{len(paths)} units")
    for path in paths:
        lines = path.read_text().splitlines()
        for wanted in ["NoNewPrivileges=yes", "ProtectSystem=strict", "User=tithe", "CapabilityBoundingSet="]:
            must(wanted in lines, f"{path.name} lacks {wanted}")
        start = [line.removeprefix("ExecStart=") for line in lines if line.startswith("ExecStart=")]
        must(len(start) == 1, f"{path.name} starts {len(start)} programs")
        program, *arguments = shlex.split(start[0].replace("%d", "/run/credentials"))
        command_lines.append(arguments)
        if shutil.which("systemd-analyze"):
            verify(path, program)


def verify(path, program):
    # The program need not be installed here: any that is stands for it.
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, path.name)
        copy.write_text(path.read_text().replace(f"ExecStart={program} ", "ExecStart=/bin/true "))
        ran = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
    told = [line for line in (ran.stdout + ran.stderr).splitlines() if path.name in line]
    must(not told, f"{path.name}: {told}")


for check in [kubernetes, compose, containerfile, units]:
    check()
if problems:
    sys.exit("\n".join(problems))
print(json.dumps(command_lines))
