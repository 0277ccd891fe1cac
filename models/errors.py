"""Every error the forecasting core raises, each with a sentence for the person who reads it.

CoreError
├── InvalidPanel        arrays that do not describe a panel of series
├── InvalidConfig       a training configuration with a value outside its limits
├── HorizonTooLong      more steps ahead than the history, or the trained model, allows
├── UnusableHistory     a series, or all of them, without the values the call needs
├── InvalidLevel        an interval level that is not a whole number from 1 to 99
├── DeviceUnavailable   a device that is not known or not there
├── ArtifactDamaged     stored weights or metadata that do not fit together
├── CannotResume        a saved training of another configuration or other data
├── TrainingStopped     the caller asked the training to stop
└── TrainingDiverged    the loss left the finite numbers
"""


class CoreError(Exception):
    """Base of all errors of the core, so that a caller can catch them together."""


class InvalidPanel(CoreError):
    pass


class InvalidConfig(CoreError):
    pass


class HorizonTooLong(CoreError):
    pass


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
