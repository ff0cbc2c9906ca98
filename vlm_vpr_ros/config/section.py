"""What all sections of the parameters have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Checked when it is made, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
