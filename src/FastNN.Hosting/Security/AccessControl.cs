using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting.Security;

/// <summary>
/// Admits a request by the table of <see cref="EndpointAccess"/>, and records management calls, the refused ones included.
/// </summary>
internal sealed class AccessControl(RequestDelegate next, IOptions<FastNNServerOptions> options, AuditLog audit)
{
    private static readonly string[] Any = [FastNNScopes.Infer, FastNNScopes.Manage, FastNNScopes.Metrics];
    private static readonly string[] Infer = [FastNNScopes.Infer];
    private static readonly string[] Manage = [FastNNScopes.Manage];
    private static readonly string[] Metrics = [FastNNScopes.Metrics];

    private readonly bool _asks = options.Value.AsksForAuthentication;
    private readonly bool _allowsControl = options.Value.AllowRepositoryControl;

    public Task InvokeAsync(HttpContext context)
    {
        Access access = EndpointAccess.Of(context.GetEndpoint());
        return access == Access.Manage ? AuditAsync(context) : AdmitAsync(context, access);
    }

    /// <summary>The scopes of a key stand in a claim each; those of a token may stand in one claim, apart by spaces.</summary>
    internal static bool Has(ClaimsPrincipal user, string scope) => user.Claims.Any(
        claim => claim.Type is ApiKeys.ScopeClaim or "scp" && claim.Value.Split(' ').Contains(scope));

    private async Task AuditAsync(HttpContext context)
    {
        AuditRecord record = AuditRecord.Begin();
        try
        {
            await AdmitAsync(context, Access.Manage);
        }
        catch (Exception)
        {
            audit.Write(context, record, failed: true);
            throw;
        }

        audit.Write(context, record, failed: false);
    }

    private Task AdmitAsync(HttpContext context, Access access)
    {
        if (access is Access.Foreign or Access.Anyone or Access.Probe)
        {
            return next(context);
        }

        if (_asks)
        {
            if (context.User.Identity?.IsAuthenticated != true)
            {
                return Refusal.WriteAsync(
                    context, StatusCodes.Status401Unauthorized,
                    "This call needs a valid key or token: send the header Authorization: Bearer, or X-API-Key.");
            }

            string[] allowed = access switch
            {
                Access.Read => Any,
                Access.Infer => Infer,
                Access.Metrics => Metrics,
                _ => Manage,
            };
            if (!allowed.Any(scope => Has(context.User, scope)))
            {
                return Refusal.WriteAsync(
                    context, StatusCodes.Status403Forbidden,
                    $"This call needs the scope {string.Join(" or ", allowed)}; the key does not have it.");
            }
        }

        return access == Access.Manage && !_allowsControl
            ? Refusal.WriteAsync(
                context, StatusCodes.Status403Forbidden,
                "This server does not let callers load or unload models; its operator can allow it.")
            : next(context);
    }
}
