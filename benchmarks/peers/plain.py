"""What people write with botocore: fetch each secret, set the variables, become the command."""

import json
import os
import sys
from typing import Any

WORDS = sys.argv[1:]
if __name__ == "__main__":  # under -IS: where botocore is installed comes first
    sys.path.append(WORDS.pop(0))

import botocore.session  # noqa: E402


def main() -> None:
    names = sorted(name for name in os.environ if name.startswith("LAMBDA_ENV_SECRETS_MANAGER_ARN_"))
    references = [os.environ[name] for name in ["SECRETS_MANAGER_ARN", *names] if name in os.environ]
    if references:
        client: Any = botocore.session.Session().create_client("secretsmanager")
        for reference in references:
            secret = client.get_secret_value(SecretId=reference)
            os.environ.update(json.loads(secret["SecretString"]))
    os.execvp(WORDS[0], WORDS)


if __name__ == "__main__":
    main()
