using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting.Security;

/// <summary>
/// Knows callers by the header <c>X-API-Key</c> or <c>Authorization: Bearer</c>; gRPC metadata are the same headers.
/// </summary>
internal sealed class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, ApiKeys keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    private const string Bearer = "Bearer ";

    /// <summary>The key of a request; null where it has none.</summary>
    public static string? KeyOf(HttpRequest request)
    {
        if (request.Headers.TryGetValue("X-API-Key", out var key))
        {
            return key.ToString();
        }

        string authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? authorization[Bearer.Length..].Trim()
            : null;
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync() =>
        Task.FromResult(KeyOf(Request) switch
        {
            null => AuthenticateResult.NoResult(),
            var key when keys.Find(key) is { } principal =>
                AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme.Name)),
            _ => AuthenticateResult.Fail("unknown key"),
        });
}
