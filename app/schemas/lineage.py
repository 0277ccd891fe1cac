"""The lineage of a model: everything that is needed to train it again."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import examples
from app.schemas.choices import Architecture, MethodChoice
from app.schemas.datasets import Time


class Lineage(BaseModel):
    """Everything that determines a model to the last bit, and the hashes of the result.

    Times are those of the series that ends last.
    """

    model_config = ConfigDict(json_schema_extra={"example": examples.LINEAGE})

    dataset_version: Annotated[int, Field(description="The version of the dataset that it was trained on.")]
    data_sha256: Annotated[str, Field(description="Hash of all values, gaps and places in the season.")]
    config: Annotated[dict[str, Any], Field(description="Every setting of the training, with the seed.")]
    architectures: Annotated[list[Architecture], Field(description="The networks that were tried.")]
    method: Annotated[MethodChoice, Field(description="The requested served method.")]
    device: Annotated[str, Field(description="What it was trained on: `cpu` or `cuda`.")]
    versions: Annotated[
        dict[str, str], Field(description="Versions of Gatecast and of the libraries that compute.")
    ]
    learned_until: Annotated[
        Time, Field(description="Last time that the served fit was trained on: the end of the data.")
    ]
    backtest_learned_until: Annotated[
        Time, Field(description="Last time that the tested fit was trained on.")
    ]
    held_out_steps: Annotated[
        int, Field(description="Steps at the end of each series that were held out from the tested fit.")
    ]
    cutoffs: Annotated[
        list[Time], Field(description="The cuts from which the tested fit forecast, earliest first.")
    ]
    weights_sha256: Annotated[str, Field(description="Hash of the weights.")]
    backtest_sha256: Annotated[str, Field(description="Hash of the rows of the backtest, as stored.")]
    methods_sha256: Annotated[
        str,
        Field(description="Hash of the weights and calibration of every method, as JSON with sorted keys."),
    ]
