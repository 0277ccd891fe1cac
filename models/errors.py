"""Every error that the core raises, each with a sentence for its reader.

CoreError
├── InvalidPanel        arrays that do not describe a panel of series
├── InvalidConfig       a training configuration with a value outside its limits
├── HorizonTooLong      more steps ahead than the history or the trained model allows
├── TooManyCuts         more cuts of a backtest than the history has room for
├── UnusableHistory     series without the values that the call needs
├── InvalidLevel        an interval level that is not a whole number from 1 to 99
├── DeviceUnavailable   an unknown or missing device
├── ArtifactDamaged     stored weights that do not fit their metadata
├── CannotResume        a saved training with another configuration or other data
├── TrainingStopped     a training that the caller stopped
└── TrainingDiverged    a loss that is not finite
"""


class CoreError(Exception):
    """Base of all errors of the core."""


class InvalidPanel(CoreError):
    pass


class InvalidConfig(CoreError):
    pass


class HorizonTooLong(CoreError):
    """`detail` says what is too long, and `remedy` what is possible."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(f"{detail} {remedy}")
        self.detail, self.remedy = detail, remedy


class TooManyCuts(CoreError):
    """`detail` says what is too much, and `remedy` what is possible."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(f"{detail} {remedy}")
        self.detail, self.remedy = detail, remedy


class UnusableHistory(CoreError):
    pass


class InvalidLevel(CoreError):
    pass


class DeviceUnavailable(CoreError):
    pass


class ArtifactDamaged(CoreError):
    pass


class CannotResume(CoreError):
    pass


class TrainingStopped(CoreError):
    pass


class TrainingDiverged(CoreError):
    pass
