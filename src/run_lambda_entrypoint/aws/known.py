"""What build.py takes out of botocore's data, so that no start has to parse it. Empty where it runs from source.

`REGIONS`: the partition of each Region, and the suffix of its hosts. `AMAZON_ROOTS`: the certificates that AWS's own
hosts chain to, in DER, Amazon Root CA 1 first.
"""

REGIONS: "dict[str, tuple[str, str]]" = {}
AMAZON_ROOTS: "tuple[bytes, ...]" = ()
