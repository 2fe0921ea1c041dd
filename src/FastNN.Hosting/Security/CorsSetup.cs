using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting.Security;

/// <summary>Which pages of other origins may call: any header and method, and no cookies, since keys travel in headers.</summary>
internal sealed class CorsSetup(IOptions<FastNNServerOptions> options) : IConfigureOptions<CorsOptions>
{
    public const string Policy = "FastNN";

    public void Configure(CorsOptions cors) => cors.AddPolicy(Policy, policy => policy
        .WithOrigins([.. options.Value.CorsOrigins])
        .AllowAnyHeader()
        .AllowAnyMethod()
        .WithExposedHeaders("Inference-Header-Content-Length", "Retry-After"));
}
