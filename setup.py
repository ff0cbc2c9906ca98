"""Build and install: by colcon (ament_python) and by pip, from the same files."""

from pathlib import Path
from xml.etree import ElementTree

from setuptools import find_packages, setup

NAME = "vlm_vpr_ros"
ROOT = Path(__file__).resolve().parent  # `colcon build --symlink-install` runs a link to this file
MODEL_FILES = {".onnx", ".yaml", ".npy", ".md", ".gguf"}


def _version() -> str:
    version = ElementTree.parse(ROOT / "package.xml").findtext("version")
    if version is None:
        raise SystemExit("package.xml has no <version>")
    return version


def _requirements(name: str) -> list[str]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    stated = (line.split("#", 1)[0].strip() for line in lines)
    return [requirement for requirement in stated if requirement]


def _share(folder: str, suffixes: set[str] | None = None) -> tuple[str, list[str]]:
    """The files of a folder (not of folders in it), for share/; setuptools wants relative paths."""
    files = [
        f"{folder}/{path.name}"
        for path in sorted((ROOT / folder).glob("*"))
        if path.is_file() and (suffixes is None or path.suffix in suffixes)
    ]
    return f"share/{NAME}/{folder}", files


setup(
    name=NAME,
    version=_version(),
    description="Relocalize a lost robot from its camera: VLM-guided place recognition for ROS 2",
    license="Apache-2.0",
    maintainer="vlm_vpr_ros maintainers",
    maintainer_email="maintainers@vlm-vpr-ros.invalid",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={"": ["py.typed", "*.gbnf", "*.txt", "*.json", "*.yaml", "*.html", "*.svg"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        _share("launch", {".py", ".xml", ".yaml"}),
        _share("config"),
        _share("models", MODEL_FILES),
    ],
    zip_safe=False,
    python_requires=">=3.10",
    install_requires=_requirements("core.txt") + _requirements("opencv.txt"),
    extras_require={
        "test": ["pytest", "hypothesis"],  # colcon test runs pytest because of this
        "sim": _requirements("sim.txt"),
    },
    entry_points={
        "console_scripts": [
            "vlm_vpr = vlm_vpr_ros.cli.main:main",
            "relocalizer = vlm_vpr_ros.node.main:main",
            "after_kidnapping = vlm_vpr_ros.node.after_kidnapping:main",
        ],
    },
)
