"""The product's settings, on a database server of the tests' own that may lose its data and is therefore quick."""

import os
from pathlib import Path

os.environ.setdefault("MLCONNECTOR_HOME", str(Path(__file__).resolve().parent.parent / "var-tests"))
os.environ.setdefault("MLCONNECTOR_TEST_RUN", str(os.getpid()))  # processes of one run inherit it

from mlconnector.settings import *  # noqa: E402, F403
from mlconnector.settings import DATABASES

# Two runs at once in one checkout do not meet.
DATABASES["default"]["TEST"] = {"NAME": f"test_{os.environ['MLCONNECTOR_TEST_RUN']}"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
