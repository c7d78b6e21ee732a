"""What to do about a host that cannot be reached, or whose certificate is not trusted: which setting names it."""

from __future__ import annotations

from time import gmtime, strftime

from .. import errors
from ..aws import endpoints
from ..text import similar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..aws.call import Call
    from ..errors import EntrypointError, Kind
    from ..references import Reference

VARIANTS = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")
VPC = (
    "check network access to that host: a function in a VPC needs a VPC endpoint for the service or a NAT gateway, and "
    "a security group that allows outbound HTTPS"
)


def now() -> str:
    """This machine's time, as in a Date header."""
    return strftime("%a, %d %b %Y %H:%M:%S GMT", gmtime())


def _unreachable(error: EntrypointError, reference: Reference, call: Call, environ: Mapping[str, str]) -> str:
    setting = _setting(error, call, environ)
    if setting:
        return f"check {setting}, which names that host, and network access to it"
    if call.region and call.region not in endpoints.known_regions():
        return _unknown_region(reference, call, environ)
    variants = " and ".join(name for name in VARIANTS if endpoints.flag(environ, name))
    if variants:
        return (
            f"that host is selected by {variants}: check that the service has such a host in {call.region}, or unset "
            f"{variants}; {VPC}"
        )
    return VPC


def _credentials_unreachable(
    error: EntrypointError, reference: Reference, call: Call, environ: Mapping[str, str]
) -> str:
    """The source of the credentials may have a host in the Region, as STS has."""
    if f".{call.region}." in str(error) and call.region not in endpoints.known_regions():
        return _unknown_region(reference, call, environ)
    return (
        "check network access to that host, and what names it: a variable (AWS_CONTAINER_CREDENTIALS_*, "
        "AWS_ENDPOINT_URL), or the profile"
    )


def _setting(error: EntrypointError, call: Call, environ: Mapping[str, str]) -> str:
    """The setting that names the host which `error` is about, "" if it is AWS's own."""
    variable = endpoints.url_variable(call.service, environ)
    if variable:
        return variable
    ordinary = endpoints.resolve(call.service, call.region, environ)
    # Every message about the network names the host.
    by_profile = ordinary is not None and ordinary.authority not in str(error)
    return "the profile (endpoint_url, use_fips_endpoint, use_dualstack_endpoint)" if by_profile else ""


def _unknown_region(reference: Reference, call: Call, environ: Mapping[str, str]) -> str:
    """Where the Region is from, and the nearest one."""
    region, known = call.region, endpoints.known_regions()
    where = endpoints.region_variable(environ) or "the profile's region"
    if reference.region:
        where = "the ARN's Region"
    zone_of = next((name for name in known if region.startswith(name) and not region[len(name)].isdigit()), "")
    if zone_of:
        return f"{where} is {region}, which is a zone; set the Region: {zone_of}"
    nearest = similar(region, known)
    suggestion = f"did you mean {nearest}?" if nearest else "check its name"
    return f"{where} is {region}, which is not a known Region; {suggestion}"


def _of_another_host(error: EntrypointError, _: Reference, call: Call, environ: Mapping[str, str]) -> str:
    # Of a proxy, or a source of credentials, the message says so behind the name: no setting of the service names it.
    setting = "" if ") is not trusted" in str(error) else _setting(error, call, environ)
    named = f"check {setting}, which names that host, and " if setting else ""
    return f"{named}find out what answers in its place: a proxy that inspects TLS, for instance, or a wrong DNS record"


def _expired(*_: object) -> str:
    return f"whoever runs that host has to renew it, unless the clock is wrong: this machine's time is {now()}"


def _not_yet_valid(*_: object) -> str:
    return f"set the clock: this machine's time is {now()}"


HINTS: Mapping[Kind, Callable[[EntrypointError, Reference, Call, Mapping[str, str]], str]] = {
    errors.CERTIFICATE_EXPIRED: _expired,
    errors.CERTIFICATE_NOT_YET_VALID: _not_yet_valid,
    errors.CERTIFICATE_OF_ANOTHER_HOST: _of_another_host,
    errors.CREDENTIALS_UNREACHABLE: _credentials_unreachable,
    errors.UNREACHABLE: _unreachable,
}
