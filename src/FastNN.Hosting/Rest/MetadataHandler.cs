using System.Text.Json;
using FastNN.Hosting.Protocol;
using Microsoft.AspNetCore.Http;

namespace FastNN.Hosting.Rest;

/// <summary>What the server and its models are, whether they are ready, and what calls of them came to.</summary>
internal sealed class MetadataHandler(IModelCatalog catalog)
{
    private static readonly string[] _extensions =
    [
        "binary_tensor_data", "classification", "model_configuration", "model_repository", "parameters", "schedule_policy",
        "statistics",
    ];

    /// <summary>GET v2/health/live.</summary>
    public static Task LiveAsync(HttpContext http) => JsonAnswer.WriteAsync(http, static json =>
    {
        json.WriteStartObject();
        json.WriteBoolean("live"u8, true);
        json.WriteEndObject();
    });

    /// <summary>GET v2/health/ready: 503 until all models are.</summary>
    public Task ReadyAsync(HttpContext http)
    {
        bool ready = catalog.IsReady;
        return JsonAnswer.WriteAsync(
            http,
            json =>
            {
                json.WriteStartObject();
                json.WriteBoolean("ready"u8, ready);
                json.WriteEndObject();
            },
            ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>GET v2.</summary>
    public static Task ServerAsync(HttpContext http) => JsonAnswer.WriteAsync(http, static json =>
    {
        json.WriteStartObject();
        json.WriteString("name"u8, "fastnn"u8);
        json.WriteString("version"u8, ServingTelemetry.Version);
        json.WriteStartArray("extensions"u8);
        foreach (string extension in _extensions)
        {
            json.WriteStringValue(extension);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>GET v2/models/NAME[/versions/VERSION]/ready: 503 while it is not, 404 where there is none.</summary>
    public Task ModelReadyAsync(HttpContext http)
    {
        IModel model = new ModelRoute(http).Find(catalog);
        return JsonAnswer.WriteAsync(http, json =>
        {
            json.WriteStartObject();
            json.WriteString("name"u8, model.Name);
            json.WriteBoolean("ready"u8, true);
            json.WriteEndObject();
        });
    }

    /// <summary>GET v2/models/NAME[/versions/VERSION].</summary>
    public Task ModelAsync(HttpContext http)
    {
        IModel model = new ModelRoute(http).Find(catalog);
        return JsonAnswer.WriteAsync(http, json =>
        {
            json.WriteStartObject();
            json.WriteString("name"u8, model.Name);
            WriteVersions(json, model);
            json.WriteString("platform"u8, model.Platform);
            WriteTensors(json, "inputs", "name", "datatype", "shape", model.Inputs, TensorDataTypes.Name);
            WriteTensors(json, "outputs", "name", "datatype", "shape", model.Outputs, TensorDataTypes.Name);
            json.WriteEndObject();
        });
    }

    /// <summary>
    /// GET v2/models/NAME[/versions/VERSION]/config. Extents are told whole, the one of a batch as well, so max_batch_size is 0.
    /// </summary>
    public Task ConfigAsync(HttpContext http)
    {
        IModel model = new ModelRoute(http).Find(catalog);
        return JsonAnswer.WriteAsync(http, json =>
        {
            json.WriteStartObject();
            json.WriteString("name"u8, model.Name);
            json.WriteString("platform"u8, model.Platform);
            json.WriteString("backend"u8, "fastnn"u8);
            json.WriteStartObject("version_policy"u8);
            json.WriteStartObject("specific"u8);
            WriteVersions(json, model);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteNumber("max_batch_size"u8, 0);
            WriteTensors(json, "input", "name", "data_type", "dims", model.Inputs, TensorDataTypes.ConfigName);
            WriteTensors(json, "output", "name", "data_type", "dims", model.Outputs, TensorDataTypes.ConfigName);
            json.WriteEndObject();
        });
    }

    /// <summary>GET v2/models[/NAME[/versions/VERSION]]/stats.</summary>
    public Task StatisticsAsync(HttpContext http)
    {
        ModelRoute route = new(http);
        IReadOnlyList<ModelStatistics> all = catalog.Statistics(route.Name.Length == 0 ? null : route.Name, route.Version);
        return JsonAnswer.WriteAsync(http, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("model_stats"u8);
            foreach (ModelStatistics statistics in all)
            {
                WriteStatistics(json, statistics);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private void WriteVersions(Utf8JsonWriter json, IModel model)
    {
        json.WriteStartArray("versions"u8);
        foreach (ModelStatus status in catalog.List())
        {
            if (status.Name == model.Name && status.State == ModelState.Ready)
            {
                json.WriteStringValue(status.Version);
            }
        }

        json.WriteEndArray();
    }

    private static void WriteTensors(
        Utf8JsonWriter json,
        string list,
        string name,
        string type,
        string extents,
        IReadOnlyList<ModelTensor> tensors,
        Func<TensorDataType, string> typeName)
    {
        json.WriteStartArray(list);
        foreach (ModelTensor tensor in tensors)
        {
            json.WriteStartObject();
            json.WriteString(name, tensor.Name);
            json.WriteString(type, typeName(tensor.DataType));
            json.WriteStartArray(extents);
            foreach (int extent in tensor.Dimensions)
            {
                json.WriteNumberValue(extent);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteStatistics(Utf8JsonWriter json, ModelStatistics statistics)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, statistics.Name);
        json.WriteString("version"u8, statistics.Version);
        json.WriteNumber("last_inference"u8, Math.Max(0, statistics.LastInference.ToUnixTimeMilliseconds()));
        json.WriteNumber("inference_count"u8, statistics.Inferences);
        json.WriteNumber("execution_count"u8, statistics.Executions);
        json.WriteStartObject("inference_stats"u8);
        WriteDuration(json, "success", statistics.Success);
        WriteDuration(json, "fail", statistics.Fail);
        WriteDuration(json, "queue", statistics.Queue);
        WriteDuration(json, "compute_input", statistics.ComputeInput);
        WriteDuration(json, "compute_infer", statistics.ComputeInfer);
        WriteDuration(json, "compute_output", statistics.ComputeOutput);

        // Clients expect the counts of a cache of answers, which this server does not have.
        WriteDuration(json, "cache_hit", default);
        WriteDuration(json, "cache_miss", default);
        json.WriteEndObject();
        json.WriteStartArray("batch_stats"u8);
        foreach (BatchStatistic batch in statistics.Batches)
        {
            json.WriteStartObject();
            json.WriteNumber("batch_size"u8, batch.BatchSize);
            WriteDuration(json, "compute_input", batch.ComputeInput);
            WriteDuration(json, "compute_infer", batch.ComputeInfer);
            WriteDuration(json, "compute_output", batch.ComputeOutput);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteDuration(Utf8JsonWriter json, string name, DurationStatistic duration)
    {
        json.WriteStartObject(name);
        json.WriteNumber("count"u8, duration.Count);
        json.WriteNumber("ns"u8, duration.Nanoseconds);
        json.WriteEndObject();
    }
}
