using FastNN.Hosting.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FastNN.Hosting;

/// <summary>What makes an application with FastNN's endpoints safe on a network.</summary>
public static class FastNNServerExtensions
{
    private const string Either = "FastNN";

    /// <summary>
    /// Adds keys, tokens, scopes, limits and the audit log; options that cannot work stop the start with their names.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddFastNNServer(
        this IServiceCollection services, Action<FastNNServerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<FastNNServerOptions>().Configure(configure ?? (_ => { })).ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IValidateOptions<FastNNServerOptions>, FastNNServerOptionsValidator>();
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>, KestrelSetup>();
        services.AddSingleton<IConfigureOptions<RateLimiterOptions>, LoadLimits>();
        services.AddSingleton<IConfigureOptions<JwtBearerOptions>, TokenSetup>();
        GuardCatalog(services);
        services.AddCors();
        services.AddSingleton<IConfigureOptions<CorsOptions>, CorsSetup>();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<AuditLog>();
        services.AddSingleton<IHostedService, ExposureCheck>();
        services.AddRateLimiter(_ => { });
        services.AddAuthentication(Either)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeys.Scheme, null)
            .AddJwtBearer()
            .AddPolicyScheme(Either, null, scheme => scheme.ForwardDefaultSelector = context =>
            {
                FastNNServerOptions options = context.RequestServices.GetRequiredService<IOptions<FastNNServerOptions>>().Value;
                bool tokens = options.JwtAuthority is not null || options.JwtKeyFile is not null;
                // A token has two dots, a key none.
                return tokens && ApiKeyHandler.KeyOf(context.Request)?.Contains('.') == true
                    ? JwtBearerDefaults.AuthenticationScheme
                    : ApiKeys.Scheme;
            });
        return services;
    }

    /// <summary>Puts the checks before the endpoints; call it before anything is mapped.</summary>
    /// <param name="app">The application.</param>
    /// <returns>The application.</returns>
    public static IApplicationBuilder UseFastNNServer(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        // Keys and log are opened now: a file that cannot be used stops the start rather than the first request.
        app.ApplicationServices.GetRequiredService<ApiKeys>();
        app.ApplicationServices.GetRequiredService<AuditLog>();
        app.UseMiddleware<LastResort>();
        app.UseRouting();
        app.UseMiddleware<AddressCheck>();
        FastNNServerOptions options = app.ApplicationServices.GetRequiredService<IOptions<FastNNServerOptions>>().Value;
        if (options.CorsOrigins.Count > 0)
        {
            app.UseCors(CorsSetup.Policy);
        }

        app.UseAuthentication();
        app.UseRateLimiter();
        if (options.MaxMemoryBytes > 0)
        {
            app.UseMiddleware<MemoryLimit>();
        }

        app.UseMiddleware<AccessControl>();
        return app;
    }

    /// <summary>
    /// Puts <see cref="GuardedCatalog"/> before the catalog, whether that is among the services already or is added behind this:
    /// <c>AddFastNN</c> leaves a catalog that it finds.
    /// </summary>
    private static void GuardCatalog(IServiceCollection services)
    {
        ServiceDescriptor? inner = services.LastOrDefault(
            service => service.ServiceType == typeof(IModelCatalog) && !service.IsKeyedService);
        if (inner is not null)
        {
            services.Remove(inner);
        }

        services.AddSingleton<IModelCatalog>(provider =>
        {
            IModelCatalog catalog = inner switch
            {
                null => provider.GetRequiredService<ModelCatalog>(),
                { ImplementationInstance: IModelCatalog instance } => instance,
                { ImplementationFactory: { } factory } => (IModelCatalog)factory(provider),
                _ => (IModelCatalog)ActivatorUtilities.CreateInstance(provider, inner.ImplementationType!),
            };
            InputLogging mode = provider.GetRequiredService<IOptions<FastNNServerOptions>>().Value.LogInputs;
            return new GuardedCatalog(catalog, mode == InputLogging.Off
                ? null
                : new InputLog(mode, provider.GetRequiredService<ILoggerFactory>().CreateLogger("FastNN.Hosting.Inputs")));
        });
    }
}
