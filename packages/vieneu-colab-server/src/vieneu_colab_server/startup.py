"""The start of an app: a failure of ours is kept, so that the command can name it."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vieneu_core.errors import VieneuError

_FAILED = "lifespan.startup.failed"


class StartupFailureRecorder:
    """Passes everything on to an app. Of a `VieneuError` at its start no traceback is logged."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.failure: VieneuError | None = None
        """Why the app did not start; None if it did, or for a reason that has no name."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or run the app's lifespan."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        failed: Message | None = None

        async def send_later(message: Message) -> None:
            nonlocal failed
            if message["type"] == _FAILED:
                failed = message  # the error itself follows
            else:
                await send(message)

        try:
            await self.app(scope, receive, send_later)
        except VieneuError as error:
            if failed is not None:
                self.failure = error
                failed = {"type": _FAILED, "message": ""}
            raise
        finally:
            if failed is not None:
                await send(failed)
