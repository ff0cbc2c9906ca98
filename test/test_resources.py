"""The package finds its own files, wherever it runs from."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from vlm_vpr_ros import resources
from vlm_vpr_ros.errors import ModelError

NAME = "vlm_vpr_ros"


def _install(share: Path) -> Path:
    (share / "models").mkdir(parents=True)
    (share / "config").mkdir()
    (share / "package.xml").write_text("<package/>", encoding="utf-8")
    (share / "models" / "net.yaml").write_text("name: net", encoding="utf-8")
    (share / "config" / "relocalizer.yaml").write_text("{}", encoding="utf-8")
    return share


def _code_at(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    code = folder / NAME / "resources.py"
    code.parent.mkdir(parents=True)
    code.touch()
    monkeypatch.setattr(resources, "__file__", str(code))


def _ament_at(monkeypatch: pytest.MonkeyPatch, share: Path | Exception) -> None:
    def get_package_share_directory(name: str) -> str:
        if isinstance(share, Exception):
            raise share
        return str(share.parent / name)

    packages = ModuleType("ament_index_python.packages")
    packages.get_package_share_directory = get_package_share_directory  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ament_index_python", ModuleType("ament_index_python"))
    monkeypatch.setitem(sys.modules, "ament_index_python.packages", packages)


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "python"))
    _ament_at(monkeypatch, LookupError("not in the ament index"))


def test_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    checkout = _install(tmp_path / "src" / "vlm")
    _code_at(monkeypatch, checkout)
    assert resources.share_dir() == checkout
    assert resources.model_path("net.yaml") == checkout / "models" / "net.yaml"


def test_symlink_install_leads_to_the_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    checkout = _install(tmp_path / "src" / "vlm")
    _code_at(monkeypatch, checkout)
    build = tmp_path / "build" / NAME
    build.mkdir(parents=True)
    (build / NAME).symlink_to(checkout / NAME)
    monkeypatch.setattr(resources, "__file__", str(build / NAME / "resources.py"))
    assert resources.share_dir() == checkout


@pytest.mark.parametrize(
    "library",
    ["lib/python3.11/site-packages", "local/lib/python3.10/dist-packages", "target"],
)
def test_wheel_and_workspace_use_what_lies_beside_the_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: str
) -> None:
    prefix = tmp_path / "prefix"
    share = _install(prefix / "share" / NAME)
    _code_at(monkeypatch, prefix / library)
    _ament_at(monkeypatch, _install(tmp_path / "other" / "share" / NAME))
    assert resources.share_dir() == share


def test_ament_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    share = _install(tmp_path / "ws" / "share" / NAME)
    _code_at(monkeypatch, tmp_path / "elsewhere")
    _ament_at(monkeypatch, share)
    assert resources.share_dir() == share


@pytest.mark.parametrize("trouble", [LookupError("no package"), OSError("AMENT_PREFIX_PATH")])
def test_python_prefix_when_ament_does_not_know_us(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trouble: Exception
) -> None:
    share = _install(tmp_path / "python" / "share" / NAME)
    _code_at(monkeypatch, tmp_path / "elsewhere")
    _ament_at(monkeypatch, trouble)
    assert resources.share_dir() == share


def test_works_without_ament(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    share = _install(tmp_path / "python" / "share" / NAME)
    _code_at(monkeypatch, tmp_path / "elsewhere")
    monkeypatch.setitem(sys.modules, "ament_index_python.packages", None)
    assert resources.share_dir() == share


def test_nothing_found_names_the_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _code_at(monkeypatch, tmp_path / "bare")
    with pytest.raises(ModelError, match="were not installed") as caught:
        resources.model_path("net.yaml")
    assert str(tmp_path / "bare") in str(caught.value)
    assert str(tmp_path / "python" / "share" / NAME) in str(caught.value)


def test_missing_file_names_its_neighbours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    checkout = _install(tmp_path)
    _code_at(monkeypatch, checkout)
    with pytest.raises(ModelError, match=r"no nut\.yaml in .*models; there: net\.yaml"):
        resources.model_path("nut.yaml")
    with pytest.raises(ModelError, match="there: no such file"):
        resources.model_path("net.onnx")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../package.xml", "/etc/passwd", "a/b.yaml", "a\\b", "a\0b", "a\nb"]
)
def test_only_plain_file_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    _code_at(monkeypatch, _install(tmp_path))
    with pytest.raises(ModelError, match="plain file name"):
        resources.model_path(name)
