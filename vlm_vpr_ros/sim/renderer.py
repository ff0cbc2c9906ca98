"""Draws meshes with Panda3D's software renderer: no GPU, no display, about 3 ms an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.sim.camera import CameraPose, Pinhole
from vlm_vpr_ros.sim.mesh import Mesh
from vlm_vpr_ros.sim.skies import dome
from vlm_vpr_ros.types import RgbImage

NEAR_M, FAR_M = 0.4, 420.0
_SUPERSAMPLING = 1.5
"""The renderer has no antialiasing: it draws larger, and the image is averaged down."""

_SETTINGS = """
load-display p3tinydisplay
window-type offscreen
audio-library-name null
notify-level error
notify-level-x11display fatal
textures-power-2 down
garbage-collect-states false
"""
"""Garbage collection of states would keep the pictures of every model shown."""


@dataclass
class Model:
    """Meshes with their pictures, ready to be drawn; a picture is (rows, columns, 3 or 4) uint8.

    Attributes:
        pictures: name -> picture; one with opacity hides what it covers where it is above one half.
        parts: meshes; what is out of sight is left out one mesh at a time.
        blended: meshes whose colours are mixed, by their opacity, with what is behind them.
    """

    pictures: Mapping[str, npt.NDArray[np.uint8]]
    parts: list[Mesh] = field(default_factory=list)
    blended: list[Mesh] = field(default_factory=list)


@dataclass(frozen=True)
class Day:
    """What changes in a model from one day to the next.

    Attributes:
        cars: meshes; their pictures are the model's.
        shadows: of the cars, blended.
        sky: a panorama, see `skies`.
    """

    cars: list[Mesh]
    shadows: Mesh
    sky: npt.NDArray[np.uint8]


class Renderer:
    """An offscreen camera; one a process is enough for any number of models.

    Raises:
        ConfigError: Panda3D is not installed, or cannot draw here.
    """

    def __init__(self, camera: Pinhole) -> None:
        core = _panda3d()
        self.camera = camera
        self._core = core
        self._size = (round(camera.width * _SUPERSAMPLING), round(camera.height * _SUPERSAMPLING))
        pipe = core.GraphicsPipeSelection.get_global_ptr().make_default_pipe()
        self._engine = core.GraphicsEngine(pipe)
        kinds = core.FrameBufferProperties()
        kinds.set_rgb_color(True)
        kinds.set_depth_bits(24)
        window = core.WindowProperties.size(*self._size)
        refuse_window = core.GraphicsPipe.BF_refuse_window
        self._buffer = self._engine.make_output(pipe, "camera", 0, kinds, window, refuse_window)
        if self._buffer is None:
            raise ConfigError("Panda3D cannot draw here: its software renderer was not found")
        self._pixels = core.Texture()
        copy = core.GraphicsOutput.RTM_copy_ram  # of depths it would copy the colours
        self._buffer.add_render_texture(self._pixels, copy, core.GraphicsOutput.RTP_color)
        lens = core.PerspectiveLens()
        lens.set_film_size(camera.width, camera.height)
        lens.set_focal_length(camera.focal)
        lens.set_near_far(NEAR_M, FAR_M)
        self._root = core.NodePath("world")
        self._camera = self._root.attach_new_node(core.Camera("camera", lens))
        self._buffer.make_display_region().set_camera(self._camera)
        self._model = self._sky = self._cars = self._root.attach_new_node("nothing")
        self._textures: dict[str, Any] = {}
        self._pictures: dict[str, npt.NDArray[np.uint8]] = {}

    def show(self, model: Model) -> None:
        """Draw this model from now on; `show_day` must follow."""
        for old in (self._model, self._cars, self._sky):
            old.remove_node()
        for texture in self._textures.values():
            texture.release_all()  # else the renderer keeps its own copy
        self._pictures = dict(model.pictures)
        self._textures = {name: self._texture(image) for name, image in model.pictures.items()}
        self._model = self._attach(model.parts, model.blended)

    def show_day(self, day: Day) -> None:
        """Draw the model on this day from now on."""
        self._cars.remove_node()
        self._cars = self._attach(day.cars, [day.shadows])
        self._pictures["sky"] = day.sky
        self._textures["sky"] = self._texture(day.sky)
        self._sky.remove_node()
        self._sky = self._attach([dome()], [])
        self._sky.set_bin("background", 0)
        self._sky.set_depth_write(False)

    def _attach(self, parts: Sequence[Mesh], blended: Sequence[Mesh]) -> Any:
        core = self._core
        group = self._root.attach_new_node("group")
        group.set_two_sided(True)
        for mesh in parts:
            group.attach_new_node(self._node(mesh, core.TransparencyAttrib.M_binary))
        for mesh in blended:
            node = group.attach_new_node(self._node(mesh, core.TransparencyAttrib.M_alpha))
            node.set_depth_write(False)
            node.set_transparency(core.TransparencyAttrib.M_alpha)
        return group

    def draw(self, pose: CameraPose) -> RgbImage:
        """Draw what a camera sees."""
        self._camera.set_pos(pose.second_m, pose.first_m, pose.up_m)
        self._camera.set_hpr(-pose.heading_deg, pose.pitch_deg, 0.0)
        self._sky.set_pos(pose.second_m, pose.first_m, pose.up_m)
        self._engine.render_frame()
        width, height = self._size
        raw = np.frombuffer(self._pixels.get_ram_image(), np.uint8).reshape(height, width, 4)
        small = cv2.resize(
            raw, (self.camera.width, self.camera.height), interpolation=cv2.INTER_AREA
        )
        return np.asarray(cv2.cvtColor(cv2.flip(small, 0), cv2.COLOR_BGRA2RGB), np.uint8)

    def _texture(self, picture: npt.NDArray[np.uint8]) -> Any:
        core = self._core
        opaque = picture.shape[2] == 3
        texture = core.Texture()
        height, width = picture.shape[:2]
        texture.setup_2d_texture(
            width, height, core.Texture.T_unsigned_byte,
            core.Texture.F_rgb if opaque else core.Texture.F_rgba,
        )  # fmt: skip
        code = cv2.COLOR_RGB2BGR if opaque else cv2.COLOR_RGBA2BGRA
        texture.set_ram_image(cv2.flip(cv2.cvtColor(picture, code), 0).tobytes())
        texture.set_minfilter(core.SamplerState.FT_linear_mipmap_nearest)
        texture.set_magfilter(core.SamplerState.FT_linear)
        return texture

    def _node(self, mesh: Mesh, transparency: Any) -> Any:
        core = self._core
        node = core.GeomNode("mesh")
        vertex_format = core.GeomVertexFormat.get_v3c4t2()
        for surface, quads in mesh.surfaces.items():
            vertices = np.concatenate(quads)
            data = core.GeomVertexData("quads", vertex_format, core.Geom.UH_static)
            data.unclean_set_num_rows(len(vertices))
            memoryview(data.modify_array(0)).cast("B")[:] = vertices.tobytes()
            first = np.arange(0, len(vertices), 4, dtype=np.uint32)[:, None]
            corners = (first + np.array([0, 1, 2, 0, 2, 3], np.uint32)).ravel()
            triangles = core.GeomTriangles(core.Geom.UH_static)
            triangles.set_index_type(core.Geom.NT_uint32)
            indices = triangles.modify_vertices()
            indices.unclean_set_num_rows(len(corners))
            memoryview(indices).cast("B")[:] = corners.tobytes()
            geometry = core.Geom(data)
            geometry.add_primitive(triangles)
            attributes = []
            if surface:
                attributes.append(core.TextureAttrib.make(self._textures[surface]))
                if self._pictures[surface].shape[2] == 4:
                    attributes.append(core.TransparencyAttrib.make(transparency))
            node.add_geom(
                geometry,
                core.RenderState.make(*attributes) if attributes else core.RenderState.make_empty(),
            )
        return node


def _panda3d() -> Any:
    try:
        from panda3d import core  # noqa: PLC0415  # an extra: robots do not need it
    except ImportError:
        raise ConfigError(
            "the simulated world needs Panda3D: pip install -r requirements/sim.txt"
        ) from None
    core.load_prc_file_data("vlm_vpr_ros", _SETTINGS)
    return core
