"""uvicorn's flow control with reading that stays paused."""

from uvicorn.protocols.http.flow_control import FlowControl


class HeldFlow(FlowControl):
    """uvicorn's flow control, whose reading stays paused while it is held, whoever wants to go on."""

    _is_held = False

    def hold(self) -> None:
        """Read no more: what was read already waits for its turn."""
        self._is_held = True
        self.pause_reading()

    def release(self) -> None:
        """Read on."""
        self._is_held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        """Read on, unless held."""
        if not self._is_held:
            super().resume_reading()
