"""Uploads a file with tuspy, however often the network breaks, and prints the URL of the upload."""

import sys

from tusclient import client

endpoint, authorization, path = sys.argv[1:]
tus = client.TusClient(endpoint, headers={"authorization": authorization})
url = None
for _ in range(200):
    try:
        uploader = tus.uploader(path, chunk_size=500_000, url=url, metadata={"filename": "a file"})
        url = uploader.url or uploader.create_url()
        uploader.set_url(url)
        uploader.offset = uploader.get_offset()
        uploader.upload()
        print(url)
        break
    except Exception as error:
        print(error, file=sys.stderr)
else:
    sys.exit("it never succeeded")
