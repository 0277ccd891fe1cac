"""Where a model came from: all it takes to train it again."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples
from app.schemas.choices import Architecture, MethodChoice
from app.schemas.datasets import Time


class Lineage(BaseModel):
    """What decided a model to the last bit, and the hashes of what came out.

    Times are those of the series that ends last.
    """

    model_config = ConfigDict(json_schema_extra={"example": examples.LINEAGE})

    dataset_version: Annotated[int, Field(description="The version of the dataset that it learnt from.")]
    data_sha256: Annotated[str, Field(description="Hash of all values, gaps and places in the season.")]
    config: Annotated[
        dict[str, Any], Field(description="Every number that shaped the training, the seed among them.")
    ]
    architectures: Annotated[list[Architecture], Field(description="The networks that were tried.")]
    method: Annotated[MethodChoice, Field(description="What was asked for as the method that answers.")]
    device: Annotated[str, Field(description="What it was trained on: `cpu` or `cuda`.")]
    versions: Annotated[
        dict[str, str], Field(description="Versions of Gatecast and of the libraries that compute.")
    ]
    learned_until: Annotated[
        Time, Field(description="Last time that the fit which answers has learnt from: the end of the data.")
    ]
    backtest_learned_until: Annotated[
        Time, Field(description="Last time that the fit which was tested had learnt from.")
    ]
    held_out_steps: Annotated[
        int, Field(description="Steps at the end of each series that the tested fit had not seen.")
    ]
    cutoffs: Annotated[
        list[Time], Field(description="From where the tested fit forecast, the earliest first.")
    ]
    weights_sha256: Annotated[str, Field(description="Hash of the weights.")]
    backtest_sha256: Annotated[str, Field(description="Hash of the rows of the backtest, as stored.")]
    methods_sha256: Annotated[
        str,
        Field(description="Hash of the weights and calibration of every method, as JSON with sorted keys."),
    ]
