"""Run tap-xero against another address: `python tap_at.py ADDRESS --config …`.

The tap's own Python runs this, so nothing of ours is imported. Both of its addresses stand fixed in its code, so each
request is turned to ADDRESS on its way out; nothing else of it is touched.
"""

import sys

import requests
import tap_xero
from requests.adapters import HTTPAdapter

ADDRESS = sys.argv.pop(1)


class Turned(HTTPAdapter):
    def send(self, request, **how):
        request.url = ADDRESS + request.path_url
        return super().send(request, **how)


class TurningSession(requests.Session):
    def __init__(self):
        super().__init__()
        self.mount("https://", Turned())


tap_xero.client.requests.Session = TurningSession
tap_xero.main()
