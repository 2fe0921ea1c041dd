using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace FastNN.Hosting.Security;

/// <summary>Which tokens are accepted: signed by an asymmetric key, for this audience, not expired.</summary>
internal sealed class TokenSetup(IOptions<FastNNServerOptions> options) : IConfigureNamedOptions<JwtBearerOptions>
{
    public void Configure(JwtBearerOptions bearer) => Configure(null, bearer);

    public void Configure(string? name, JwtBearerOptions bearer)
    {
        FastNNServerOptions server = options.Value;
        bearer.MapInboundClaims = false;
        bearer.Authority = server.JwtAuthority;
        TokenValidationParameters parameters = bearer.TokenValidationParameters;
        parameters.ValidAudience = server.JwtAudience;
        parameters.NameClaimType = "sub";
        parameters.ClockSkew = TimeSpan.FromSeconds(30);
        // Without symmetric algorithms a public key can never be taken for a shared secret.
        parameters.ValidAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];
        if (server.JwtKeyFile is { } path)
        {
            parameters.ValidateIssuer = false;
            parameters.IssuerSigningKey = ReadKey(File.ReadAllText(path));
        }
    }

    private static AsymmetricSecurityKey ReadKey(string pem)
    {
        var ec = ECDsa.Create();
        try
        {
            ec.ImportFromPem(pem);
            return new ECDsaSecurityKey(ec);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            ec.Dispose();
            var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return new RsaSecurityKey(rsa);
        }
    }
}
