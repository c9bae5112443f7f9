"""Whether the Xero simulator is ever the bottleneck: prints what a batch, a page and 100,000 invoices cost.

Run it by itself: `python benchmarks/simulator.py [--invoices 100000]`. Everything is in one process and in memory.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable

import httpx2

from xero_simulator import Simulator
from xero_simulator.testing import FaultyTransport, connect

API = "/api.xro/2.0/Invoices"


def batch(number: int, invoices: int = 50, lines: int = 10) -> dict[str, object]:
    """Invoices as an ordinary client sends them."""
    line = {
        "Description": "Olive oil, 4 l",
        "Quantity": 3,
        "UnitAmount": 17.35,
        "AccountCode": "200",
        "TaxType": "OUTPUT",
    }
    return {
        "Invoices": [
            {
                "Type": "ACCREC",
                "InvoiceNumber": f"B-{number}-{position}",
                "Contact": {"Name": "Ridgeway Bakery"},
                "Date": "2026-11-24",
                "DueDate": "2026-12-08",
                "Status": "AUTHORISED",
                "LineItems": [line] * lines,
            }
            for position in range(invoices)
        ]
    }


def timed(act: Callable[[], object], times: int) -> float:
    """The median CPU time of one call, in milliseconds."""
    took = []
    for _ in range(times):
        start = time.process_time()
        act()
        took.append((time.process_time() - start) * 1000)
    return statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=100_000)
    wanted = parser.parse_args().invoices
    simulator = Simulator(limits=False)
    http = httpx2.Client(transport=FaultyTransport(simulator), base_url="http://localhost", timeout=None)
    headers = connect(http, simulator).headers | {"Accept-Encoding": "identity"}
    numbers = iter(range(10_000_000))

    def put(lines: int = 10) -> None:
        answer = http.put(
            API,
            json=batch(next(numbers), lines=lines),
            headers=headers,
            params={"summarizeErrors": "false", "unitdp": 4},
        )
        answer.raise_for_status()

    rows = [("PUT 50 invoices x 10 lines (client included)", f"{timed(put, 30):.1f} ms CPU", "25 ms")]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    while len(simulator.organisations[next(iter(simulator.organisations))].invoices) < wanted:
        put(lines=4)
        headers.update(connect(http, simulator).headers)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append((f"{wanted:,} invoices x 4 lines in memory", f"{after - before:,.0f} MB", "1,000 MB"))
    for title, params in (
        ("page of 1,000, four places", {"page": 3, "pageSize": 1000, "unitdp": 4}),
        ("page of 1,000, two places", {"page": 3, "pageSize": 1000}),
        ("page of 1,000 by where", {"page": 1, "pageSize": 1000, "where": 'Type=="ACCREC" AND Total>100'}),
    ):
        cost = timed(lambda params=params: http.get(API, headers=headers, params=params).raise_for_status(), 5)
        rows.append((title, f"{cost:.0f} ms CPU", "300 ms"))
    headers["If-Modified-Since"] = "2099-01-01T00:00:00"
    cost = timed(lambda: http.get(API, headers=headers, params={"page": 1}).raise_for_status(), 5)
    rows.append(("poll with nothing new", f"{cost:.1f} ms CPU", ""))
    width = max(len(title) for title, _cost, _aim in rows)
    print(f"{'':{width}}  {'measured':>14}  {'aim':>9}")
    for title, cost_text, aim in rows:
        print(f"{title:{width}}  {cost_text:>14}  {aim:>9}")


if __name__ == "__main__":
    main()
