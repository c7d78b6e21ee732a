"""The variables that only Lambda may set."""

from __future__ import annotations

# What Lambda itself tells the process about the runtime: "Defined runtime environment variables" in the AWS Lambda
# developer guide. A secret that sets one of these would lie to the runtime client.
RESERVED = frozenset(
    {
        "_HANDLER",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
RESERVED_PREFIX = "AWS_LAMBDA_FUNCTION_"


def reserved(name: str) -> bool:
    """Whether Lambda describes the runtime to the process by this name."""
    return name in RESERVED or name.startswith(RESERVED_PREFIX)
