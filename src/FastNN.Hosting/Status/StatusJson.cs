using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using FastNN.Hosting.Protocol;
using FastNN.Hosting.Rest;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting.StatusPages;

/// <summary>What the page asks for: once what the models are, and every second what they do.</summary>
/// <param name="catalog">The models.</param>
/// <param name="collector">What calls came to.</param>
/// <param name="resources">What they hold.</param>
/// <param name="device">Where they run; null where the models are not FastNN's own.</param>
internal sealed class StatusJson(
    IModelCatalog catalog, MetricCollector collector, ServingResources resources, ServedDevice? device)
{
    private const string InferencePattern = "v2/models/{name}/versions/{version}/infer";

    private static readonly DateTime Start = StartOfProcess();

    /// <summary>What changes only when a model is loaded or unloaded.</summary>
    public Task WriteModelsAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        IReadOnlyList<ShownModel> models = ShownModel.All(catalog);
        string? inference = Inference(context);
        return JsonAnswer.WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("revision"u8, ShownModel.Revision(models));
            json.WriteString("version"u8, ServingTelemetry.Version);
            json.WriteString("runtime"u8, RuntimeInformation.FrameworkDescription);
            json.WriteString("device"u8, device?.Current?.Description ?? "");
            json.WriteString("inference"u8, inference);
            json.WriteStartArray("models"u8);
            foreach (ShownModel model in models)
            {
                Write(json, model);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    /// <summary>Counts since the page was mapped, from which the page takes differences.</summary>
    public Task WriteDataAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        IReadOnlyList<ShownModel> models = ShownModel.All(catalog);
        var metrics = collector.Collect().ToDictionary(metric => metric.Store.Instrument.Name, StringComparer.Ordinal);
        return JsonAnswer.WriteAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("revision"u8, ShownModel.Revision(models));
            json.WriteNumber("time"u8, Stopwatch.GetTimestamp() * 1000.0 / Stopwatch.Frequency);
            json.WriteNumber("uptime"u8, Math.Max(0, Math.Floor((DateTime.UtcNow - Start).TotalSeconds)));
            json.WriteBoolean("ready"u8, catalog.IsReady);
            WriteMemory(json);
            json.WriteStartArray("bounds"u8);
            foreach (double bound in Buckets.Seconds.HistogramBucketBoundaries!)
            {
                json.WriteNumberValue(bound);
            }

            json.WriteEndArray();
            json.WriteStartArray("models"u8);
            foreach (ModelStatus status in models.Select(model => model.Status))
            {
                json.WriteStartObject();
                json.WriteString("name"u8, status.Name);
                json.WriteString("version"u8, status.Version);
                json.WriteNumber("requests"u8, Sum("fastnn.requests", status));
                json.WriteNumber("failures"u8, Sum("fastnn.request.failures", status));
                json.WriteNumber("active"u8, Sum("fastnn.active_requests", status));
                json.WriteNumber("waiting"u8, Sum("fastnn.queue.length", status));
                WriteBuckets(json, "latency", Of("fastnn.request.duration", status).Where(Answered));
                WriteBuckets(json, "queue", Of("fastnn.queue.duration", status));
                MetricSeries[] drift = [.. Of("fastnn.drift", status)];
                if (drift.Length > 0)
                {
                    json.WriteNumber("drift"u8, Math.Round(drift.Max(series => series.Value), 4));
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });

        double Sum(string instrument, ModelStatus model) => Of(instrument, model).Sum(series => series.Value);

        IEnumerable<MetricSeries> Of(string instrument, ModelStatus model) =>
            metrics.TryGetValue(instrument, out (MetricStore Store, MetricSeries[] Series) metric)
                ? metric.Series.Where(series => Has(series, ServingTelemetry.ModelName, model.Name)
                    && Has(series, ServingTelemetry.ModelVersion, model.Version))
                : [];
    }

    private static bool Answered(MetricSeries series) => series.Tags.All(tag => tag.Key != ServingTelemetry.ErrorType);

    private static bool Has(MetricSeries series, string key, string value) =>
        series.Tags.Any(tag => tag.Key == key && Equals(tag.Value, value));

    private static void WriteBuckets(Utf8JsonWriter json, string name, IEnumerable<MetricSeries> histogram)
    {
        json.WriteStartArray(name);
        if (histogram.FirstOrDefault() is { } series)
        {
            foreach (long count in series.Buckets)
            {
                json.WriteNumberValue(count);
            }
        }

        json.WriteEndArray();
    }

    private void WriteMemory(Utf8JsonWriter json)
    {
        json.WriteStartObject("memory"u8);
        json.WriteNumber("managed"u8, ServingResources.Managed);
        json.WriteNumber("process"u8, Environment.WorkingSet);
        json.WriteNumber("buffers"u8, resources.Buffers);
        json.WriteStartArray("devices"u8);
        foreach ((string kind, DeviceMemory use) in resources.Devices)
        {
            json.WriteStartObject();
            json.WriteString("kind"u8, kind);
            json.WriteNumber("used"u8, use.LiveBytes);
            json.WriteNumber("cached"u8, use.CachedBytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ShownModel model)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, model.Status.Name);
        json.WriteString("version"u8, model.Status.Version);
        json.WriteString("state"u8, FailureNames.Of(model.Status.State));
        json.WriteString("reason"u8, model.Status.Reason);
        json.WriteString("platform"u8, model.Platform);
        Write(json, "inputs", model.Inputs);
        Write(json, "outputs", model.Outputs);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string list, IReadOnlyList<ModelTensor> tensors)
    {
        json.WriteStartArray(list);
        foreach (ModelTensor tensor in tensors)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, tensor.Name);
            json.WriteString("datatype"u8, TensorDataTypes.Name(tensor.DataType));
            json.WriteStartArray("shape"u8);
            foreach (int extent in tensor.Dimensions)
            {
                json.WriteNumberValue(extent);
            }

            json.WriteEndArray();
            json.WriteStartArray("classes"u8);
            foreach (string name in tensor.ClassNames)
            {
                json.WriteStringValue(name);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Where models are called, relative to the page; null where MapFastNN is not mapped.</summary>
    private static string? Inference(HttpContext context)
    {
        string? route = context.RequestServices.GetService<EndpointDataSource>()?.Endpoints.OfType<RouteEndpoint>()
            .Select(endpoint => endpoint.RoutePattern.RawText?.TrimStart('/'))
            .FirstOrDefault(text => text?.EndsWith(InferencePattern, StringComparison.Ordinal) == true);
        if (route is null || context.GetEndpoint() is not RouteEndpoint own)
        {
            return null;
        }

        // This address has one part more than the page's, and the page's own last part does not count.
        string up = string.Concat(Enumerable.Repeat("../", own.RoutePattern.PathSegments.Count - 2));
        return up + route[..^InferencePattern.Length] + "v2/models/";
    }

    private static DateTime StartOfProcess()
    {
        using var process = Process.GetCurrentProcess();
        return process.StartTime.ToUniversalTime();
    }
}
