"""The two forms in which Open311 answers: the same documents as JSON and as XML, with the standard's names."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec
from fastapi.responses import Response

Document = Mapping[str, Any]


class Form(StrEnum):
    """How an address ends."""

    JSON = "json"
    XML = "xml"

    @property
    def media_type(self) -> str:
        """As it is sent."""
        return "text/xml; charset=utf-8" if self is Form.XML else "application/json"


class Kind(StrEnum):
    """What a list is of: the names of its element in XML, and of what stands in it."""

    SERVICES = "services/service"
    REQUESTS = "service_requests/request"
    ERRORS = "errors/error"


def of_path(path: str) -> Form:
    """The form that an address asks for."""
    return Form.XML if path.endswith(".xml") else Form.JSON


def listed(
    form: Form,
    kind: Kind,
    documents: Sequence[Document],
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that is a list."""
    if form is Form.JSON:
        return Response(msgspec.json.encode(documents), status, headers, form.media_type)
    name, each = kind.split("/")
    root = Element(name)
    for document in documents:
        _fill(SubElement(root, each), document)
    return _as_xml(root, status, headers)


def one(form: Form, name: str, document: Document) -> Response:
    """An answer that is a single document, which XML calls so."""
    if form is Form.JSON:
        return Response(msgspec.json.encode(document), media_type=form.media_type)
    root = Element(name)
    _fill(root, document)
    return _as_xml(root)


def _as_xml(root: Element, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    text = tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(text, status, headers, Form.XML.media_type)


def _fill(element: Element, document: Document) -> None:
    """A document as elements; of a list of ``formats`` each is a ``format``, what is null is an empty element."""
    for name, value in document.items():
        child = SubElement(element, name)
        if isinstance(value, list):
            for each in value:
                part = SubElement(child, name.removesuffix("s"))
                if isinstance(each, Mapping):
                    _fill(part, each)
                else:
                    part.text = _said(each)
        else:
            child.text = _said(value)


def _said(value: Any) -> str:
    """A value as text; of what somebody wrote, only what XML has characters for."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "".join(_characters(str(value)))


def _characters(text: str) -> Iterator[str]:
    return (each for each in text if each in "\t\n\r" or (each >= " " and each not in "\ufffe\uffff"))
