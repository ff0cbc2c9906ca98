"""Images of a bag, placed by its satellite fixes: joined on the stamps of their headers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from vlm_vpr_ros.errors import MessageError
from vlm_vpr_ros.mapping.bag_file import BagFile, open_bag
from vlm_vpr_ros.mapping.fix_track import FixTrack, TimedFix
from vlm_vpr_ros.mapping.navsat import covariance_problem, fix_from_message, fix_problem, stamp_of
from vlm_vpr_ros.mapping.observation import Observation, SourceReport
from vlm_vpr_ros.mapping.odometry_track import OdometryTrack
from vlm_vpr_ros.mapping.reader import SourceRequest
from vlm_vpr_ros.mapping.topics import choose_fix_topic, choose_image_topic, choose_odom_topic
from vlm_vpr_ros.ros_images import decode_message
from vlm_vpr_ros.ros_odometry import planar_pose
from vlm_vpr_ros.types import AltitudeDatum, Odometry

UNDERSTANDS = "a rosbag2 folder, a bare .mcap or .db3 file, a ROS 1 .bag"

_STORAGE = {".mcap", ".db3"}


def recognises(path: Path) -> bool:
    """Whether the path is a bag; a folder counts when it holds the files of one."""
    if path.is_file():
        return path.suffix in {*_STORAGE, ".bag"}
    if any(child.suffix in _STORAGE for child in path.iterdir()):
        return True
    metadata = path / "metadata.yaml"
    return metadata.is_file() and b"rosbag2_bagfile_information" in metadata.read_bytes()[:4096]


def open_source(request: SourceRequest) -> RosbagSource:
    """Open a bag. Raises `SourceError`."""
    return RosbagSource(request)


class RosbagSource:
    """A bag whose topics are chosen.

    Only fixes and odometry are held in memory; each observation carries its own message.

    Raises:
        SourceError: the bag is damaged, has no images, or leaves a choice of topics.
    """

    def __init__(self, request: SourceRequest) -> None:
        self._path = request.path
        self.name = request.name
        self._drive = request.drive or (self.name if request.path.is_dir() else request.path.stem)
        self.report = SourceReport()
        with open_bag(request.path) as bag:
            topics = bag.topics
        self._images = choose_image_topic(topics, self.name, request.image_topic)
        self._fixes = choose_fix_topic(topics, self.name, request.fix_topic)
        self._odometry = choose_odom_topic(topics, self.name, request.odom_topic)

    def count(self) -> int:
        """Number of image messages."""
        return self._images.count

    def observations(self) -> Iterator[Observation]:
        """Yield the images in the order of recording; `position` is None where no fix is near.

        Raises:
            SourceError: the bag turns out to be damaged.
        """
        self.report = SourceReport()
        with open_bag(self._path) as bag:
            track = FixTrack(self._read_fixes(bag))
            driven = OdometryTrack(self._read_odometry(bag))
            placed = 0
            stamps: list[int] = []
            for record_ns, message in bag.messages(self._images):
                observation = self._observe(record_ns, message, track, driven)
                if observation is not None:
                    placed += observation.position is not None
                    stamps.append(observation.stamp_ns or 0)
                    yield observation
        if stamps and len(track) and not placed:
            self._remark_clocks(min(stamps), max(stamps), track)

    def _observe(
        self, record_ns: int, message: Any, track: FixTrack, driven: OdometryTrack
    ) -> Observation | None:
        topic = self._images.name
        if message is None:
            self.report.leave_out("image message is damaged", f"{topic}@{record_ns}")
            return None
        stamp_ns = self._stamp(message, record_ns, topic)
        source = f"{self.name}:{topic}@{stamp_ns}"
        place = track.at(stamp_ns)
        position, sigma_m = place if place is not None else (None, None)
        return Observation(
            source=source,
            drive=self._drive,
            position=position,
            load=partial(decode_message, message, source),
            sigma_m=sigma_m,
            altitude_datum=AltitudeDatum.ELLIPSOID,
            course_deg=track.course_deg(stamp_ns),
            stamp_ns=stamp_ns,
            odometry=driven.at(stamp_ns),
        )

    def _read_fixes(self, bag: BagFile) -> Iterator[TimedFix]:
        if self._fixes is None:
            self.report.remark(
                f"{self.name} has no NavSatFix topic: its images can be localized, not mapped"
            )
            return
        topic = self._fixes.name
        for record_ns, message in bag.messages(self._fixes):
            problem = "fix message is damaged" if message is None else fix_problem(message)
            if problem is not None:
                self.report.leave_out(problem, f"{topic}@{record_ns}")
                continue
            if doubt := covariance_problem(message):
                self.report.leave_out(doubt, f"{topic}@{record_ns}")
            yield fix_from_message(message, self._stamp(message, record_ns, topic))

    def _read_odometry(self, bag: BagFile) -> Iterator[tuple[int, Odometry]]:
        if self._odometry is None:
            return
        topic = self._odometry.name
        for record_ns, message in bag.messages(self._odometry):
            name = f"{topic}@{record_ns}"
            if message is None:
                self.report.leave_out("odometry message is damaged", name)
                continue
            try:
                pose = planar_pose(message)
            except MessageError as error:
                self.report.leave_out(f"odometry message: {error}", name)
                continue
            yield self._stamp(message, record_ns, topic), pose

    def _stamp(self, message: Any, record_ns: int, topic: str) -> int:
        stamp_ns, from_header = stamp_of(message, record_ns)
        if not from_header:
            self.report.remark(
                f"{topic} has messages whose header stamp is zero: "
                "their time of recording is used, which is later"
            )
        return stamp_ns

    def _remark_clocks(self, first_ns: int, last_ns: int, track: FixTrack) -> None:
        fix_first_ns, fix_last_ns = track.span_ns
        self.report.remark(
            f"no image of {self._images.name} ({first_ns / 1e9:.3f} to {last_ns / 1e9:.3f} s) was "
            f"taken near a fix ({fix_first_ns / 1e9:.3f} to {fix_last_ns / 1e9:.3f} s): "
            "do the stamps of camera and receiver come from one clock?"
        )
