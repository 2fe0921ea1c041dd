using System.Text;
using FastNN.Hosting;
using FastNN.Hosting.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps what a service measures.</summary>
public static class MetricsEndpointExtensions
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>
    /// Maps the metrics of FastNN and of the .NET runtime for Prometheus, in its text format 0.0.4 or in OpenMetrics 1.0 as the
    /// caller asks. It counts from here on.
    /// </summary>
    /// <param name="endpoints">Where to map.</param>
    /// <param name="pattern">The path. Default <c>/metrics</c>.</param>
    /// <returns>For further conventions, such as <c>RequireAuthorization</c>.</returns>
    /// <exception cref="InvalidOperationException">FastNN is not among the services.</exception>
    public static IEndpointConventionBuilder MapFastNNMetrics(this IEndpointRouteBuilder endpoints, string pattern = "/metrics")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        MetricCollector collector = endpoints.ServiceProvider.GetService<MetricCollector>()
            ?? throw new InvalidOperationException(
                "MapFastNNMetrics: expected FastNN among the services; call AddFastNN, or AddHealthChecks().AddFastNN(), before "
                + "the application is built.");
        return endpoints.MapMethods(pattern, Methods, context => WriteAsync(context, collector)).NeedsMetricsScope();
    }

    private static async Task WriteAsync(HttpContext context, MetricCollector collector)
    {
        bool openMetrics = WantsOpenMetrics(context.Request.GetTypedHeaders().Accept);
        byte[] body = Encoding.UTF8.GetBytes(PrometheusText.Write(collector.Collect(), openMetrics));
        context.Response.ContentType = openMetrics ? PrometheusText.OpenMetricsType : PrometheusText.TextType;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
        }
    }

    /// <summary>Only where it is named, and not liked less than plain text.</summary>
    private static bool WantsOpenMetrics(IList<MediaTypeHeaderValue> accepted)
    {
        double open = Quality("application/openmetrics-text");
        return open > 0 && open >= Quality("text/plain");

        double Quality(string type) => accepted.Where(one => one.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase))
            .Select(one => one.Quality ?? 1).DefaultIfEmpty(0).Max();
    }
}
