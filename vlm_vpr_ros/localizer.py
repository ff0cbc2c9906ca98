"""The way of a frame, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.calibration.record import Made, read_calibration
from vlm_vpr_ros.config import FixConfig, LocalizerConfig
from vlm_vpr_ros.errors import ImageError, ModelError
from vlm_vpr_ros.estimation.covariance import horizontal_covariance, with_vertical
from vlm_vpr_ros.estimation.evidence import chance_similarity, weighed
from vlm_vpr_ros.estimation.gate import decide
from vlm_vpr_ros.estimation.hypotheses import Place, group_by_place, ranked
from vlm_vpr_ros.estimation.motion import Moment
from vlm_vpr_ros.estimation.place_filter import filtered
from vlm_vpr_ros.estimation.posterior import posterior
from vlm_vpr_ros.estimation.sighting import Sighting, Sightings
from vlm_vpr_ros.estimation.trust import Trust, Trusts
from vlm_vpr_ros.image_check import FrozenCamera, flaw
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.prior.keeper import PriorKeeper
from vlm_vpr_ros.prior.opening import open_priors
from vlm_vpr_ros.prior.reweigh import reweighed
from vlm_vpr_ros.region.neighbours import neighbours
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.retrieval.centring import CausalCentring
from vlm_vpr_ros.retrieval.guided_search import GuidedSearch
from vlm_vpr_ros.retrieval.novelty import Novelty
from vlm_vpr_ros.stopwatch import Stopwatch
from vlm_vpr_ros.types import Candidate, Fix, Frame, GeoPoint, Hypothesis, Outcome, Reason
from vlm_vpr_ros.verification.geometric_check import GeometricCheck, GeometricEvidence
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor


class Localizer:
    """Finds where a frame was taken.

    Keeps what earlier frames of the drive taught (`reset` forgets it); a stamp that goes backwards
    is a new drive. Not thread-safe: one frame at a time; only `observe_prior` and `close` may be
    called from another thread meanwhile.

    Args:
        region: where to look.
        networks: those the region was built with.
        config: all parameters.
        priors: what is known of where the robot is; by default what the config says.
        trusts: how far to trust the evidence; by default as the region's calibration allows.
    """

    def __init__(
        self,
        region: Region,
        networks: Networks,
        config: LocalizerConfig,
        priors: PriorKeeper | None = None,
        trusts: Trusts | None = None,
    ) -> None:
        encoder = networks.encoder
        region.check_encoder(encoder.card.name, encoder.fingerprint, encoder.card.dim)
        self._region = region
        self._encoder = encoder
        self._config = config
        self._centring = CausalCentring(region.mean_descriptor, config.retrieval.pseudo_frames)
        self._sightings = Sightings(Novelty(region.mean_descriptor), config.evidence.max_frames)
        self._search = GuidedSearch(region, config.retrieval)
        self._geometry = _geometry(region, networks.extractor, config)
        self._chance = chance_similarity(region.manifest.background, encoder.card.chance_similarity)
        self._camera = FrozenCamera()
        self._last_stamp_ns: int | None = None
        self._damaged = False
        self._calibration = None if trusts else read_calibration(region.folder)
        self._trusts = trusts or self._trusts_under(config)
        # Last, when nothing fails any more: it may start a process, which `close` ends.
        self._priors = priors or open_priors(config, region.places)

    @classmethod
    def open(cls, region: Path, config: LocalizerConfig) -> Localizer:
        """Open a region and the networks it was built with.

        Raises:
            RegionError: the region is missing, damaged, or built with another encoder.
            ModelError: a network cannot be loaded.
            PriorError: `prior.geojson` cannot be used.
            ConfigError: `vlm.mode` does not suit the region.
        """
        opened = Region.open(region)
        return cls(opened, Networks.load(config, opened.features is not None), config)

    def localize(self, frame: Frame, wait_for_prior_s: float = 0.0) -> Outcome:
        """Localize one frame. Never raises for what is in the image, or for a damaged reference.

        Args:
            frame: the image.
            wait_for_prior_s: how long to wait for the answer of a model that was asked about this
                frame or an earlier one: after the search, or before it where a prior guides it.
        """
        watch = Stopwatch()
        try:
            return self._localize(frame, wait_for_prior_s, watch)
        except ImageError as error:
            reason, detail = Reason.CORRUPT_IMAGE, str(error)
        except ModelError as error:
            reason, detail = Reason.INTERNAL_ERROR, str(error)
        return Outcome(frame.stamp_ns, reason, detail, latency_ms=watch.laps_ms())

    def _localize(self, frame: Frame, wait_for_prior_s: float, watch: Stopwatch) -> Outcome:
        self._notice_new_drive(frame.stamp_ns)
        with watch.stage("check"):
            fault = flaw(frame.image) or self._camera.flaw(frame)
        if fault:
            return Outcome(frame.stamp_ns, *fault, latency_ms=watch.laps_ms())
        self._priors.ask(frame)
        with watch.stage("encode"):
            raw = self._encoder.encode(frame.image)
        with watch.stage("search"):
            descriptor = self._centring.centred(raw)
            guide = None
            if self._search.guided:  # else the search need not wait for the prior
                guide = self._priors.current(frame.stamp_ns, wait_for_prior_s).prior
                wait_for_prior_s = 0.0
            candidates = self._weighed(self._search.nearest(descriptor, guide))
        stages = {"retrieval": candidates}
        damage = ""
        if self._geometry:
            with watch.stage("verify"):
                seen = self._geometry.evidence(
                    frame.image, candidates, self._beside(candidates), self._place_radius_m
                )
                if damage := seen.damage:
                    self._damaged = True
                    self._trusts = self._trusts_under(self._config)
                else:  # else a twin whose record is damaged would look unlike the frame
                    candidates = self._weighed(candidates, seen)
                    stages["verification"] = candidates
        with watch.stage("evidence"):
            self._sightings.add(raw, self._sighting(frame, candidates))
            if len(self._sightings) > 1:
                candidates = stages["evidence"] = self._over_frames()
        with watch.stage("prior"):
            known = self._priors.current(frame.stamp_ns, wait_for_prior_s)
        with watch.stage("estimate"):
            trust = self._trusts.after(len(self._sightings))
            places = group_by_place(candidates, self._place_radius_m)
            if known.prior:
                cap = self._config.prior.max_log_odds
                places = reweighed(places, known.prior, cap, trust.slope)
                candidates = stages["prior"] = ranked(places)
            hypotheses, none = self._hypotheses(places, trust)
            reason, detail = decide(hypotheses, self._chance, trust)
            fix = self._fix(places[0], trust) if reason is Reason.ACCEPTED else None
            self._priors.concluded(accepted=fix is not None)
        return Outcome(
            stamp_ns=frame.stamp_ns,
            reason=reason,
            detail=f"{detail}. {damage}" if damage else detail,
            fix=fix,
            candidates=candidates,
            hypotheses=hypotheses,
            probability=hypotheses[0].probability if hypotheses else 0.0,
            probability_none=none,
            prior=known,
            stages=stages,
            frames=len(self._sightings),
            latency_ms=watch.laps_ms(),
        )

    def reconfigure(self, config: LocalizerConfig) -> None:
        """Take `gate`, `fix` and `prior.max_log_odds`; the other values count when opening."""
        update = {"gate": config.gate, "fix": config.fix, "prior": config.prior}
        self._config = self._config.model_copy(update=update)
        self._trusts = self._trusts_under(self._config)

    def reset(self) -> None:
        """Forget earlier frames, and what was told or concluded of where the robot is."""
        self._centring.reset()
        self._sightings.clear()
        self._camera.reset()
        self._priors.reset()
        self._last_stamp_ns = None

    def observe_prior(self, prior: GeoPrior, stamp_ns: int) -> None:
        """Take a prior that somebody told, true at that moment; from any thread."""
        self._priors.observe(prior, stamp_ns)

    def close(self) -> None:
        """End what runs beside: the model that is asked for a prior. From any thread."""
        self._priors.close()

    def describe(self) -> dict[str, str]:
        """What is in use, for diagnostics."""
        manifest = self._region.manifest
        return {
            "region": str(self._region.folder),
            "references": str(manifest.references),
            "drives": ", ".join(manifest.drives),
            "encoder": manifest.encoder.name,
            "provider": self._encoder.provider,
            "verification": self._geometry.describe() if self._geometry else "off",
            "calibration": self._trusts.detail,
            **self._priors.describe(),
        }

    @property
    def _place_radius_m(self) -> float:
        """Candidates nearer than this speak for one place: a fix between them is not false."""
        return self._config.gate.false_radius_m / 2

    def _notice_new_drive(self, stamp_ns: int) -> None:
        if self._last_stamp_ns is not None and stamp_ns < self._last_stamp_ns:
            self.reset()
        self._last_stamp_ns = stamp_ns

    def _weighed(
        self, candidates: Sequence[Candidate], seen: GeometricEvidence | None = None
    ) -> tuple[Candidate, ...]:
        inliers, beside = (seen.inliers, seen.beside) if seen else (None, None)
        return weighed(candidates, self._beside(candidates), self._chance, inliers, beside)

    def _beside(self, candidates: Sequence[Candidate]) -> list[tuple[int, ...]]:
        return neighbours(self._region.references, [c.reference for c in candidates])

    def _sighting(self, frame: Frame, candidates: tuple[Candidate, ...]) -> Sighting:
        drive = self._region.references.drive
        moment = Moment(frame.stamp_ns, frame.odometry)
        return Sighting(moment, candidates, tuple(drive[c.reference] for c in candidates))

    def _over_frames(self) -> tuple[Candidate, ...]:
        max_speed_mps = self._config.max_speed_mps
        return filtered(list(self._sightings), max_speed_mps, self._place_radius_m)

    def _trusts_under(self, config: LocalizerConfig) -> Trusts:
        if self._damaged:
            # Without geometry log-odds mean something else, and evidence of more frames mixes both.
            return Trusts.shipped(config.gate.target_false_fix_rate, "the region is damaged")
        return Trusts.of(self._calibration, Made.of(self._region.manifest, config), config)

    def _hypotheses(
        self, places: Sequence[Place], trust: Trust
    ) -> tuple[tuple[Hypothesis, ...], float]:
        probabilities, none = posterior([trust.log_odds(p.best.log_odds) for p in places])
        hypotheses = tuple(
            Hypothesis(
                position=place.position,
                similarity=place.best.similarity,
                inliers=place.best.inliers,
                probability=float(probability),
                covariance_enu_m2=self._horizontal_m2(place, trust),
                candidates=place.candidates,
            )
            for place, probability in zip(places, probabilities, strict=True)
        )
        return hypotheses, none

    def _fix(self, place: Place, trust: Trust) -> Fix:
        config = self._config.fix
        position = GeoPoint(
            place.position.lat_deg, place.position.lon_deg, _altitude_m(place, config)
        )
        covariance = with_vertical(self._horizontal_m2(place, trust), config)
        return Fix(position, covariance, trust.calibrated, trust.ellipse_radii)

    def _horizontal_m2(self, place: Place, trust: Trust) -> npt.NDArray[np.float64]:
        sigma_m = float(self._region.references.sigma_m[place.best.reference])
        return trust.covariance_scale * horizontal_covariance(
            sigma_m, place.spread_enu_m2, place.spacing_m, self._config.fix
        )


def _geometry(
    region: Region, extractor: LocalFeatureExtractor | None, config: LocalizerConfig
) -> GeometricCheck | None:
    if extractor is None or region.features is None or not config.verification.candidates:
        return None
    region.check_features(extractor.card.name, extractor.fingerprint)
    return GeometricCheck(extractor, region.features, config.verification)


def _altitude_m(place: Place, config: FixConfig) -> float | None:
    if config.altitude_mode == "fixed":
        return config.altitude_m
    return place.position.alt_m if config.altitude_mode == "reference" else None
