"""The bytes of what is attached to a bill or a credit.

Intuit: asking for a file gives an address that is good for some minutes and signed in itself, at the object store where
QuickBooks keeps files. Our token must not go there.
"""

from collections.abc import Iterator

from connectors.quickbooks.client import Client
from connectors.records import Image

MOST = 10 * 1024 * 1024 + 1  # one byte more than any network takes, which shows that it is too large


def open_image(client: Client, image: Image) -> Iterator[bytes]:
    """The image in chunks, at most `MOST` bytes; RecordRejected where it is no more."""
    return client.file(client.file_address(image.id.partition("-")[0]), most=MOST)
