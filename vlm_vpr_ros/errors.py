"""What can go wrong because of the input, as errors whose text a user can act on.

Every message says what is wrong, where, and how to mend it. The command line prints it without a
traceback; the node turns it into a reason. Anything that is not a `VlmVprError` is a bug of ours.
"""


class VlmVprError(Exception):
    """Base of all errors caused by what the user or a file gave us."""


class ConfigError(VlmVprError):
    """A parameter is unknown, of the wrong type or out of range."""


class ModelError(VlmVprError):
    """A model card or model file is missing, damaged or does not fit."""


class RegionError(VlmVprError):
    """A region index is missing, damaged, or was built for something else."""


class SourceError(VlmVprError):
    """A source of images (bag, table, folder) cannot be read."""


class ImageError(VlmVprError):
    """An image cannot be decoded.

    Attributes:
        stamp_ns: of the image; 0 as long as it is not known.
    """

    stamp_ns: int = 0


class MessageError(VlmVprError):
    """A message holds what cannot be used."""


class UnsupportedEncodingError(ImageError):
    """The image is sound, but of an encoding that we do not read."""


class PriorError(VlmVprError):
    """A geographic prior is no distribution, or its file cannot be read."""
