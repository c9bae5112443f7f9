"""What every test has: no way out of this machine, quick passwords, and the cast (`tests/cast.py`)."""

import gc
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.contrib.contenttypes.management import create_contenttypes
from django.db import connection
from django.db.models.signals import post_migrate
from django.http import HttpResponse
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples

import cast
from xero_simulator import Simulator

# Whether a test passes depends neither on chance nor on how busy the machine is: the same examples are drawn each time,
# and none is timed. `./check` doesn't make a failing one small, which takes minutes; the test run by hand fails by the
# same one and does. EXPLORE=1 ./check draws others (docs/house.md).
examples.register_profile(
    "same",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
examples.load_profile("same")
examples.register_profile("check", phases=[Phase.explicit, Phase.generate])
examples.register_profile("explore", derandomize=False)

# Only `scripts/mutations.py` asks for it.
pytest_plugins = ["sync.mutations"] if "PROTOCOL_WITHOUT" in os.environ else []


def refuse_the_outside(event, arguments):
    """Python calls this before each connection and name look-up; it can't be patched away by accident."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a Unix socket's address is a path
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host and not is_here(host):
        raise RuntimeError(f"A test tried to reach {host}; tests stay on this machine.")


def is_here(host):
    name = host.decode() if isinstance(host, bytes) else host
    if name in {"localhost", "0.0.0.0", "::"}:  # noqa: S104 -- asked about, not listened on
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


sys.addaudithook(refuse_the_outside)

# Processes that tests start find the code that is tested, whatever else is installed.
HERE = Path(__file__).resolve().parent
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(HERE.parent / "src"), str(HERE), os.environ.get("PYTHONPATH")])
)


# Style sheets and scripts under their own names, from where they are; tests/cli/test_static.py collects them.
configured.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
configured.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a folder that isn't there

# Whenever a test has its database emptied, Django would write down its permissions for every table again. Nothing of
# ours asks for them: who may do what is `people.roles`.
post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
post_migrate.disconnect(create_contenttypes)


# How the lines of a template are broken is nobody's business: a page's `text` has whitespace where a browser shows it.
OF_BLOCKS = (
    "html|head|meta|title|link|script|body|main|nav|section|header|footer|article|aside|address|div|p|h[1-6]|ul|ol|li|dl|dt|dd"
    "|table|caption|thead|tbody|tfoot|tr|td|th|form|fieldset|legend|select|option|optgroup|datalist|details|summary|dialog"
)
AT_BLOCKS = re.compile(rf" ?(</?(?:{OF_BLOCKS})\b[^>]*>) ?")
SPACE = re.compile(r"\s+")
AS_IT_IS = re.compile(r'(<textarea\b.*?</textarea>|<\w+ class="(?:[^"]* )?pre[ "].*?</)', re.DOTALL)


def as_shown(response):
    text = response.content.decode(response.charset or "utf-8")
    if not response["Content-Type"].startswith("text/html"):
        return text
    parts = AS_IT_IS.split(text)
    parts[::2] = [AT_BLOCKS.sub(r"\1", SPACE.sub(" ", part)) for part in parts[::2]]
    return "".join(parts).strip()


HttpResponse.text = property(as_shown)


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def supplier(db):
    """Harbour Fine Foods of Sydney."""
    return cast.supplier()


ON_SQLITE = connection.vendor == "sqlite"
# What knows no database of ours, and what is about the look of pages, runs once, with SQLite.
# WHOLE=1 ./check postgres runs these there too.
ONCE = ("xero_simulator/", "xero/", "docs/", "house/", "desk/test_frame_axe.py")
# They are not even loaded: Xero's SDK takes each worker seconds.
collect_ignore = [] if ON_SQLITE or os.environ.get("WHOLE") else list(ONCE)


# PostgreSQL's TRUNCATE makes new files for some 200 tables and indexes; hardly a row is in them.
def delete_from(self, _style, tables, **_options):
    rows = [f"DELETE FROM {self.quote_name(table)}" for table in tables]  # noqa: S608 -- the names of our own models
    return ["SET session_replication_role = replica", *rows, "SET session_replication_role = DEFAULT"] if rows else []


if not ON_SQLITE:
    type(connection.ops).sql_flush = delete_from


# What takes longest begins first, so that the workers end together; of these files and folders the tests share what one
# of them started, so they stay with one worker.
LONGEST = (
    "sync/test_protocol_machine.py", "desk/test_frame_axe.py", "journeys/", "cli/test_demo.py",
    "importing/test_real_file.py", "engine/test_processes.py",
)  # fmt: skip
TOGETHER = ("journeys/", "sync/test_crashes.py", "xero_simulator/test_tap_xero.py")


def pytest_collection_modifyitems(config, items):
    """On PostgreSQL leave out what is about SQLite's own ways."""
    items.sort(key=lambda item: not _path(item).startswith(LONGEST))
    if ON_SQLITE:
        return
    left = [item for item in items if item.get_closest_marker("sqlite")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def _path(item):
    return item.path.relative_to(HERE).as_posix()


def pytest_collection_finish():
    """All that is loaded by now stays: it isn't looked through again and again for what could be thrown away."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        """By test, but TOGETHER by file or folder (xdist's own marks for this do nothing with pytest 9.2)."""

        def _split_scope(self, nodeid):
            return next((each for each in TOGETHER if each in nodeid.partition("::")[0]), nodeid)

    return Scheduling(config, log)


@pytest.fixture
def cafe(supplier):
    """Corner Cafe: 14 days from the order, invoiced at placing, base prices, no freight."""
    return cast.venue(supplier, "Corner Cafe")


@pytest.fixture
def at_once(transactional_db):
    """`at_once(people, do)` calls `do(0)`, `do(1)`, … together, each on its own connection; answers their results."""
    if ON_SQLITE and connection.is_in_memory_db():
        pytest.skip("needs PostgreSQL, or SQLite in a file (PROVENDER_TEST_DATABASE)")
    return together


def together(people, do):
    def alone(number):
        try:
            return do(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(people) as pool:
        return list(pool.map(alone, range(people)))


# Every simulator in this process has its answers checked against Xero's own description, whichever test made it; once,
# with SQLite, since it answers the same whatever database asks. How many were is counted in each worker, and said once
# at the end.
described = {"checked": 0, "missing": False}


def check_answer(incoming, answer):
    from tests.xero_simulator.described import check

    if answer.is_json:
        check(incoming.method, incoming.path, answer.status, answer.body)


if ON_SQLITE:
    Simulator.everywhere.append(check_answer)


@pytest.fixture(autouse=True)
def _answers_fit_the_description():
    yield
    module = sys.modules.get("tests.xero_simulator.described")
    if module and module.misfits:
        found, module.misfits[:] = list(module.misfits), []
        pytest.fail("\n".join(found), pytrace=False)


def note_described(counted):
    described["checked"] += counted["checked"]
    described["missing"] |= counted["missing"]


def pytest_sessionfinish(session):
    module = sys.modules.get("tests.xero_simulator.described")
    counted = {"checked": module.counted["checked"], "missing": not module.FILE.exists()} if module else None
    if counted and hasattr(session.config, "workeroutput"):
        session.config.workeroutput["described"] = counted
    elif counted:
        note_described(counted)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    if counted := getattr(node, "workeroutput", {}).get("described"):
        note_described(counted)


def pytest_terminal_summary(terminalreporter):
    if described["missing"]:
        terminalreporter.write_line("Xero simulator: no answers checked, Xero's OpenAPI description is not there")
    elif described["checked"]:
        count = f"{described['checked']:,} JSON answers"
        terminalreporter.write_line(f"Xero simulator: checked {count} against Xero's OpenAPI description")
