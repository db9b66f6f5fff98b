"""Records as files, sent while they are read, however many there are."""

from collections.abc import AsyncIterator

from litestar.response import Stream

from flow2api.domain.request_log import FileForm

_TYPES: dict[FileForm, str] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


def form_of(name: str) -> FileForm:
    """The form of file that an address asks for: a table, unless it says lines of JSON."""
    return "jsonl" if name == "jsonl" else "csv"


def file_of(pieces: AsyncIterator[str], name: str, form: FileForm) -> Stream:
    """An answer that browsers keep as a file, sent as it is read."""

    async def encoded() -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece.encode()

    headers = {"content-disposition": f'attachment; filename="{name}.{form}"', "content-type": _TYPES[form]}
    return Stream(encoded(), headers=headers)
