"""Django's own deployment check finds nothing under an https address."""

import os
import subprocess
import sys


def test_the_deployment_check_is_clean_under_https(tmp_path):
    environment = os.environ | {
        "PROVENDER_HOME": str(tmp_path),
        "PROVENDER_PUBLIC_URL": "https://desk.example.test",
        "DJANGO_SETTINGS_MODULE": "provender.config.settings",
        "DATABASE_URL": "",
    }
    command = [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "INFO"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
