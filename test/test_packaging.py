"""What is written in more than one place agrees; the requirements fit every Python we promise."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from packaging.requirements import Requirement

import vlm_vpr_ros

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
DISTRIBUTIONS = {  # where a module's name is not that of the package that brings it
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "faiss": "faiss-cpu",
    "llama_cpp": "llama-cpp-python",
    "pi_heif": "pi-heif",
    "yaml": "PyYAML",
}
OPTIONAL = {"panda3d", "foxglove_msgs"}  # used where it is installed


def _requirements(*names: str) -> list[Requirement]:
    lines = [
        line.split("#", 1)[0].strip()
        for name in names
        for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    ]
    return [Requirement(line) for line in lines if line]


def _on(requirements: list[Requirement], python: str, machine: str) -> list[Requirement]:
    place = {"python_version": python, "platform_machine": machine}
    return [r for r in requirements if r.marker is None or r.marker.evaluate(place)]


def test_version_is_the_same_everywhere() -> None:
    version = ElementTree.parse(ROOT / "package.xml").findtext("version")
    assert version == vlm_vpr_ros.__version__
    said = subprocess.run(
        [sys.executable, "setup.py", "-q", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert said.stdout.split()[-1] == version


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("python", PYTHONS)
def test_each_requirement_applies_once(python: str, machine: str) -> None:
    names = [r.name for r in _on(_requirements("core.txt", "opencv.txt"), python, machine)]
    assert len(names) == len(set(names))
    runtime = {"onnxruntime-gpu" if machine == "x86_64" else "onnxruntime"}
    assert {r.name for r in _requirements("core.txt", "opencv.txt")} - set(names) == (
        {"onnxruntime-gpu", "onnxruntime"} - runtime
    )


@pytest.mark.parametrize("python", PYTHONS)
def test_numpy_suits_cv_bridge(python: str) -> None:
    (numpy,) = (r for r in _on(_requirements("core.txt"), python, "x86_64") if r.name == "numpy")
    assert ("1.26.4" in numpy.specifier) == (python != "3.13")
    assert ("2.2.6" in numpy.specifier) == (python == "3.13")
    assert "2.3.0" not in numpy.specifier


def test_every_pin_is_bounded() -> None:
    for requirement in _requirements("core.txt", "opencv.txt", "ros-wheels.txt"):
        operators = {s.operator for s in requirement.specifier}
        assert operators in ({"=="}, {">=", "<"}), requirement


def test_package_manifest_is_an_ament_python_package() -> None:
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    assert package.get("format") == "3"
    assert package.findtext("export/build_type") == "ament_python"
    assert package.findtext("license") == "Apache-2.0"
    depends = [d.text for d in package.findall("exec_depend")]
    assert len(depends) == len(set(depends))


def test_every_import_is_required() -> None:
    imported = set()
    for path in (ROOT / "vlm_vpr_ros").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                imported.add(node.module.split(".")[0])
    needed = {
        DISTRIBUTIONS.get(module, module)
        for module in imported - set(sys.stdlib_module_names) - {"vlm_vpr_ros"} - OPTIONAL
    }
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    from_ros = {depend.text for depend in package.findall("exec_depend")}
    from_pip = {r.name for r in _requirements("core.txt", "opencv.txt")}
    assert needed <= from_ros | from_pip


def test_ci_runs_what_is_promised() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    jobs = workflow["jobs"]
    assert tuple(jobs["wheels"]["strategy"]["matrix"]["python"]) == PYTHONS
    said = (ROOT / "docs" / "on_a_robot.md").read_text(encoding="utf-8").lower()
    assert all(distro in said for distro in jobs["ros"]["strategy"]["matrix"]["distro"])
    for job in jobs.values():
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            if "run" in step:
                checked = subprocess.run(["bash", "-n"], input=step["run"], text=True, check=False)
                assert checked.returncode == 0, step
