class Patch: ...

class Rectangle(Patch):
    def __init__(
        self,
        xy: tuple[float, float],
        width: float,
        height: float,
        *,
        facecolor: str = ...,
        alpha: float = ...,
    ) -> None: ...

class FancyBboxPatch(Patch):
    def __init__(
        self,
        xy: tuple[float, float],
        width: float,
        height: float,
        *,
        boxstyle: str = ...,
        facecolor: str = ...,
        edgecolor: str = ...,
        linewidth: float = ...,
        alpha: float = ...,
    ) -> None: ...
