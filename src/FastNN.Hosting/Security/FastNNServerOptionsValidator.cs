using System.Globalization;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting.Security;

/// <summary>Refuses options that contradict each other or lie out of their ranges, before the server listens.</summary>
internal sealed class FastNNServerOptionsValidator : IValidateOptions<FastNNServerOptions>
{
    public ValidateOptionsResult Validate(string? name, FastNNServerOptions options)
    {
        var errors = new List<string>();
        AtLeast(errors, nameof(options.MaxRequestBytes), options.MaxRequestBytes, 1);
        AtLeast(errors, nameof(options.MaxHeaderBytes), options.MaxHeaderBytes, 1024);
        AtLeast(errors, nameof(options.MaxConnections), options.MaxConnections, 1);
        AtLeast(errors, nameof(options.MaxConcurrentRequests), options.MaxConcurrentRequests, 1);
        AtLeast(errors, nameof(options.RequestsPerSecond), options.RequestsPerSecond, 0);
        AtLeast(errors, nameof(options.Burst), options.Burst, 1);
        AtLeast(errors, nameof(options.MinBytesPerSecond), options.MinBytesPerSecond, 1);
        AtLeast(errors, nameof(options.MaxMemoryBytes), options.MaxMemoryBytes, 0);
        Positive(errors, nameof(options.HeaderTimeout), options.HeaderTimeout);
        Positive(errors, nameof(options.KeepAliveTimeout), options.KeepAliveTimeout);
        Exists(errors, nameof(options.ApiKeyFile), options.ApiKeyFile);
        Exists(errors, nameof(options.JwtKeyFile), options.JwtKeyFile);
        bool hasTokens = options.JwtAuthority is not null || options.JwtKeyFile is not null;
        if (options is { JwtAuthority: not null, JwtKeyFile: not null })
        {
            errors.Add("expected JwtAuthority or JwtKeyFile, got both; an authority publishes its keys itself");
        }

        if (options.JwtAuthority is { } authority
            && !(Uri.TryCreate(authority, UriKind.Absolute, out Uri? address) && address.Scheme == Uri.UriSchemeHttps))
        {
            errors.Add($"expected JwtAuthority to be an https address, got '{authority}'");
        }

        if (hasTokens && string.IsNullOrEmpty(options.JwtAudience))
        {
            errors.Add(
                "expected JwtAudience beside JwtAuthority or JwtKeyFile: without it tokens for other services would be accepted");
        }

        if (!Enum.IsDefined(options.LogInputs))
        {
            errors.Add($"expected LogInputs to be Off, Shapes or Redacted, got {options.LogInputs}");
        }

        foreach (string origin in options.CorsOrigins.Where(origin => !IsOrigin(origin)))
        {
            errors.Add($"expected CorsOrigins such as https://example.com, without a path, or *; got '{origin}'");
        }

        foreach (string host in options.AllowedHosts.Where(host => !IsHost(host)))
        {
            errors.Add($"expected AllowedHosts such as example.com or *.example.com, without scheme and port; got '{host}'");
        }

        return errors.Count == 0
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail($"FastNNServerOptions: {string.Join("; ", errors)}.");
    }

    internal static bool IsOrigin(string text) => text == "*"
        || (Uri.TryCreate(text, UriKind.Absolute, out Uri? origin) && origin.Scheme is "http" or "https"
            && text.Equals(origin.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase));

    internal static bool IsHost(string text)
    {
        string name = text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text.Trim('[', ']');
        return text == "*" || Uri.CheckHostName(name) != UriHostNameType.Unknown;
    }

    private static void AtLeast(List<string> errors, string name, long value, long least)
    {
        if (value < least)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"expected {name} to be at least {least}, got {value}"));
        }
    }

    private static void Positive(List<string> errors, string name, TimeSpan value)
    {
        if (value <= TimeSpan.Zero)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"expected {name} to be above zero, got {value}"));
        }
    }

    private static void Exists(List<string> errors, string name, string? path)
    {
        if (path is not null && !File.Exists(path))
        {
            errors.Add($"{name}: there is no file '{path}'");
        }
    }
}
