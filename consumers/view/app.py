"""The application: the pages, the parts behind them, and the guard before them all."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from consumers.view.part import Part
from consumers.view.security.guard import Guard, Guarded

STATIC = Path(__file__).parent / "static"
# By the path that a page is found at.
PAGES = {
    "/": "index.html",
    "/camera/{camera}": "camera.html",
    "/pipelines": "pipelines.html",
    "/pipelines/try": "try.html",
}


def create_app(parts: Sequence[Part], *, guard: Guard) -> Guarded:
    """The application; each part is started before the first request, and stopped after the last one."""
    pages = [Route(path, _page(name)) for path, name in PAGES.items()]
    routes = [route for part in parts for route in part.routes()]
    health = Route("/healthz", lambda _: Response("ok\n", media_type="text/plain"))
    app = Starlette(
        routes=[*pages, *guard.routes(), *routes, health, Mount("/static", _Static(directory=STATIC))],
        exception_handlers={HTTPException: _problem},
        lifespan=_lifespan(parts),
    )
    # Around all of it, so that an error within bears the security headers, too.
    return Guarded(app, guard)


class _Static(StaticFiles):
    """A new version of a page must not meet a script of the old one: asked for again, and answered with 304."""

    def file_response(self, *args: Any, **more: Any) -> Response:
        """As there."""
        response = super().file_response(*args, **more)
        response.headers["cache-control"] = "no-cache"
        return response


def _lifespan(parts: Sequence[Part]) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in parts:
                await part.start()
                stack.push_async_callback(part.stop)
            yield

    return lifespan


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(_: Request) -> Response:
        # A new version of the view must not meet a page of the old one.
        return FileResponse(STATIC / name, headers={"cache-control": "no-cache"})

    return page


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail if error.detail != "Not Found" else f"there is no {request.url.path}; see /openapi.json"
    return JSONResponse({"error": detail}, error.status_code, headers=error.headers)
