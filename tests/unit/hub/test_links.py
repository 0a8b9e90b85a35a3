"""Links of an answer: https or this machine, never from the public internet into our network, and few headers."""

from __future__ import annotations

import socket

import pytest

from openllm_repos.hub.links import BadLink, Link, require_reachable

HUB = "https://8.8.8.8"  # an address needs no look-up
LOCAL = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("link", "endpoint"),
    [
        ("https://1.1.1.1/x?signature=1", HUB),
        ("https://8.8.8.8:8443/x", HUB),
        ("http://localhost:9/x", LOCAL),
        ("https://1.1.1.1/x", LOCAL),
        ("https://10.1.2.3/store", "https://10.1.2.4"),  # a Hub of one's own, in a network of one's own
        ("https://1.1.1.1/x", "https://10.1.2.4"),
    ],
)
def test_a_store_is_reached_by_https_or_on_this_machine(link: str, endpoint: str) -> None:
    require_reachable(link, endpoint)


@pytest.mark.parametrize(
    "link",
    [
        "http://1.1.1.1/x",
        "http://127.0.0.1/x",
        "ftp://1.1.1.1/x",
        "file:///etc/passwd",
        "//1.1.1.1/x",
        "x",
        "https://",
        "https://1.1.1.1:99999/x",
        "https://[::1",
        "https://me:secret@1.1.1.1/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://192.168.1.1/x",
        "https://[::1]/x",
        "https://[fe80::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://0x7f.1/x",
        "https://2130706433/x",
    ],
)
def test_a_public_hub_leads_nobody_to_plain_http_or_into_their_own_network(link: str) -> None:
    with pytest.raises(BadLink) as refused:
        require_reachable(link, HUB)
    assert "secret" not in str(refused.value)


def test_a_name_that_stands_for_an_inner_address_is_one() -> None:
    name = socket.gethostname()
    try:
        socket.getaddrinfo(name, 443)
    except OSError:
        pytest.skip("this machine does not know its own name")
    with pytest.raises(BadLink, match="the network of this machine"):
        require_reachable(f"https://{name}/x", HUB)


def test_headers_that_stores_sign_are_taken() -> None:
    header = {"Authorization": "Basic x", "X-Amz-Date": "1", "x-ms-blob-type": "BlockBlob", "Content-Type": "a/b"}
    found = Link.parse({"href": "https://1.1.1.1/x", "header": header, "expires_in": 900}, HUB)
    assert found.headers == {name.lower(): value for name, value in header.items()}
    assert "1.1.1.1" not in repr(found)


@pytest.mark.parametrize(
    "header",
    [
        {"Host": "x"},
        {"Content-Length": "1"},
        {"TRANSFER-ENCODING": "chunked"},
        {"Connection": "close"},
        {"Cookie": "x"},
        {"x-amz-\r\nHost": "x"},
        {"x-amz-a": "x\r\nHost: y"},
        {"x-amz-a": "\u00fc"},
        {"x-amz-a": "x" * 9000},
        {"x-amz-a": 1},
        [],
    ],
    ids=ascii,
)
def test_headers_that_no_upload_needs_are_refused(header: object) -> None:
    if header == []:
        assert Link.parse({"href": "https://1.1.1.1/x", "header": header}, HUB).headers == {}
        return
    with pytest.raises(BadLink):
        Link.parse({"href": "https://1.1.1.1/x", "header": header}, HUB)


@pytest.mark.parametrize(
    "header",
    [
        {"chunk_size": "0", "1": "https://1.1.1.1/1"},
        {"chunk_size": "-5", "1": "https://1.1.1.1/1"},
        {"chunk_size": "\u0663", "1": "https://1.1.1.1/1"},
        {"chunk_size": "50", "2": "https://1.1.1.1/2"},
        {"chunk_size": "50", "1": "https://1.1.1.1/1", "01": "https://1.1.1.1/1"},
        {"chunk_size": "50", "1": "http://1.1.1.1/1"},
        {"chunk_size": "50", "1": "https://1.1.1.1/1", "Host": "x"},
    ],
    ids=ascii,
)
def test_parts_that_make_no_sense_are_refused(header: dict[str, str]) -> None:
    with pytest.raises(BadLink):
        Link.parse({"href": "https://1.1.1.1/x", "header": header}, HUB)
