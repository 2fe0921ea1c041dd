using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace FastNN.Hosting.Security;

/// <summary>
/// Against pages of strangers in a browser beside the server. A name that such a page makes lead to this machine is refused by
/// the header Host, and what such a page sends across by the headers Sec-Fetch-Site and Origin, where no key protects the server.
/// </summary>
internal sealed class AddressCheck(RequestDelegate next, IOptions<FastNNServerOptions> options)
{
    private readonly FastNNServerOptions _options = options.Value;
    private readonly StringSegment[] _names = [.. options.Value.AllowedHosts.Select(name => new StringSegment(name))];

    public Task InvokeAsync(HttpContext context)
    {
        // Probes are exempt: they name the server by whatever address it has just now.
        if (EndpointAccess.Of(context.GetEndpoint()) == Access.Probe)
        {
            return next(context);
        }

        if (!IsOwnName(context))
        {
            return Refusal.WriteAsync(
                context, StatusCodes.Status400BadRequest,
                "This server does not answer under the name in the header Host; its operator can allow the name.");
        }

        return IsFromOtherSite(context)
            ? Refusal.WriteAsync(
                context, StatusCodes.Status403Forbidden,
                "This server takes no requests from pages of other origins; its operator can allow the origin.")
            : next(context);
    }

    private bool IsOwnName(HttpContext context)
    {
        string host = context.Request.Host.Host;
        if (_names.Length > 0)
        {
            return _options.AllowedHosts.Contains("*") || (host.Length > 0 && HostString.MatchesAny(host, _names));
        }

        // A proxy on the same machine may send any name; with keys, a page that leads here has none.
        return _options.AsksForAuthentication
            || context.Connection.LocalIpAddress is not { } local || !IPAddress.IsLoopback(local)
            || host.Length == 0
            || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
    }

    private bool IsFromOtherSite(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (_options.AsksForAuthentication || HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
            || HttpMethods.IsOptions(request.Method))
        {
            return false;
        }

        string origin = request.Headers.Origin.ToString();
        if (_options.CorsOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase) || _options.CorsOrigins.Contains("*"))
        {
            return false;
        }

        // Browsers set Sec-Fetch-Site, and a page cannot; older ones send the origin alone.
        string site = request.Headers["Sec-Fetch-Site"].ToString();
        return site.Length > 0
            ? site is not ("same-origin" or "none")
            : origin.Length > 0 && !(Uri.TryCreate(origin, UriKind.Absolute, out Uri? page)
                && page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }
}
