"""As in AWS's base images for Python: the runtime client, with the function's own modules first."""

import os
import sys

from awslambdaric.__main__ import main

sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
main(["awslambdaric", os.environ["_HANDLER"]])
