"""The towns of the simulated world: where they stand on Earth and what they look like.

Each stands at the coordinates of a real town and borrows its architecture, language, trees, paving
and lamps. The streets themselves are invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vlm_vpr_ros.sim.looks import Architecture, Colour, StreetLook


@dataclass(frozen=True)
class Town:
    """A town: its place on Earth, its looks and its words."""

    key: str
    name: str
    """As its own people write it; what its signs say."""
    city: str
    """As an English gazetteer writes it."""
    country: str
    lat_deg: float
    lon_deg: float
    alt_m: float
    bearing_deg: float
    """Direction of the grid's first axis, clockwise from north."""
    architecture: Architecture
    street: StreetLook
    shops: tuple[str, ...]
    streets: tuple[str, ...]
    sign: tuple[Colour, Colour]
    """Ground and letters of the signs with place and street names."""
    tree: Literal["linden", "palm", "birch", "maple", "cypress"]
    skyline: Literal["spires", "sea", "mountains", "towers", "hills"]
    taxi: Colour
    loop: str
    """The way around the mapped streets: F goes on to the next crossing, L and R turn there."""
    copied: tuple[tuple[str, int], ...]
    """Runs of copied streets: their name, and the street of the loop they begin at.

    A run leads in the same direction of the plan in every town: the sun shines on the same fronts.
    """


COPIED_RUNS: dict[str, int] = {"a": 3, "b": 2}
"""Name of a run of copied streets -> how many streets it has, one straight after another."""

TOWNS: tuple[Town, ...] = (
    Town(
        key="luebeck",
        name="Lübeck",
        city="Lübeck",
        country="Germany",
        lat_deg=53.8655,
        lon_deg=10.6866,
        alt_m=53.0,
        bearing_deg=12.0,
        architecture=Architecture(
            material="brick",
            walls=((150, 72, 54), (128, 58, 46), (164, 92, 66), (112, 62, 54), (172, 110, 84)),
            roof="stepped",
            roof_colour=(142, 70, 52),
            floors=(3, 4),
            floor_m=3.2,
            bay_m=2.0,
            window_m=(1.05, 1.7),
            frame=(238, 236, 228),
            arched=True,
        ),
        street=StreetLook(
            paints=((36, 66, 52), (74, 30, 34), (34, 44, 72)),
            paving=(142, 112, 102),
            slab_m=0.4,
            asphalt=(92, 92, 94),
            setts=0.35,
            marking=(226, 226, 222),
            lamp=(255, 214, 160),
        ),
        shops=(
            "BÄCKEREI", "APOTHEKE", "BUCHHANDLUNG", "MARZIPAN", "GASTHAUS", "FLEISCHEREI",
            "SPARKASSE", "FRISEUR", "BLUMEN", "RATSKELLER", "WEINHAUS", "SCHUHE", "OPTIKER",
            "KAFFEERÖSTEREI", "UHREN & SCHMUCK", "FAHRRÄDER",
        ),
        streets=(
            "Breite Straße", "Mühlenstraße", "Königstraße", "Fleischhauerstr.", "Hüxstraße",
            "An der Untertrave", "Glockengießerstr.", "Beckergrube",
        ),
        sign=((246, 206, 40), (20, 20, 20)),
        tree="linden",
        skyline="spires",
        taxi=(236, 226, 188),
        loop="FFFRFFFRFFFRFFFR",
        copied=(("a", 6), ("b", 10)),
    ),
    Town(
        key="chania",
        name="Χανιά",
        city="Chaniá",
        country="Greece",
        lat_deg=35.5122,
        lon_deg=24.0156,
        alt_m=28.0,
        bearing_deg=48.0,
        architecture=Architecture(
            material="plaster",
            walls=((240, 238, 230), (246, 244, 240), (232, 228, 214), (238, 226, 200)),
            roof="flat",
            roof_colour=(200, 196, 186),
            floors=(2, 3),
            floor_m=3.0,
            bay_m=2.5,
            window_m=(1.0, 1.45),
            frame=(238, 238, 236),
            shutters=((36, 92, 158), (44, 118, 170), (60, 120, 108)),
            balconies=0.6,
            awnings=0.45,
        ),
        street=StreetLook(
            paints=((30, 96, 170), (24, 120, 150), (196, 88, 60)),
            paving=(206, 196, 174),
            slab_m=0.7,
            asphalt=(128, 124, 116),
            setts=0.2,
            marking=(238, 238, 232),
            lamp=(255, 178, 84),
        ),
        shops=(
            "ΤΑΒΕΡΝΑ", "ΦΑΡΜΑΚΕΙΟ", "ΑΡΤΟΠΟΙΕΙΟ", "ΒΙΒΛΙΟΠΩΛΕΙΟ", "ΚΑΦΕΝΕΙΟ", "ΟΠΩΡΟΠΩΛΕΙΟ",
            "ΖΑΧΑΡΟΠΛΑΣΤΕΙΟ", "ΤΡΑΠΕΖΑ", "ΚΟΥΡΕΙΟ", "ΨΑΡΟΤΑΒΕΡΝΑ", "ΟΥΖΕΡΙ", "ΑΝΘΟΠΩΛΕΙΟ",
            "ΠΕΡΙΠΤΕΡΟ", "ΣΟΥΒΛΑΚΙ", "ΞΕΝΟΔΟΧΕΙΟ", "ΚΟΣΜΗΜΑΤΑ",
        ),
        streets=(
            "Οδός Χάληδων", "Οδός Σκρίδλωφ", "Οδός Θεοτοκοπούλου", "Ακτή Κουντουριώτη",
            "Οδός Ζαμπελίου", "Οδός Δασκαλογιάννη", "Οδός Τζανακάκη", "Πλατεία 1866",
        ),
        sign=((28, 78, 156), (250, 250, 250)),
        tree="palm",
        skyline="sea",
        taxi=(44, 70, 132),
        loop="FFFFRFFRFFFFRFFR",
        copied=(("a", 6), ("b", 10)),
    ),
    Town(
        key="bergen",
        name="Bergen",
        city="Bergen",
        country="Norway",
        lat_deg=60.3930,
        lon_deg=5.3242,
        alt_m=49.0,
        bearing_deg=-20.0,
        architecture=Architecture(
            material="boards",
            walls=(
                (158, 44, 40), (226, 186, 90), (238, 236, 228), (84, 110, 96), (74, 92, 120),
                (196, 122, 62),
            ),
            roof="gable",
            roof_colour=(64, 62, 64),
            floors=(2, 3),
            floor_m=2.8,
            bay_m=2.1,
            window_m=(1.05, 1.4),
            frame=(244, 244, 240),
            awnings=0.1,
        ),
        street=StreetLook(
            paints=((120, 28, 30), (38, 70, 60), (230, 226, 214)),
            paving=(112, 116, 122),
            slab_m=0.25,
            asphalt=(76, 80, 86),
            setts=0.25,
            marking=(236, 206, 92),
            lamp=(220, 232, 255),
        ),
        shops=(
            "BAKERI", "APOTEK", "BOKHANDEL", "FISKETORG", "KAFFEBAR", "BLOMSTER", "FRISØR",
            "GULLSMED", "SKIPSHANDEL", "BRYGGERI", "VINMONOPOLET", "STRIKKEVARER", "SPORT",
            "KONDITORI", "GJESTEHUS", "SJØMAT",
        ),
        streets=(
            "Øvregaten", "Strandgaten", "Nygårdsgaten", "Fjellsmauet", "Kong Oscars gate",
            "Sandviksveien", "Bryggen", "Marken",
        ),
        sign=((248, 248, 248), (16, 16, 16)),
        tree="birch",
        skyline="mountains",
        taxi=(30, 30, 32),
        loop="FFRFFFRFFFRFRFLFFR",
        copied=(("a", 5), ("b", 10)),
    ),
    Town(
        key="chicago",
        name="Chicago",
        city="Chicago",
        country="United States",
        lat_deg=41.8837,
        lon_deg=-87.6289,
        alt_m=147.0,
        bearing_deg=0.0,
        architecture=Architecture(
            material="panels",
            walls=(
                (134, 100, 82), (98, 104, 112), (168, 158, 142), (70, 84, 98), (122, 74, 60),
                (186, 180, 170),
            ),
            roof="flat",
            roof_colour=(80, 80, 80),
            floors=(7, 14),
            floor_m=3.5,
            bay_m=2.4,
            window_m=(1.5, 2.2),
            frame=(58, 58, 60),
            awnings=0.35,
            lot_m=(11.0, 17.0),
        ),
        street=StreetLook(
            paints=((140, 24, 28), (24, 60, 44), (26, 34, 60)),
            paving=(176, 174, 168),
            slab_m=1.5,
            asphalt=(72, 72, 72),
            setts=0.0,
            marking=(238, 186, 36),
            lamp=(255, 196, 120),
        ),
        shops=(
            "DINER", "PHARMACY", "DELI", "STEAK HOUSE", "BOOKS", "BANK", "COFFEE", "PIZZA",
            "LAUNDROMAT", "BARBER", "HARDWARE", "LIQUORS", "DONUTS", "THEATRE", "PAWN SHOP",
            "TACOS",
        ),
        streets=(
            "State St", "Wabash Ave", "W Lake St", "Michigan Ave", "N Clark St", "Randolph St",
            "Dearborn St", "Wacker Dr",
        ),
        sign=((12, 104, 66), (250, 250, 250)),
        tree="maple",
        skyline="towers",
        taxi=(246, 190, 30),
        loop="FRFLFLFRFRFFRFFFRFFR",
        copied=(("a", 7), ("b", 10)),
    ),
    Town(
        key="siena",
        name="Siena",
        city="Siena",
        country="Italy",
        lat_deg=43.3184,
        lon_deg=11.3316,
        alt_m=370.0,
        bearing_deg=31.0,
        architecture=Architecture(
            material="plaster",
            walls=(
                (204, 152, 92), (190, 124, 78), (216, 176, 120), (176, 110, 76), (224, 196, 150),
            ),
            roof="eaves",
            roof_colour=(176, 106, 74),
            floors=(3, 5),
            floor_m=3.2,
            bay_m=2.6,
            window_m=(1.0, 1.7),
            frame=(222, 206, 176),
            shutters=((48, 78, 56), (70, 92, 62), (96, 68, 48)),
            balconies=0.15,
        ),
        street=StreetLook(
            paints=((62, 84, 54), (112, 62, 38), (128, 34, 34)),
            paving=(158, 134, 110),
            slab_m=0.9,
            asphalt=(112, 104, 96),
            setts=0.5,
            marking=(232, 230, 222),
            lamp=(255, 200, 118),
        ),
        shops=(
            "PANIFICIO", "FARMACIA", "LIBRERIA", "TRATTORIA", "ENOTECA", "GELATERIA",
            "MACELLERIA", "BANCA", "BARBIERE", "OSTERIA", "FIORI", "OREFICERIA", "TABACCHI",
            "PASTICCERIA", "ALBERGO", "CALZOLAIO",
        ),
        streets=(
            "Via di Città", "Banchi di Sopra", "Via del Porrione", "Via Camollia", "Via Salicotto",
            "Piazza del Campo", "Via Pantaneto", "Vicolo del Tone",
        ),
        sign=((240, 236, 222), (38, 48, 110)),
        tree="cypress",
        skyline="hills",
        taxi=(240, 240, 238),
        loop="FFLFRFLFFLFFFLFFFL",
        copied=(("b", 4), ("a", 6)),
    ),
)  # fmt: skip


def town_of(key: str) -> Town:
    """The town of that key."""
    return next(town for town in TOWNS if town.key == key)
