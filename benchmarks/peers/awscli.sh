#!/bin/sh
# What people write with the AWS CLI and jq: fetch each secret, set the variables, become the command.
set -eu
for name in SECRETS_MANAGER_ARN $(env | grep -o '^LAMBDA_ENV_SECRETS_MANAGER_ARN_[^=]*' | sort); do
  eval "reference=\${$name:-}"
  [ -n "$reference" ] || continue
  secret=$(aws secretsmanager get-secret-value --secret-id "$reference" --query SecretString --output text)
  eval "$(printf %s "$secret" | jq -r 'to_entries[] | "export \(.key)=\(.value | @sh)"')"
done
exec "$@"
